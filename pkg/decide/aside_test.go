// SPDX-License-Identifier: Apache-2.0

package decide_test

import (
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// undoOf registers the way back of a deed, as the journal does.
func (f *fixture) undoOf(a decide.Action) decide.Action {
	back, _ := decide.Inverse(a)
	f.mem.Undo = append(f.mem.Undo, back)
	return back
}

func TestHoldNothingBack_OnlyWhereItWasAskedForAndOnlyOnce(t *testing.T) {
	f := three(policy.Evict, 1, 2)
	f.storage().HoldBack = &cluster.Knob{Name: "wait", UID: "w", Value: "600", Aside: "0"}
	wantNote(t, f.next(), decide.TurnOpened)
	f.plan.Policy.NoReplenishWait = true
	a := wantAct(t, f.next(), decide.SetAside)
	if a.From != "600" || a.Into != "0" || a.Knob.UID != "w" || a.Node.UID != "" {
		t.Errorf("%+v", a)
	}
	back := f.undoOf(a)
	if back.Verb != decide.PutBack || back.From != "0" || back.Into != "600" {
		t.Errorf("%+v", back)
	}
	wantNote(t, f.next(), decide.TurnOpened) // somebody else has set it back: his word
	f.storage().HoldBack.Value = "0"
	wantNote(t, f.next(), decide.TurnOpened)
	for _, why := range []decide.Stop{decide.StopInterrupted, decide.StopRefused} {
		if got := decide.TakeBack(f.mem, why); len(got) != 1 || !got[0].Same(back) {
			t.Errorf("%v: %+v", why, got)
		}
	}
}

// short is a turn after its node was replaced, with a sleeping volume that
// lacks a replica.
func short() *fixture {
	f := three(policy.Refill, 2, 3)
	f.volume().Want = 3
	turn := f.drained()
	turn.RetiredAt = noon
	f.removeNode(1)
	f.addNode(cluster.NodeRef{Name: "new", UID: "new"}, "newdisk")
	turn.Joined = cluster.NodeRef{Name: "new", UID: "new"}
	f.look()
	return f
}

func TestRefill_TheStorageRebuildsASleepingVolumeByItselfWhereItCan(t *testing.T) {
	f := short()
	wantAct(t, f.next(), decide.Wake)
	f.volume().SelfRebuild = &cluster.Knob{Name: "offline", UID: "v-v", Value: "ignored", Aside: "enabled"}
	a := wantAct(t, f.next(), decide.SetAside)
	if a.Volume.Name != "v" || a.Volume.UID != "v-v" || a.From != "ignored" {
		t.Errorf("%+v", a)
	}
	back := f.undoOf(a)
	f.volume().SelfRebuild.Value = "enabled"
	if p := parts(t, f); !strings.Contains(p[0].Why, "has not begun") {
		t.Errorf("%+v", p)
	}
	f.volume().Want = 2 // as good as rebuilt
	if got := wantAct(t, f.next(), decide.PutBack); !got.Same(back) {
		t.Errorf("%+v, want %+v", got, back)
	}
}

func TestRefill_IsBoundedHoweverItIsDone(t *testing.T) {
	f := short()
	f.plan.Policy.MaxWoken = 1
	f.addVolume("w", 2, 3)
	for i := range f.storage().Volumes {
		v := &f.storage().Volumes[i]
		v.Want, v.SelfRebuild = 3, &cluster.Knob{Name: "offline", UID: v.UID, Value: "ignored", Aside: "enabled"}
	}
	f.undoOf(wantAct(t, f.next(), decide.SetAside))
	f.volume().SelfRebuild.Value = "enabled"
	if p := parts(t, f); len(p) != 2 || !p[1].Idle {
		t.Errorf("%+v", p)
	}
	f.plan.Policy.MaxWoken, f.storage().RebuildsPerNode = 100, 1 // on three nodes
	if a := wantAct(t, f.next(), decide.SetAside); a.Volume.Name != "w" {
		t.Errorf("%+v", a)
	}
}

func TestRefill_AVolumeThatWasDeletedTakesNoPlace(t *testing.T) {
	f := short()
	f.plan.Policy.MaxWoken = 1
	f.undoOf(decide.Action{Verb: decide.SetAside, Volume: decide.ObjectRef{Name: "gone", UID: "gone"}, Knob: decide.ObjectRef{Name: "offline", UID: "gone"}})
	wantAct(t, f.next(), decide.Wake)
}

func TestRefill_APhantomIsNeverLeftToTheStorage(t *testing.T) {
	f := short()
	f.volume().SelfRebuild = &cluster.Knob{Name: "offline", UID: "v-v", Value: "ignored", Aside: "enabled"}
	ghost := f.volume().Replicas[0]
	ghost.Name, ghost.UID, ghost.Node, ghost.DiskUUID = "ghost", "ghost", "worker-9", "disk9"
	f.volume().Replicas = append(f.volume().Replicas, ghost)
	wantAct(t, f.next(), decide.Wake)
}

func TestRefill_WhatSomebodyElseTookBackIsWoken(t *testing.T) {
	f := short()
	f.volume().SelfRebuild = &cluster.Knob{Name: "offline", UID: "v-v", Value: "ignored", Aside: "enabled"}
	f.undoOf(wantAct(t, f.next(), decide.SetAside))
	wantAct(t, f.next(), decide.Wake)
}

func TestForget_TheStoragesNodeGoesBeforeAReplacementComes(t *testing.T) {
	keep := func(f *fixture) *cluster.StorageNode {
		f.storage().KeepsNodes = cluster.Yes
		sn := f.storage().Nodes[0]
		sn.Name, sn.UID, sn.Ready = ref(1).Name, "sn1", cluster.No
		f.storage().Nodes = append(f.storage().Nodes, sn)
		return &f.storage().Nodes[len(f.storage().Nodes)-1]
	}
	f, turn := gone()
	f.plan.Commands.Create = "create"
	turn.Proved["v-r2"] = noon
	sn := keep(f)
	f.passGate(t)
	wantAct(t, f.next(), decide.Prune)
	f.volume().Replicas = f.volume().Replicas[1:]
	sn.Ready = cluster.Yes
	wantWait(t, f.next(), decide.PruneIt) // it has not noticed yet
	sn.Ready = cluster.No
	a := wantAct(t, f.next(), decide.Forget)
	if a.StorageNode.UID != "sn1" || !a.Irreversible() {
		t.Errorf("%+v", a)
	}
	f.mem.Refused, f.mem.Refusals, f.mem.Refusal = &a, 3, "denied the request: 1 replica"
	if h := wantHalt(t, f.next(), decide.ExitUnsafe); !strings.Contains(h.Reason, "denied the request: 1 replica") {
		t.Errorf("%+v", h)
	}
	f.mem.Refusals, f.mem.Refused = 0, nil
	sn.Deleting = true
	wantWait(t, f.next(), decide.PruneIt) // a machine that finds it dying is never made known
	sn.Deleting = false
	f.storage().KeepsNodes = cluster.Unknown // its version cannot be read just now
	wantWait(t, f.next(), decide.PruneIt)
	f.storage().KeepsNodes = cluster.No
	wantAct(t, f.next(), decide.RunCommand)
}

func TestForget_NotWhileAReplicaNamesTheNode(t *testing.T) {
	f, _ := gone()
	f.storage().KeepsNodes = cluster.Yes
	sn := f.storage().Nodes[0]
	sn.Name, sn.UID, sn.Ready = ref(1).Name, "sn1", cluster.No
	f.storage().Nodes = append(f.storage().Nodes, sn)
	if w := wantWait(t, f.next(), decide.PruneIt); len(w.Left) != 1 || w.Limit <= 0 {
		t.Errorf("%+v", w)
	}
}

func TestForget_WhatNeverHeldAnythingGoesTooAndIsMadeAnew(t *testing.T) {
	f, turn := gone()
	f.storage().KeepsNodes = cluster.Yes
	turn.Proved["v-r2"] = noon
	f.volume().Replicas = f.volume().Replicas[1:]
	f.volume().Want = 2
	f.addVolume("new", 1, 2, 3)
	fresh := &f.storage().Volumes[1]
	fresh.Touched, fresh.Engine.Ever = false, cluster.No
	for i := range fresh.Replicas {
		fresh.Replicas[i].Claim, fresh.Replicas[i].HealthyAt = cluster.Untouched, time.Time{}
	}
	sn := f.storage().Nodes[0]
	sn.Name, sn.UID, sn.Ready = ref(1).Name, "sn1", cluster.No
	f.storage().Nodes = append(f.storage().Nodes, sn)
	f.passGate(t)
	if a := wantAct(t, f.next(), decide.Prune); a.Replica.UID != "new-r1" {
		t.Errorf("%+v", a)
	}
	fresh.Replicas = fresh.Replicas[1:]
	wantAct(t, f.next(), decide.Forget)
	f.storage().Nodes = f.storage().Nodes[:2]
	f.addNode(cluster.NodeRef{Name: "worker-1", UID: "again"}, "newdisk")
	turn.Joined = cluster.NodeRef{Name: "worker-1", UID: "again"}
	f.look()
	if a := wantAct(t, f.next(), decide.Wake); a.Volume.Name != "new" {
		t.Errorf("%+v", a)
	}
	fresh.Touched = true // a sign of use: then its blank replicas are no comfort
	if a, ok := f.next().(decide.Act); ok {
		t.Errorf("%+v", a.Action)
	}
}

func TestForget_TheLastReplicaOfAVolumeThatNeverHeldAnythingStays(t *testing.T) {
	f, _ := gone()
	f.storage().KeepsNodes = cluster.Yes
	f.storage().Volumes = nil
	f.addVolume("new", 1)
	fresh := f.volume()
	fresh.Touched, fresh.Engine.Ever = false, cluster.No
	fresh.Replicas[0].Claim, fresh.Replicas[0].HealthyAt = cluster.Untouched, time.Time{}
	if a, ok := f.next().(decide.Act); ok && a.Action.Verb == decide.Prune {
		t.Errorf("%+v", a.Action)
	}
}

func TestReplace_NotWhereTheStoragesNodeOutlivesTheMachine(t *testing.T) {
	f := three(policy.Evict, 2, 3)
	f.plan.Commands.Replace = "replace"
	f.storage().KeepsNodes = cluster.Yes
	f.drained()
	f.passGate(t)
	if h := wantHalt(t, f.next(), decide.ExitUnsafe); !has(h.Findings, decide.CodeReplace) {
		t.Errorf("%+v", h)
	}
	f.plan.Policy.Accepted = []policy.Risk{{Code: decide.CodeReplace}}
	wantAct(t, f.next(), decide.RunCommand)
}
