// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

const lidsPath = "/apis/box.example/v1/lids"

// watching is a Cluster that has looked and watches.
func watching(t *testing.T, a *api) *Cluster {
	t.Helper()
	c := observed(t, a)
	done := awaiting(t, c, look(t, c).Revision)
	a.send(nodesPath, "MODIFIED", nodeAt(20, "Unknown"))
	wakes(t, done, "a change")
	return c
}

func (a *api) at(version int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.version = version
}

// during has the events come while everything is read anew, when the nodes' list
// was read already, and returns what was seen.
func (a *api) during(t *testing.T, c *Cluster, events func()) *cluster.Snapshot {
	t.Helper()
	held := make(chan struct{})
	a.hook(lidsPath, func(w http.ResponseWriter, r *http.Request) {
		<-held
		a.list(w, r, nil)
	})
	lists := a.count(nodesPath, "limit=")
	out := make(chan *cluster.Snapshot)
	go func() {
		s, err := c.Observe(t.Context(), cluster.Fresh)
		if err != nil {
			t.Error(err)
		}
		out <- s
	}()
	for a.count(nodesPath, "limit=") == lists {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond) // the answer
	events()
	time.Sleep(50 * time.Millisecond) // they are applied
	close(held)
	return <-out
}

// A watch outlives a reading: what came while everything was read is not lost, and
// what the lists have is not applied once more.
func TestObserve_AReadingKeepsTheWatches(t *testing.T) {
	a := newAPI(t)
	a.put(nodesPath, nodeAt(9, "True"))
	c := watching(t, a)
	begun := a.count("watch=true")
	a.at(30)
	s := a.during(t, c, func() {
		a.send(nodesPath, "MODIFIED", nodeAt(25, "Unknown")) // the list is younger
		a.send(boxesPath, "ADDED", `{"kind":"Box","metadata":{"name":"b","uid":"u-b","resourceVersion":"31"},"copies":2}`)
	})
	if !s.Look.Fresh || s.Nodes[0].Ready != cluster.Yes || len(s.Storages[0].Volumes) != 1 {
		t.Errorf("fresh %t, nodes %+v, volumes %+v; want the list's node and the event's volume", s.Look.Fresh, s.Nodes, s.Storages[0].Volumes)
	}
	a.send(nodesPath, "MODIFIED", nodeAt(29, "Unknown"))
	done := awaiting(t, c, s.Revision)
	sleeps(t, done, "an event that the list has")
	a.send(nodesPath, "MODIFIED", nodeAt(32, "False"))
	wakes(t, done, "an event after the reading")
	if s, err := c.Observe(t.Context(), cluster.Cached); err != nil || s.Nodes[0].Ready != cluster.No || s.Look.Fresh {
		t.Errorf("%v, fresh %t, lost %t, nodes %+v; want what the event said", err, s.Look.Fresh, c.watches.lost(), s.Nodes)
	}
	if n := a.count("watch=true") - begun; n != 0 {
		t.Errorf("%d watches were begun anew", n)
	}
}

// What a list has shown counts as seen, though its events come later.
func TestObserve_AReadingThatIsAheadOfTheWatchesIsNotWaitedFor(t *testing.T) {
	a := newAPI(t)
	c := watching(t, a)
	a.at(40)
	look(t, c)
	c.Expect([]cluster.Mark{{Kind: "nodes", UID: "u-n", Version: "35"}})
	if s := <-observing(t, c); s.Look.Fresh {
		t.Error("everything was read anew for what a list has shown")
	}
}

func TestObserve_WatchesThatCannotGoOnAreBegunAnew(t *testing.T) {
	for name, change := range map[string]func(a *api, c *Cluster){
		"a kind that is read no more": func(a *api, _ *Cluster) {
			a.hook(nodesPath, func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusForbidden, "no") })
		},
		"an event that cannot be decoded": func(a *api, _ *Cluster) {
			a.send(boxesPath, "MODIFIED", `{"metadata":{"name":"b","uid":"u-b","resourceVersion":"12"},"copies":"many"}`)
		},
		"a version that is no number": func(a *api, _ *Cluster) {
			a.send(nodesPath, "MODIFIED", `{"kind":"Node","metadata":{"name":"n","uid":"u-n","resourceVersion":"x"}}`)
		},
		"more events than are kept": func(_ *api, c *Cluster) {
			for range mostMissed + 1 {
				if err := c.watches.apply(followed{c.state.sources[0], 0}, event{Type: "BOOKMARK"}, watched{}); err != nil {
					panic(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			a.put(nodesPath, nodeAt(9, "True"))
			c := watching(t, a)
			before := c.watches
			if name == "a kind that is read no more" {
				change(a, c)
				look(t, c)
			} else {
				a.during(t, c, func() { change(a, c) })
			}
			if c.watches == before {
				t.Error("the watches go on")
			}
		})
	}
}

// spoken has the list of nodes answered with one node in the version, in words.
func (a *api) spoken(version string) {
	a.hook(nodesPath, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("watch") != "" {
			a.watch(w, r)
			return
		}
		fmt.Fprintf(w, `{"kind":"NodeList","apiVersion":"v1","metadata":{"resourceVersion":%q},"items":[%s]}`, version, nodeSpoken(version, "True"))
	})
}

func nodeSpoken(version, ready string) string {
	return fmt.Sprintf(`{"kind":"Node","metadata":{"name":"n","uid":"u-n","resourceVersion":%q},"status":{"conditions":[{"type":"Ready","status":%q}]}}`, version, ready)
}

// Where versions are no numbers, no late event is told from a new one: it must not
// take back what a list has shown.
func TestObserve_WatchesOfVersionsThatDoNotCompareAreBegunAnew(t *testing.T) {
	a := newAPI(t)
	a.spoken("a-1")
	c := observed(t, a)
	done := awaiting(t, c, look(t, c).Revision)
	a.send(nodesPath, "MODIFIED", nodeSpoken("a-2", "Unknown"))
	wakes(t, done, "a change")
	before := c.watches
	a.spoken("a-9")
	look(t, c)
	if c.watches == before {
		t.Error("the watches go on, and an event from before the list takes it back")
	}
}

// A server whose data were restored goes back: what the watches had seen says
// nothing of what comes.
func TestObserve_AListThatIsOlderThanWhatWasSeenEndsTheWatches(t *testing.T) {
	a := newAPI(t)
	a.put(nodesPath, nodeAt(9, "True"))
	c := observed(t, a)
	done := awaiting(t, c, look(t, c).Revision)
	a.send(nodesPath, "MODIFIED", nodeAt(500, "Unknown"))
	wakes(t, done, "a change")
	a.at(100)
	look(t, c)
	c.Expect([]cluster.Mark{{Kind: "nodes", UID: "u-n", Version: "150"}})
	if s := <-observing(t, c); !s.Look.Fresh {
		t.Error("a deed at 150 counts as seen, and all that is known is of 100")
	}
}
