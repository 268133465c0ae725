// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// A laptop that slept has watches that may tell nothing any more, and a reading
// that looks young.
func TestObserve_AfterASleepEverythingIsReadAndTheWatchesAreNew(t *testing.T) {
	for _, f := range []cluster.Freshness{cluster.Cached, cluster.Fresh} {
		a := newAPI(t)
		a.put(nodesPath, nodeAt(9, "True"))
		c := observed(t, a)
		s := look(t, c)
		sleeps(t, awaiting(t, c, s.Revision), "nothing")
		watches := func() *watches {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.watches
		}
		before := watches()
		if _, err := c.Observe(t.Context(), cluster.Cached); err != nil || watches() != before {
			t.Fatalf("awake all the time: %v", err)
		}
		c.wall = func() time.Time { return wall().Add(time.Hour) }
		a.put(nodesPath, nodeAt(99, "False")) // while nobody listened
		s, err := c.Observe(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		if s.Nodes[0].Ready != cluster.No || !s.Look.Fresh {
			t.Errorf("%v: node %+v, fresh %t: it is of before the sleep", f, s.Nodes[0], s.Look.Fresh)
		}
		if before == watches() {
			t.Errorf("%v: the watches of before the sleep are followed on", f)
		}
	}
}
