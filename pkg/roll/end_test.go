// SPDX-License-Identifier: Apache-2.0

package roll_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// contested is a world that becomes unreadable after the cordon, and in which
// somebody else holds the cordon by then.
type contested struct {
	*toy
	cordoned bool
	tried    []time.Time // to uncordon
}

func (w *contested) Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error) {
	s, err := w.toy.Observe(ctx, f)
	if err == nil && w.cordoned {
		s.Gaps = []cluster.Gap{{Kind: "nodes", Reason: cluster.GapForbidden, Needed: true, Detail: "forbidden"}}
	}
	return s, err
}

func (w *contested) Perform(ctx context.Context, a decide.Action) (decide.Outcome, error) {
	if a.Verb == decide.Uncordon {
		w.tried = append(w.tried, time.Now())
		return decide.Outcome{Result: decide.Conflict, Detail: "it is another's"}, nil
	}
	w.cordoned = w.cordoned || a.Verb == decide.Cordon
	return w.toy.Perform(ctx, a)
}

func TestRun_WhatCannotBePutBackDoesNotHideWhyItHalted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := worlds()["refill, retire and create"]()
		p := propose(t, w, c)
		cfg := config(w, &shelf{}, &p)
		world := &contested{toy: w}
		cfg.World, cfg.Tick = world, 10*time.Millisecond
		res, err := roll.Run(t.Context(), cfg)
		if err != nil || res.Exit != decide.ExitUnknown {
			t.Fatalf("exit %d, %v", res.Exit, err)
		}
		h, ok := res.Decision.(decide.Halt)
		if !ok || !strings.Contains(h.Reason, "cannot be read") || !strings.Contains(h.Reason, "it is another's") {
			t.Errorf("%+v", res.Decision)
		}
		// However often it looks, what it tries again has time to pass.
		if n := len(world.tried); n != 3 || world.tried[2].Sub(world.tried[0]) < 2*time.Second {
			t.Errorf("tried at %v", world.tried)
		}
	})
}

// sluggish is a world in which taking a hold back takes long.
type sluggish struct {
	*toy
	stop context.CancelFunc
	held int
}

func (w *sluggish) Perform(ctx context.Context, a decide.Action) (decide.Outcome, error) {
	switch a.Verb {
	case decide.Sleep:
		time.Sleep(18 * time.Second)
	case decide.Wake:
		if w.held++; w.held == 4 {
			w.stop()
		}
	}
	return w.toy.Perform(ctx, a)
}

func TestRun_TheLockIsKeptWhileThingsArePutBackAfterAnInterruption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := worlds()["refill, retire and create"]()
		p := propose(t, w, c)
		on := book.NewInMemory(30*time.Second, time.Now)
		cfg := config(w, &shelf{}, &p)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		cfg.World, cfg.Book, cfg.Renew = &sluggish{toy: w, stop: stop}, on.Open("a"), 7*time.Second
		res, err := roll.Run(ctx, cfg)
		if err != nil || res.Exit != roll.ExitInterrupted {
			t.Fatalf("exit %d, %v", res.Exit, err)
		}
		for _, v := range w.volumes {
			if v.held != "" {
				t.Errorf("%s is still awake", v.name)
			}
		}
		if _, who, err := on.Open("b").Read(t.Context()); err != nil || who != (record.Holder{Run: p.Run}) {
			t.Errorf("the lock was not given back: %+v, %v", who, err)
		}
	})
}
