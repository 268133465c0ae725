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

var ourHold = cluster.Hold{ID: "safe-roll-r", Kind: cluster.HoldOurs, Node: "worker-2"}

func TestBar_DoesNotAskToMoveWhatAPhantomWouldBeCountedFor(t *testing.T) {
	for name, spoil := range map[string]func(*fixture){
		"its disk is gone":     func(f *fixture) { f.volume().Replicas[2].DiskUUID = "of another life" },
		"its node is younger":  func(f *fixture) { f.s.Nodes[2].Created = noon.Add(-time.Minute) },
		"its claim is unknown": func(f *fixture) { f.volume().Replicas[2].Claim = cluster.ClaimUnknown },
	} {
		t.Run(name, func(t *testing.T) {
			f := three(policy.Evict, 1, 2, 3)
			f.opened() // and halted, and gone on with when the world had changed
			spoil(f)
			wantWait(t, f.next(), decide.Bar)
			f.volume().Replicas[2].Claim = cluster.Failed
			wantAct(t, f.next(), decide.Place)
		})
	}
}

func TestProve_WakesADetachedVolumeElsewhereAndLetsItSleep(t *testing.T) {
	f := three(policy.Refill, 1, 2, 3)
	turn := f.drained()
	a := wantAct(t, f.next(), decide.Wake)
	if a.HoldNode == ref(1).Name || a.Hold != ourHold.ID || a.Volume.UID != "v-v" {
		t.Errorf("%+v", a)
	}
	f.attach(2, ourHold)
	n := wantNote(t, f.next(), decide.Proved)
	if len(n.Replicas) != 2 {
		t.Errorf("proved %v", n.Replicas)
	}
	for _, uid := range n.Replicas {
		turn.Proved[uid] = noon.Add(time.Second)
	}
	if a := wantAct(t, f.next(), decide.Sleep); a.Hold != ourHold.ID {
		t.Errorf("%+v", a)
	}
}

func TestProve_WhatWasProvedBeforeTheDrainDoesNotCount(t *testing.T) {
	f := three(policy.Refill, 1, 2, 3)
	turn := f.drained()
	turn.Proved["v-r2"] = noon.Add(-time.Second)
	wantAct(t, f.next(), decide.Wake)
}

func TestWake_NeverWithAReplicaThatMightStartWithoutItsData(t *testing.T) {
	for name, spoil := range map[string]func(*fixture){
		"absent":   func(f *fixture) { f.volume().Replicas[2].DiskUUID = "of another life" },
		"unproven": func(f *fixture) { f.s.Nodes[2].Created = noon.Add(-time.Minute) },
		"unknown":  func(f *fixture) { f.volume().Replicas[2].Claim = cluster.ClaimUnknown },
	} {
		t.Run(name, func(t *testing.T) {
			f := three(policy.Refill, 1, 2, 3)
			f.drained()
			spoil(f)
			if a, ok := f.next().(decide.Act); ok && a.Action.Verb == decide.Wake {
				t.Errorf("woken with a replica that is %s", name)
			}
		})
	}
}

func TestWake_GivesWayToAWorkloadAtOnce(t *testing.T) {
	f := three(policy.Refill, 1, 2, 3)
	f.drained()
	f.attach(2, ourHold)
	f.volume().Holds = append(f.volume().Holds, cluster.Hold{ID: "pod", Kind: cluster.HoldWorkload, Node: ref(3).Name})
	for i := range f.volume().Replicas {
		f.volume().Replicas[i].Claim = cluster.Idle
	}
	wantAct(t, f.next(), decide.Sleep)
}

func TestWake_GivesWayToAWorkloadThatOnlyKubernetesKnowsOf(t *testing.T) {
	f := three(policy.Refill, 1, 2, 3)
	f.drained()
	f.s.Attachments = []cluster.Attachment{{Name: "a", Driver: driver, PV: "v", Node: ref(3).Name}}
	if a, ok := f.next().(decide.Act); ok && a.Action.Verb == decide.Wake {
		t.Error("woken though a pod is about to get it")
	}
	f.attach(2, ourHold)
	for i := range f.volume().Replicas {
		f.volume().Replicas[i].Claim = cluster.Idle
	}
	wantAct(t, f.next(), decide.Sleep)
	f.s.Attachments[0].Deleting = true
	if a, ok := f.next().(decide.Act); ok && a.Action.Verb == decide.Sleep {
		t.Error("nobody wants it any more")
	}
}

func TestWake_GivesWayToAWorkloadWhateverTheTurnWaitsFor(t *testing.T) {
	for name, upset := range map[string]func(*fixture){
		"another node is out":     func(f *fixture) { f.s.Nodes[2].Ready = cluster.No },
		"the node went meanwhile": func(f *fixture) { f.removeNode(1) },
		"pods came back": func(f *fixture) {
			f.s.Pods = []cluster.Pod{{Ref: cluster.PodRef{Name: "p", UID: "p"}, Node: ref(1).Name, Owner: cluster.OwnerOther, Deleting: true}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := three(policy.Refill, 1, 2, 3)
			f.drained().RetiredAt = noon
			f.attach(2, ourHold)
			upset(f)
			if a, ok := f.next().(decide.Act); ok && a.Action.Verb == decide.Sleep {
				t.Fatal("nobody wants it")
			}
			f.volume().Holds = append(f.volume().Holds, cluster.Hold{ID: "pod", Kind: cluster.HoldWorkload, Node: ref(3).Name})
			wantAct(t, f.next(), decide.Sleep)
		})
	}
}

func TestNext_ADrainWhoseMachineWasReplacedIsNoSuccess(t *testing.T) {
	f := three(policy.Refill, 1, 2, 3)
	f.plan.Goal = decide.UntilDeletable
	f.drained().ClosedAt = noon
	f.removeNode(1)
	f.addNode(cluster.NodeRef{Name: ref(1).Name, UID: "new"}, "newdisk")
	f.look()
	h := wantHalt(t, f.next(), decide.ExitUnsafe)
	if !strings.Contains(h.Reason, "was not drained") {
		t.Errorf("%+v", h)
	}
	f.plan.Goal = decide.UntilReplaced
	if d, ok := f.next().(decide.Done); !ok {
		t.Errorf("a run that replaced every node: %T", d)
	}
}

func TestWake_IsBounded(t *testing.T) {
	f := three(policy.Refill, 1, 2, 3)
	f.addVolume("w", 1, 2, 3)
	f.drained()
	f.plan.Policy.MaxWoken = 1
	f.attach(2, ourHold)
	f.volume().State = cluster.Attaching
	for i := range f.volume().Replicas {
		f.volume().Replicas[i].Claim = cluster.Idle
	}
	wantWait(t, f.next(), decide.Prove)
}

func TestOpening_TakesBackWhatAnEarlierRollLeftAwake(t *testing.T) {
	f := three(policy.Refill, 1, 2, 3)
	f.volume().Holds = []cluster.Hold{{ID: "safe-roll-old", Kind: cluster.HoldOurs, Node: ref(2).Name}}
	if a := wantAct(t, f.next(), decide.Sleep); a.Hold != "safe-roll-old" {
		t.Errorf("%+v", a)
	}
}

// gone is a turn whose node was deleted, with three replicas of the volume.
func gone() (*fixture, *decide.Turn) {
	f := three(policy.Refill, 1, 2, 3)
	turn := f.drained()
	turn.RetiredAt = noon
	f.removeNode(1)
	f.volume().Replicas[0].Claim = cluster.Failed
	f.volume().Replicas[0].FailedAt = noon
	return f, turn
}

func TestPrune_OnlyWhileASiblingIsProven(t *testing.T) {
	f, turn := gone()
	wantWait(t, f.next(), decide.Join)
	turn.Proved["v-r2"] = noon.Add(time.Second)
	f.passGate(t)
	if a := wantAct(t, f.next(), decide.Prune); a.Replica.UID != "v-r1" {
		t.Errorf("%+v", a)
	}
}

func TestPrune_NotWhileALiveNodeBearsTheName(t *testing.T) {
	f, turn := gone()
	turn.Proved["v-r2"] = noon.Add(time.Second)
	f.addNode(cluster.NodeRef{Name: ref(1).Name, UID: "new"}, "newdisk")
	if a, ok := f.next().(decide.Act); ok && a.Action.Verb == decide.Prune {
		t.Error("pruned a replica whose directory the storage might now delete")
	}
}

func TestPrune_NeedsTwoLooks(t *testing.T) {
	f, turn := gone()
	turn.Proved["v-r2"] = noon.Add(time.Second)
	wantNote(t, f.next(), decide.LookTaken)
}

func TestJoin_AReplacementIsAMachineThatWasNotThere(t *testing.T) {
	f, turn := gone()
	turn.Open.Seen = []cluster.UID{"n1", "n2", "n3", "late"}
	f.addNode(cluster.NodeRef{Name: "seen", UID: "late"}, "d9")
	wantWait(t, f.next(), decide.Join)
	f.plan.Turns[0].Roles = map[string]string{"node-role.kubernetes.io/worker": ""}
	f.addNode(cluster.NodeRef{Name: "other-role", UID: "x1"}, "d10")
	wantWait(t, f.next(), decide.Join)
	f.addNode(cluster.NodeRef{Name: "new", UID: "x2"}, "d11")
	f.s.Nodes[len(f.s.Nodes)-1].Labels = map[string]string{"node-role.kubernetes.io/worker": ""}
	f.look()
	if n := wantNote(t, f.next(), decide.Joined); n.Node.UID != "x2" {
		t.Errorf("%+v", n)
	}
}

func TestJoin_AnotherNodesSuccessorIsNoReplacement(t *testing.T) {
	f, turn := gone()
	turn.Open.Names = []string{ref(2).Name, ref(3).Name}
	f.s.Nodes = f.s.Nodes[:1] // somebody deletes worker-3, and makes it anew
	f.addNode(cluster.NodeRef{Name: ref(3).Name, UID: "again"}, "d9")
	if n, ok := f.next().(decide.Remember); ok && n.Note.Kind == decide.Joined {
		t.Errorf("%+v takes the place of %s", n.Note.Node, ref(1).Name)
	}
}

func TestRebuild_HaltsWhenDataAreLost(t *testing.T) {
	f, turn := gone()
	f.addNode(cluster.NodeRef{Name: ref(1).Name, UID: "new"}, "newdisk")
	turn.Joined = cluster.NodeRef{Name: ref(1).Name, UID: "new"}
	f.look()
	if _, ok := f.next().(decide.Halt); ok {
		t.Fatal("two good replicas are no loss")
	}
	for i := range f.volume().Replicas {
		f.volume().Replicas[i].Claim = cluster.Failed
	}
	wantHalt(t, f.next(), decide.ExitUnsafe)
}

func TestRebuild_AsksForAProbeWhenNothingElseIsLeft(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(f *fixture)
		halts bool
	}{
		"the name is there again": {func(*fixture) {}, true},
		"somebody looks":          {func(f *fixture) { f.volume().Replicas[0].Probe = &cluster.Probe{} }, false},
		"it is on its way":        {func(f *fixture) { f.volume().State = cluster.Detaching }, false},
		"the storage knows":       {func(f *fixture) { f.volume().Replicas[0].Claim = cluster.Failed }, false},
		"another one can go on":   {func(f *fixture) { f.addVolume("w", 2); f.storage().Volumes[1].Want = 2 }, false},
	} {
		f, turn := gone()
		f.addNode(cluster.NodeRef{Name: ref(1).Name, UID: "new"}, "newdisk")
		turn.Joined = cluster.NodeRef{Name: ref(1).Name, UID: "new"}
		f.volume().Replicas[0].Claim = cluster.Idle // the storage still counts it
		c.spoil(f)
		f.look()
		h, halted := f.next().(decide.Halt)
		if halted != c.halts || halted && !has(h.Findings, decide.CodeNeedsProbe) {
			t.Errorf("%s: %T %+v", name, f.next(), h)
		}
	}
}

func TestCommands_NeverTwiceAndNeverForAnotherUID(t *testing.T) {
	f := three(policy.Evict, 2, 3)
	f.plan.Commands.Replace = "replace"
	turn := f.drained()
	f.mem.Passed[decide.GateDelete] = decide.Look{Digest: f.judge().Digest()}
	a := wantAct(t, f.next(), decide.RunCommand)
	if a.Command != decide.ReplaceCommand || a.Node != ref(1) {
		t.Errorf("%+v", a)
	}
	turn.Ran = map[decide.CommandKind]time.Time{decide.ReplaceCommand: noon}
	wantWait(t, f.next(), decide.Retire)
	turn.Ran = nil
	f.s.Nodes[0].Ref.UID = "another machine of that name"
	wantNote(t, f.next(), decide.Retired)
}

func TestCreate_NotAgainWhereItsMachineIsThere(t *testing.T) {
	f, _ := gone()
	f.plan.Commands.Create = "create"
	if a := wantAct(t, f.next(), decide.RunCommand); a.Command != decide.CreateCommand {
		t.Errorf("%+v", a)
	}
	f.addNode(cluster.NodeRef{Name: "new", UID: "new"}, "newdisk")
	f.look()
	if a, ok := f.next().(decide.Act); ok && a.Action.Verb == decide.RunCommand {
		t.Error("a second machine would be made")
	}
}
