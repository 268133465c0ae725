// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// observing asks for what is cached in the background.
func observing(t *testing.T, c *Cluster) <-chan *cluster.Snapshot {
	out := make(chan *cluster.Snapshot, 1)
	go func() {
		s, err := c.Observe(t.Context(), cluster.Cached)
		if err != nil {
			t.Error(err)
		}
		out <- s
	}()
	return out
}

func nodeAt(version int, ready string) string {
	return fmt.Sprintf(`{"kind":"Node","metadata":{"name":"n","uid":"u-n","resourceVersion":"%d"},"status":{"conditions":[{"type":"Ready","status":%q}]}}`, version, ready)
}

func podAt(version int, deleted string) string {
	return fmt.Sprintf(`{"kind":"Pod","metadata":{"name":"p","namespace":"d","uid":"u-p","resourceVersion":"%d"%s}}`, version, deleted)
}

const podsPath = "/api/v1/pods"

// What is cached is never older than our own deed: it waits for the event, which
// costs no list, also where a reading was the last thing that was done.
func TestExpect_CachedWaitsForTheEventOfOurDeed(t *testing.T) {
	a := newAPI(t)
	a.put(nodesPath, nodeAt(9, "True"))
	c := observed(t, a)
	look(t, c)
	lists := a.count("limit=")
	c.Expect([]cluster.Mark{{Kind: "nodes", UID: "u-n", Version: "100"}})
	got := observing(t, c)
	a.send(nodesPath, "MODIFIED", nodeAt(99, "Unknown"))
	select {
	case <-got:
		t.Fatal("it did not wait for the version that the deed left")
	case <-time.After(300 * time.Millisecond):
	}
	a.send(nodesPath, "MODIFIED", nodeAt(100, "False"))
	if s := <-got; s.Nodes[0].Ready != cluster.No || s.Look.Fresh {
		t.Errorf("node %+v, fresh %t; want what the deed left, by an event", s.Nodes[0], s.Look.Fresh)
	}
	c.Expect([]cluster.Mark{{Kind: "nodes", UID: "u-n", Version: "100"}}) // the event was before the answer
	if s := <-observing(t, c); s.Look.Fresh {
		t.Error("everything was read anew for what was seen already")
	}
	if n := a.count("limit=") - lists; n != 0 {
		t.Errorf("%d lists were read, want none", n)
	}
}

func TestExpect_AnEvictedPodIsSeenToGoOrToBeGone(t *testing.T) {
	for kind, object := range map[string]string{
		"MODIFIED": podAt(12, `,"deletionTimestamp":"2026-01-01T00:00:00Z"`),
		"DELETED":  podAt(12, ""),
	} {
		a := newAPI(t)
		a.put(podsPath, podAt(9, ""))
		c := observed(t, a)
		look(t, c)
		lists := a.count("limit=")
		c.Expect([]cluster.Mark{{Kind: "pods", UID: "u-p", Version: "9"}, {Kind: "pods", UID: "u-p"}})
		got := observing(t, c)
		a.send(podsPath, "MODIFIED", podAt(11, ""))
		select {
		case <-got:
			t.Fatal("it did not wait for the pod to go")
		case <-time.After(300 * time.Millisecond):
		}
		a.send(podsPath, kind, object)
		if s := <-got; len(s.Pods) > 0 && !s.Pods[0].Deleting {
			t.Errorf("%s: the pod is seen to stay: %+v", kind, s.Pods)
		}
		if n := a.count("limit=") - lists; n != 0 {
			t.Errorf("%s: %d lists were read, want none", kind, n)
		}
	}
}

// Whatever no watch can show is read anew, and then believed.
func TestExpect_WhatNoWatchShowsIsReadAnew(t *testing.T) {
	for name, marks := range map[string][]cluster.Mark{
		"a deed that says nothing":      nil,
		"a kind that is not watched":    {{Kind: "lids.box.example", UID: "l", Version: "12"}},
		"a kind that is not read":       {{Kind: "bottles.box.example", UID: "l", Version: "12"}},
		"a node of no version":          {{Kind: "nodes", UID: "u-n"}},
		"a pod of no identity":          {{Kind: "pods"}},
		"an event that does not come":   {{Kind: "nodes", UID: "u-n", Version: "12"}},
		"a version that is no number":   {{Kind: "nodes", UID: "u-n", Version: "x"}},
		"one of two that does not come": {{Kind: "nodes", UID: "u-n", Version: "10"}, {Kind: "boxes.box.example", UID: "b", Version: "12"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			a.put(nodesPath, nodeAt(9, "True"))
			c := observed(t, a, func(c *Config) { c.Pause = time.Minute }) // while no watch is begun, a reading stands for so long
			look(t, c)
			a.put(boxesPath, boxObject("b", 2))
			c.Expect(marks)
			if s := <-observing(t, c); !s.Look.Fresh || len(s.Storages[0].Volumes) != 1 {
				t.Errorf("fresh %t, volumes %+v; want everything read anew", s.Look.Fresh, s.Storages[0].Volumes)
			}
			before := a.count("limit=")
			if s := <-observing(t, c); s.Look.Fresh || a.count("limit=") != before {
				t.Errorf("it was read anew once more: fresh %t, %d lists after %d", s.Look.Fresh, a.count("limit="), before)
			}
		})
	}
}

// A reading that failed shows no deed.
func TestExpect_AReadingThatFailedIsNotEnough(t *testing.T) {
	a := newAPI(t)
	c := observed(t, a)
	look(t, c)
	c.Expect(nil)
	for _, p := range paths() {
		a.hook(p, func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusUnauthorized, "Unauthorized") })
	}
	if _, err := c.Observe(t.Context(), cluster.Cached); err == nil {
		t.Fatal("a snapshot without credentials")
	}
	for _, p := range paths() {
		a.hook(p, nil)
	}
	if s := <-observing(t, c); !s.Look.Fresh {
		t.Error("what is older than the deed was believed")
	}
}

func TestExpect_AWatchThatIsLostMeanwhileIsNotWaitedFor(t *testing.T) {
	a := newAPI(t)
	c := observed(t, a)
	look(t, c)
	c.Expect([]cluster.Mark{{Kind: "nodes", UID: "u-n", Version: "12"}})
	began := time.Now()
	got := observing(t, c)
	a.send(nodesPath, "ERROR", `{"kind":"Status","code":410,"message":"too old resource version"}`)
	if s := <-got; !s.Look.Fresh || time.Since(began) > abreastLimit {
		t.Errorf("fresh %t after %s, want everything read anew at once", s.Look.Fresh, time.Since(began))
	}
}

// Watches that have not shown our deed may show nothing else: after the reading
// they are not believed.
func TestExpect_WatchesThatAreMuteAreBegunAnew(t *testing.T) {
	a := newAPI(t)
	a.put(nodesPath, nodeAt(9, "True"))
	c := watching(t, a)
	before := c.watches
	a.at(30)
	c.Expect([]cluster.Mark{{Kind: "nodes", UID: "u-n", Version: "29"}})
	if s := <-observing(t, c); !s.Look.Fresh {
		t.Fatal("what did not show our deed was believed")
	}
	if c.watches == before {
		t.Error("the watches that did not show our deed go on")
	}
}

// Whoever finds the effect of an event finds that something has changed, and does
// not go on with the snapshot from before.
func TestExpect_WhatIsSeenToGoIsNoted(t *testing.T) {
	a := newAPI(t)
	a.put(podsPath, podAt(9, ""))
	c := watching(t, a)
	<-observing(t, c)
	w := c.watches
	seen := make(chan struct{})
	w.mu.Lock() // nothing can be noted
	go func() {
		for !w.state.going("u-p") {
			time.Sleep(time.Millisecond)
		}
		close(seen)
	}()
	a.send(podsPath, "DELETED", podAt(12, ""))
	select {
	case <-seen:
		t.Error("the pod is seen to be gone before it is noted that anything has changed")
	case <-time.After(300 * time.Millisecond):
	}
	w.mu.Unlock()
	<-seen
	if changed, _ := w.peek(); !changed {
		t.Error("the pod is gone, and nothing has changed")
	}
}
