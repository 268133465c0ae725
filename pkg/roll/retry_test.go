// SPDX-License-Identifier: Apache-2.0

package roll_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
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
