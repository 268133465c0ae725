// SPDX-License-Identifier: Apache-2.0

package roll_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// restless is a world in which something changes all the time, and whose first
// consistent look misses a kind, as do the cached ones that rest on it.
type restless struct {
	*toy
	every time.Duration
	look  cluster.Look
	gaps  []cluster.Gap
	// read is when each consistent look was taken; after the second it is enough.
	read   []time.Time
	enough context.CancelFunc
}

func (w *restless) Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error) {
	s, err := w.toy.Observe(ctx, f)
	if err != nil {
		return nil, err
	}
	if f == cluster.Fresh || len(w.read) == 0 {
		if w.read = append(w.read, time.Now()); len(w.read) > 1 {
			w.enough()
		}
		w.look, w.gaps = s.Look, nil
		if len(w.read) == 1 {
			w.gaps = []cluster.Gap{{Kind: "pods", Reason: cluster.GapFailed, Needed: true, Detail: "503"}}
		}
		s.Gaps = w.gaps
		return s, nil
	}
	s.Look, s.Gaps = w.look, w.gaps
	s.Look.Fresh = false
	return s, nil
}

func (w *restless) Await(ctx context.Context, _ cluster.Revision) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(w.every):
		return nil
	}
}

// What could not be read is read again soon, however much changes meanwhile.
func TestRun_WhatFailedToBeReadIsReadAgainInABusyCluster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		toy, c := worlds()["evict and replace"]()
		p := propose(t, toy, c)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w := &restless{toy: toy, every: 2 * time.Second, enough: cancel}
		cfg := config(toy, &shelf{}, &p)
		cfg.World = w
		if _, err := roll.Run(ctx, cfg); err != nil {
			t.Fatal(err)
		}
		if len(w.read) < 2 {
			t.Fatalf("%d consistent looks: it shows nothing", len(w.read))
		}
		if later := w.read[1].Sub(w.read[0]); later < 5*time.Second || later > 10*time.Second {
			t.Errorf("it was read again after %s, want about 5 s", later)
		}
	})
}

// belated is a world whose looks always bear a time that is past, as by a clock that
// was set back, and lack a kind.
type belated struct {
	*toy
	looks  int
	enough context.CancelFunc
}

func (w *belated) Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error) {
	s, err := w.toy.Observe(ctx, f)
	if err != nil {
		return nil, err
	}
	if w.looks++; w.looks == 1000 {
		w.enough()
	}
	s.Look.Ended = s.Look.Ended.Add(-time.Minute)
	s.Gaps = []cluster.Gap{{Kind: "pods", Reason: cluster.GapFailed, Needed: true, Detail: "503"}}
	return s, nil
}

// A wait whose time is past is no reason to look as fast as it goes.
func TestRun_AWaitUntilAMomentThatIsPastDoesNotSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		toy, c := worlds()["evict and replace"]()
		p := propose(t, toy, c)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		w := &belated{toy: toy, enough: cancel}
		cfg := config(toy, &shelf{}, &p)
		cfg.World = w
		if _, err := roll.Run(ctx, cfg); err != nil {
			t.Fatal(err)
		}
		if w.looks < 5 || w.looks > 25 {
			t.Errorf("%d looks in 20 s, want about one a second", w.looks)
		}
	})
}

// silent is a world that cannot be read, but for one moment.
type silent struct {
	*toy
	asked []time.Time
	// speaks is the number of the look that is answered.
	speaks int
}

var errSilent = errors.New("nobody answers")

func (w *silent) Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error) {
	w.asked = append(w.asked, time.Now())
	if len(w.asked) == w.speaks {
		s, err := w.toy.Observe(ctx, f)
		s.Gaps = []cluster.Gap{{Kind: "pods", Reason: cluster.GapFailed, Needed: true, Detail: "503"}}
		return s, err
	}
	return nil, errSilent
}

// silence runs a roll of a silent world to its end, and returns the pauses between
// the looks.
func silence(t *testing.T, run string, speaks int) (pauses []time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		toy, c := worlds()["evict and replace"]()
		p := propose(t, toy, c)
		p.Run = run
		w := &silent{toy: toy, speaks: speaks}
		cfg := config(toy, &shelf{}, &p)
		cfg.World = w
		res, err := roll.Run(t.Context(), cfg)
		if err != nil || res.Exit != decide.ExitLimit {
			t.Fatalf("exit %d, %v", res.Exit, err)
		}
		for i := range w.asked[1:] {
			pauses = append(pauses, w.asked[i+1].Sub(w.asked[i]))
		}
	})
	return pauses
}

// Whoever cannot answer is asked less and less often, and soon again after an answer.
// Two rolls do not keep step, and one always waits the same.
func TestRun_AClusterThatCannotBeReadIsAskedLessAndLess(t *testing.T) {
	const speaks = 8
	pauses := silence(t, "r1", speaks)
	if n := len(pauses); n < 20 || n > 45 {
		t.Errorf("%d looks until the limit", n)
	}
	tries := 0
	for i, got := range pauses {
		if i == speaks-1 { // after the one that was answered
			tries = 0
			continue
		}
		least := min(2*time.Second<<min(tries, 10), 30*time.Second)
		if got < least || got > least+least/4 {
			t.Errorf("pause %d is %s, want %s and up to a quarter more", i, got, least)
		}
		tries++
	}
	if again := silence(t, "r1", speaks); !slices.Equal(again, pauses) {
		t.Errorf("the same roll waits %s and then %s", pauses, again)
	}
	if other := silence(t, "r2", speaks); slices.Equal(other, pauses) {
		t.Errorf("another roll keeps step: %s", other)
	}
}
