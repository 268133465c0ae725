// SPDX-License-Identifier: Apache-2.0

package roll_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// peeking is a world in which somebody looks into the directory of the last copy of
// the first volume, and finds none; else nobody looks.
type peeking struct {
	*toy
	looks bool
}

func (w *peeking) Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error) {
	s, err := w.toy.Observe(ctx, f)
	if err != nil {
		return nil, err
	}
	v := &s.Storages[0].Volumes[0]
	v.Used, v.Mounted = 1, true
	if r := &v.Replicas[1]; w.looks {
		r.Probe = &cluster.Probe{Seen: cluster.SeenNothing, At: time.Now(), Node: s.Node(r.Node).Ref}
	}
	return s, nil
}

// stopsAt is a roll that does not end well, as its last look calls a copy this.
func stopsAt(t *testing.T, cfg roll.Config, code string) {
	t.Helper()
	watch, last := cfg.Watch, ""
	cfg.Watch = func(r roll.Report) {
		if r.Judgement != nil {
			last = r.Judgement.Volume("vol-0").Replicas[1].Code
		}
		if watch != nil {
			watch(r)
		}
	}
	res, err := roll.Run(t.Context(), cfg)
	if err != nil || res.Exit == 0 || last != code {
		t.Fatalf("exit %d, %s, %+v, %v", res.Exit, last, res.Decision, err)
	}
}

// A program sees that a directory is missing and ends. By what the objects say, which
// is all that the next one sees, the replica is served, and all is well.
func TestRun_WhatOneProgramSawMissingTheNextOneDoesNotBelieve(t *testing.T) {
	for name, turn := range map[string]bool{"before the turn, and another roll is begun": false, "in the turn, and the same roll goes on": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &peeking{toy: newToy(4, 1, 2)}
				time.Sleep(time.Hour)
				first := w.nodes[2] // it has no copy
				plan := func(run string) *decide.Plan {
					return &decide.Plan{Run: run, Goal: decide.UntilReplaced, Policy: policy.Default(), Turns: []decide.PlannedTurn{
						{Node: cluster.NodeRef{Name: first.name, UID: first.uid}, Strategy: policy.Evict, Why: "test"},
					}}
				}
				b := &shelf{}
				cfg := config(w.toy, b, plan("r1"))
				cfg.World = w
				w.looks = !turn
				cfg.Watch = func(r roll.Report) {
					if r.Kind == roll.ReportActed {
						w.looks = true
					}
				}
				stopsAt(t, cfg, assess.ReplicaDataMissing)
				w.looks, cfg.Watch = false, nil
				if cfg.Plan = nil; !turn {
					cfg.Plan = plan("r2")
				}
				stopsAt(t, cfg, assess.ProbeBlank)
				if (record.History{Events: b.events}).Over() == turn {
					t.Errorf("the turn was begun: %t", !turn)
				}
			})
		})
	}
}
