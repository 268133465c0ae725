// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"fmt"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

func TestObserve_AListThatShrankWithoutAReasonIsNotBelievedAtOnce(t *testing.T) {
	const boxes = "/apis/box.example/v1/boxes"
	fill := func(a *api, n int) {
		a.mu.Lock()
		a.objects[boxes] = []string{}
		a.mu.Unlock()
		for i := range n {
			a.put(boxes, boxObject(fmt.Sprintf("b%d", i), 2))
		}
	}
	for _, c := range []struct {
		was, is int
		gap     bool
	}{{10, 4, true}, {10, 5, false}, {10, 0, true}, {1, 0, true}, {3, 1, false}, {0, 0, false}, {4, 9, false}} {
		a := newAPI(t)
		o := observed(t, a)
		fill(a, c.was)
		if s := look(t, o); len(s.Gaps) != 0 {
			t.Fatalf("gaps %+v in the first look", s.Gaps)
		}
		fill(a, c.is)
		s := look(t, o)
		g := gapOf(s, "boxes.box.example")
		if (g != nil) != c.gap {
			t.Errorf("from %d to %d: gaps %+v, want one: %t", c.was, c.is, s.Gaps, c.gap)
			continue
		}
		if g != nil && (!g.Needed || !g.OfStorage || g.Reason != cluster.GapTruncated || !strings.Contains(g.Detail, fmt.Sprintf("saw %d", c.was))) {
			t.Errorf("from %d to %d: %+v", c.was, c.is, g)
		}
		s, err := o.Observe(t.Context(), cluster.Cached)
		if err != nil || len(s.Gaps) != 0 {
			t.Errorf("from %d to %d, looked at once more: %v, gaps %+v", c.was, c.is, err, s.Gaps)
		}
	}
}

func TestState_WhatWasSeenToBeDeletedIsNotMissing(t *testing.T) {
	nodes := kubernetes()[0]
	before := &state{sources: []source{nodes}, core: newCore(), counts: map[string]int{"nodes": 4}}
	for _, name := range []string{"a", "b", "c"} {
		if _, err := before.apply(nodes, event{Type: "DELETED", Object: []byte(nodeObject(name, "True", ""))}, watched{}); err != nil {
			t.Fatal(err)
		}
	}
	now := &state{sources: []source{nodes}, counts: map[string]int{"nodes": 1}}
	if now.shrink(before); now.shrunk || len(now.gaps) != 0 {
		t.Errorf("gaps %+v", now.gaps)
	}
	if _, err := before.apply(nodes, event{Type: "ADDED", Object: []byte(nodeObject("d", "True", ""))}, watched{}); err != nil || before.counts["nodes"] != 2 {
		t.Errorf("%d nodes, %v", before.counts["nodes"], err)
	}
	if now.shrink(nil); now.shrunk {
		t.Error("a first look has nothing to compare with")
	}
}
