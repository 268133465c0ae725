// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

func TestSameRoll(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ref := func(name, uid string) cluster.NodeRef { return cluster.NodeRef{Name: name, UID: cluster.UID(uid)} }
	old, young := began.Add(-time.Hour), began.Add(time.Minute)
	s := &cluster.Snapshot{Nodes: []cluster.Node{
		{Ref: ref("a", "a2"), Created: young}, // took a's place under its name
		{Ref: ref("b", "b1"), Created: old},
		{Ref: ref("c", "c1"), Created: old},
		{Ref: ref("d", "d1"), Created: young},
	}}
	for claim, c := range map[string]struct {
		names []string
		todo  []cluster.NodeRef
		want  bool
	}{
		"what is still to come, and a replacement":    {[]string{"a", "b"}, []cluster.NodeRef{ref("b", "b1")}, true},
		"a replacement of another name":               {[]string{"b", "d"}, []cluster.NodeRef{ref("a", "a1"), ref("b", "b1")}, true},
		"the last planned node is gone":               {nil, []cluster.NodeRef{ref("a", "a1")}, true},
		"an old node that was never planned":          {[]string{"b", "c"}, []cluster.NodeRef{ref("b", "b1")}, false},
		"a node that is still to come is not matched": {[]string{"c"}, []cluster.NodeRef{ref("b", "b1"), ref("c", "c1")}, false},
		"nothing is matched":                          {nil, []cluster.NodeRef{ref("b", "b1")}, false},
	} {
		if got := sameRoll(s, c.names, c.todo, began); got != c.want {
			t.Errorf("%s: %v, want %v", claim, got, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	have := []string{"worker-1", "worker-2", "control-plane"}
	for name, want := range map[string]string{
		"worker1": "worker-1", "wroker-2": "worker-2", "control": "control-plane", "database": "", "": "",
	} {
		if got := nearest(name, have); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestPairs(t *testing.T) {
	got, err := pairs("pool=new,zone=")
	if diff := cmp.Diff(map[string]string{"pool": "new", "zone": ""}, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	for _, bad := range []string{"pool", "=x", "a!=b", "a=b,c"} {
		if _, err := pairs(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestNewRunID_IsALabelAndSortsByTime(t *testing.T) {
	first := newRunID(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	second := newRunID(time.Date(2026, 3, 1, 12, 0, 1, 0, time.UTC))
	if first >= second || len(first) != len("20260301-120000-abcd") {
		t.Errorf("%s, %s", first, second)
	}
}
