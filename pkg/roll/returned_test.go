// SPDX-License-Identifier: Apache-2.0

package roll_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// keeping is a world whose storage keeps its object of a node whatever becomes of
// the Node.
type keeping struct{ *toy }

func (w keeping) Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error) {
	s, err := w.toy.Observe(ctx, f)
	if err == nil {
		for i := range s.Storages[0].Nodes {
			sn := &s.Storages[0].Nodes[i]
			sn.UID = cluster.UID("kept-" + sn.Name)
		}
	}
	return s, err
}

func (w keeping) Perform(ctx context.Context, a decide.Action) (decide.Outcome, error) {
	if n := w.node(a.StorageNode.Name); a.Verb == decide.Place && n != nil {
		a.Node.UID = n.uid
	}
	return w.toy.Perform(ctx, a)
}

// barred is the journal of a turn of worker-1 that got as far as the bar.
func barred(w *toy, goal decide.Goal) []record.Event {
	n := w.node("worker-1")
	node := cluster.NodeRef{Name: n.name, UID: n.uid}
	n.place = cluster.Placement{Evacuate: true}
	open := decide.OpenTurn{Disks: []string{n.disk}, Boot: "first"}
	for _, x := range w.nodes {
		if open.Seen = append(open.Seen, x.uid); x != n {
			open.Names = append(open.Names, x.name)
		}
	}
	place := decide.Action{
		Verb: decide.Place, Node: node, Driver: toyDriver, StorageNode: decide.ObjectRef{Name: n.name, UID: "kept-worker-1"},
		Was: cluster.Placement{Accept: true}, To: n.place,
	}
	es := []record.Event{
		{Kind: record.Started, Plan: &decide.Plan{
			Run: "r", Goal: goal, Policy: policy.Default(),
			Turns: []decide.PlannedTurn{{Node: node, Strategy: policy.Evict, Why: "test"}},
		}},
		{Kind: record.Noted, Note: &decide.Note{Kind: decide.TurnOpened, Node: node, Turn: &open}},
		{Kind: record.Intent, Action: &place},
		{Kind: record.Done, Action: &place, Outcome: &decide.Outcome{Result: decide.Performed}},
	}
	for i := range es {
		es[i].At = time.Now()
	}
	return es
}

// Somebody deletes a Node that was never permitted to go, and its kubelet registers
// it again: its disks have the only copy.
func TestRun_AMachineThatCameBackWithItsDisksIsPutBackToUseAndTheTurnGivenUp(t *testing.T) {
	for name, noted := range map[string]bool{"the roll has seen that it was gone": true, "abort is the first to see it": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newToy(3, 1, 1)
				for _, n := range w.nodes[1:] {
					n.place = cluster.Placement{} // it cannot be moved
				}
				b := &shelf{events: barred(w, decide.UntilReplaced)}
				time.Sleep(time.Minute)
				n := w.node("worker-1")
				n.uid, n.created = "again", time.Now()
				cfg := config(w, b, nil)
				cfg.World = keeping{w}
				if noted {
					res, err := roll.Run(t.Context(), cfg)
					h, _ := res.Decision.(decide.Halt)
					if err != nil || res.Exit != decide.ExitUnsafe || !strings.Contains(h.Remedy, "abort") || !strings.Contains(h.Reason, "vol-0") {
						t.Fatalf("%+v, %v", res.Decision, err)
					}
					if !n.place.Accept || n.place.Evacuate || len(res.Left) > 0 {
						t.Errorf("it is left %+v, and told %+v", n.place, res.Left)
					}
				}
				res, err := roll.Abort(t.Context(), cfg)
				if err != nil || res.Exit != 0 {
					t.Fatalf("%+v, %v", res.Decision, err)
				}
				if !n.place.Accept || n.place.Evacuate || len(res.Left) > 0 || !(record.History{Events: b.events}).Over() {
					t.Errorf("it is left %+v, and told %+v", n.place, res.Left)
				}
			})
		})
	}
}

// What a storage no longer has cannot be put back, and nobody else has changed it.
func TestHalt_WhatTheStorageHasLetGoOfIsNotPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newToy(3, 1, 1)
		b := &shelf{events: barred(w, decide.UntilReplaced)}
		time.Sleep(time.Minute)
		w.node("worker-1").uid, w.node("worker-1").created = "again", time.Now()
		res, err := roll.Run(t.Context(), config(w, b, nil)) // whose storage made another object
		h, _ := res.Decision.(decide.Halt)
		if err != nil || res.Exit != decide.ExitUnsafe || strings.Contains(h.Reason, "put back") || len(res.Left) > 0 || w.calls > 0 {
			t.Errorf("%d deeds, left %+v: %+v, %v", w.calls, res.Left, res.Decision, err)
		}
	})
}
