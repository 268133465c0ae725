// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// sent is one event of a stream.
type sent struct{ kind, object string }

// end ends every stream of the path, as a server does.
func (a *api) end(path string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, w := range a.watches[path] {
		close(w)
	}
	delete(a.watches, path)
}

// seenTo waits until the nodes were seen up to the version.
func seenTo(t *testing.T, w *watches, version string) {
	t.Helper()
	for i := w.state.source("nodes"); w.version(i) != version; {
		if time.Sleep(time.Millisecond); w.lost() {
			t.Fatalf("the watches were lost before version %s", version)
		}
	}
}

const another = `{"kind":"Node","metadata":{"name":"m","uid":"u-m","resourceVersion":"22"}}`

// An event that comes late would take back what a later one has told. It is never
// believed, nor is the rest of its stream: everything is read anew.
func TestWatch_AnEventOutOfOrderEndsTheWatches(t *testing.T) {
	for name, c := range map[string]struct {
		last  sent
		ended bool // the stream ends after the last one
		late  sent
		nodes int
	}{
		"an older state":                     {sent{"MODIFIED", nodeAt(22, "False")}, false, sent{"MODIFIED", nodeAt(21, "True")}, 1},
		"an older state, in the next stream": {sent{"MODIFIED", nodeAt(22, "False")}, true, sent{"MODIFIED", nodeAt(21, "True")}, 1},
		"a state of what was deleted":        {sent{"DELETED", nodeAt(22, "False")}, false, sent{"MODIFIED", nodeAt(21, "True")}, 0},
		"the addition of what was deleted":   {sent{"DELETED", nodeAt(22, "False")}, false, sent{"ADDED", nodeAt(21, "True")}, 0},
		"the deletion of what was made anew": {sent{"ADDED", nodeAt(22, "False")}, false, sent{"DELETED", nodeAt(21, "True")}, 1},
		"a state from before a bookmark":     {sent{"BOOKMARK", `{"metadata":{"resourceVersion":"22"}}`}, false, sent{"MODIFIED", nodeAt(22, "True")}, 1},
		"a bookmark from before":             {sent{"MODIFIED", nodeAt(22, "False")}, false, sent{"BOOKMARK", `{"metadata":{"resourceVersion":"21"}}`}, 1},
		"another object, the same version":   {sent{"MODIFIED", nodeAt(22, "False")}, false, sent{"ADDED", another}, 1},
		"another event, the same version":    {sent{"MODIFIED", nodeAt(22, "False")}, false, sent{"DELETED", nodeAt(22, "False")}, 1},
		"no version at all":                  {sent{"MODIFIED", nodeAt(22, "False")}, false, sent{"MODIFIED", `{"metadata":{"name":"n","uid":"u-n"}}`}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			a.put(nodesPath, nodeAt(9, "False"))
			cl := observed(t, a)
			done := awaiting(t, cl, look(t, cl).Revision)
			a.send(nodesPath, "MODIFIED", nodeAt(20, "Unknown"))
			wakes(t, done, "a change")
			w := cl.watches
			a.send(nodesPath, c.last.kind, c.last.object)
			seenTo(t, w, "22")
			if c.ended {
				a.end(nodesPath)
			}
			before := cl.state.snapshot(0)
			a.send(nodesPath, c.late.kind, c.late.object)
			for deadline := time.Now().Add(5 * time.Second); !w.lost(); time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("the watches go on")
				}
			}
			after := cl.state.snapshot(0)
			if len(after.Nodes) != c.nodes || c.nodes > 0 && after.Nodes[0].Ready != before.Nodes[0].Ready {
				t.Errorf("the late event was believed: nodes %+v", after.Nodes)
			}
			if s := <-observing(t, cl); !s.Look.Fresh || len(s.Nodes) != 1 || s.Nodes[0].Ready != cluster.No {
				t.Errorf("fresh %t, nodes %+v; want everything read anew", s.Look.Fresh, s.Nodes)
			}
		})
	}
}

// The same event once more, also in the next stream, changes nothing and costs nothing.
func TestWatch_TheSameEventOnceMoreChangesNothing(t *testing.T) {
	a := newAPI(t)
	c := observed(t, a)
	done := awaiting(t, c, look(t, c).Revision)
	a.send(nodesPath, "ADDED", nodeAt(20, "True"))
	wakes(t, done, "a node that was added")
	asked, w := a.count("limit="), c.watches
	a.send(nodesPath, "ADDED", nodeAt(20, "True"))
	a.send(nodesPath, "BOOKMARK", `{"metadata":{"resourceVersion":"20"}}`)
	a.send(nodesPath, "ADDED", nodeAt(20, "True"))
	a.end(nodesPath)
	a.send(nodesPath, "ADDED", nodeAt(20, "True"))
	a.send(nodesPath, "MODIFIED", nodeAt(21, "False"))
	seenTo(t, w, "21")
	s := <-observing(t, c)
	if s.Look.Fresh || len(s.Nodes) != 1 || s.Nodes[0].Ready != cluster.No {
		t.Errorf("fresh %t, nodes %+v; want the one of the last event", s.Look.Fresh, s.Nodes)
	}
	w.state.mu.Lock()
	defer w.state.mu.Unlock()
	if n := w.state.counts["nodes"]; n != 1 {
		t.Errorf("%d nodes are counted, want 1", n)
	}
	if n := a.count("limit=") - asked; n != 0 || w != c.watches {
		t.Errorf("%d lists were read, want none", n)
	}
}

// Versions that are no numbers are believed in the order in which they come.
func TestWatch_VersionsThatDoNotCompareAreTakenAsTheyCome(t *testing.T) {
	a := newAPI(t)
	a.spoken("b-7")
	c := observed(t, a)
	done := awaiting(t, c, look(t, c).Revision)
	a.send(nodesPath, "MODIFIED", nodeSpoken("b-9", "Unknown"))
	a.send(nodesPath, "MODIFIED", nodeSpoken("a-3", "False"))
	wakes(t, done, "a change")
	seenTo(t, c.watches, "a-3")
	if s := <-observing(t, c); s.Look.Fresh || s.Nodes[0].Ready != cluster.No {
		t.Errorf("fresh %t, nodes %+v; want what came last", s.Look.Fresh, s.Nodes)
	}
}
