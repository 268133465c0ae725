// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// overloads are the answers of a server that has too much to do.
func overloads() map[string]int {
	return map[string]int{"429": http.StatusTooManyRequests, "500": http.StatusInternalServerError, "503": http.StatusServiceUnavailable}
}

// overload refuses the first lists of a path, or its first watches, and says after
// what time to ask again where that is not empty. It returns when it refused.
func (a *api) overload(path, what string, times, code int, after string) func() []time.Time {
	var mu sync.Mutex
	var refused []time.Time
	a.hook(path, func(w http.ResponseWriter, r *http.Request) {
		watches := r.URL.Query().Get("watch") != ""
		mu.Lock()
		refuses := watches == (what == "watch") && len(refused) < times
		if refuses {
			refused = append(refused, time.Now())
		}
		mu.Unlock()
		a.mu.Lock()
		objects := a.objects[path]
		a.mu.Unlock()
		switch {
		case refuses:
			if after != "" {
				w.Header().Set("Retry-After", after)
			}
			refuse(w, code, "too much to do")
		case watches:
			a.watch(w, r)
		default:
			a.list(w, r, objects)
		}
	})
	return func() []time.Time {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(refused)
	}
}

// A server that says when to ask again is asked then, and nothing is missing.
func TestObserve_AListIsAskedForAgainWhenTheServerSaysSo(t *testing.T) {
	for name, code := range overloads() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			a.put(nodesPath, nodeAt(9, "True"))
			refused := a.overload(nodesPath, "list", 1, code, "1")
			s := look(t, observed(t, a))
			if len(s.Gaps) != 0 || len(s.Nodes) != 1 {
				t.Errorf("gaps %+v, nodes %+v", s.Gaps, s.Nodes)
			}
			if took := s.Look.Ended.Sub(refused()[0]); took < time.Second || a.count(nodesPath, "limit=") != 2 {
				t.Errorf("asked %d times, the last within %s, and was told to wait for a second", a.count(nodesPath, "limit="), took)
			}
		})
	}
}

// One that does not say so is not asked again by the same look: the kind is missing,
// and whoever decides sees it and has it read again, when it is time.
func TestObserve_AListThatTheServerIsTooBusyForIsAGap(t *testing.T) {
	for name, code := range overloads() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			a.overload(nodesPath, "list", 1000, code, "")
			c := observed(t, a)
			s := look(t, c)
			if len(s.Gaps) != 1 || s.Gaps[0].Reason != cluster.GapFailed || !strings.Contains(s.Gaps[0].Detail, "too much to do") {
				t.Errorf("gaps %+v", s.Gaps)
			}
			// What is cached and what is waited for ask for nothing.
			for end := time.Now().Add(500 * time.Millisecond); time.Now().Before(end); {
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				_ = c.Await(ctx, s.Revision)
				cancel()
				s = <-observing(t, c)
			}
			if n := a.count(nodesPath, "limit="); n != 1 {
				t.Errorf("the nodes were asked for %d times by one look", n)
			}
		})
	}
}

// However long the server wants to be left alone, the limit of a request holds.
func TestObserve_ALongRetryAfterDoesNotOutlastTheRequestLimit(t *testing.T) {
	a := newAPI(t)
	a.overload(nodesPath, "list", 1000, http.StatusTooManyRequests, "3600")
	s := look(t, observed(t, a, func(c *Config) { c.RequestLimit = 300 * time.Millisecond }))
	if len(s.Gaps) != 1 || s.Gaps[0].Reason != cluster.GapFailed {
		t.Errorf("gaps %+v", s.Gaps)
	}
	if took := s.Look.Ended.Sub(s.Look.Began); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
}

// A watch that is refused for the moment is begun again, when the server says so or
// after a while, from where it was: nothing is read anew.
func TestWatch_OneThatTheServerIsTooBusyForIsBegunAgain(t *testing.T) {
	for name, code := range overloads() {
		for said, after := range map[string]string{"and says when": "1", "and does not say when": ""} {
			t.Run(name+" "+said, func(t *testing.T) {
				t.Parallel()
				a := newAPI(t)
				a.put(nodesPath, nodeAt(9, "True"))
				refused := a.overload(nodesPath, "watch", 2, code, after)
				c := observed(t, a)
				done := awaiting(t, c, look(t, c).Revision)
				lists := a.count("limit=")
				a.send(nodesPath, "MODIFIED", nodeAt(20, "False"))
				wakes(t, done, "a change after the watch was begun again")
				for i, at := range refused() {
					next := time.Now()
					if i == 0 {
						next = refused()[1]
					}
					if next.Sub(at) < time.Second {
						t.Errorf("asked again after %s", next.Sub(at))
					}
				}
				if s := <-observing(t, c); s.Look.Fresh || s.Nodes[0].Ready != cluster.No || a.count("limit=") != lists {
					t.Errorf("fresh %t, nodes %+v, %d lists; want the event alone", s.Look.Fresh, s.Nodes, a.count("limit=")-lists)
				}
			})
		}
	}
}

// All watches of a server that goes away break together. They do not come back
// together, nor at once.
func TestWatch_ThoseThatBreakTogetherDoNotComeBackTogether(t *testing.T) {
	a := newAPI(t)
	refused := map[string]func() []time.Time{}
	for _, p := range paths() {
		if !strings.HasSuffix(p, "/leases") && p != lidsPath { // they are not watched
			refused[p] = a.overload(p, "watch", 1000, http.StatusServiceUnavailable, "")
		}
	}
	c := observed(t, a)
	sleeps(t, awaiting(t, c, look(t, c).Revision), "nothing")
	time.Sleep(1500 * time.Millisecond)
	least, most := time.Hour, time.Duration(0)
	for p, times := range refused {
		at := times()
		if len(at) != 2 {
			t.Fatalf("%s was asked to be watched %d times within 2 s, want twice", p, len(at))
		}
		least, most = min(least, at[1].Sub(at[0])), max(most, at[1].Sub(at[0]))
	}
	if least < watchRetryWait || most-least < 30*time.Millisecond {
		t.Errorf("the %d watches come back after %s to %s", len(refused), least, most)
	}
}
