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

func TestNext_HaltsWhenTheLastGoodReplicaIsOnTheNode(t *testing.T) {
	f := three(policy.Refill, 1)
	wantHalt(t, f.next(), decide.ExitUnsafe)
}

func TestNext_OpensATurnOnlyWhenEveryVolumeIsWhole(t *testing.T) {
	f := three(policy.Refill, 1, 2, 3)
	n := wantNote(t, f.next(), decide.TurnOpened)
	if len(n.Turn.Seen) != 3 || len(n.Turn.Names) != 2 || len(n.Turn.Disks) != 1 || n.Turn.Disks[0] != "disk1" {
		t.Errorf("the turn remembers %+v", n.Turn)
	}
	f.volume().Replicas[1].DiskUUID = "of another life"
	wantHalt(t, f.next(), decide.ExitUnsafe)
}

func TestNext_HaltsWhenThePlannedNameIsAnotherMachine(t *testing.T) {
	f := three(policy.Refill, 2, 3)
	f.plan.Turns[0].Node.UID = "of another life"
	wantHalt(t, f.next(), decide.ExitUnsafe)
}

func TestNext_RefusesToBeginWhileAnotherNodeIsOut(t *testing.T) {
	f := three(policy.Refill, 1, 2)
	f.s.Nodes[2].Ready = cluster.No
	h := wantHalt(t, f.next(), decide.ExitUnsafe)
	if h.Findings[0].Code != decide.CodeOtherOut {
		t.Errorf("code %s", h.Findings[0].Code)
	}
	f.opened()
	wantWait(t, f.next(), decide.Preflight)
	f.plan.Policy.Accepted = []policy.Risk{{Code: decide.CodeOtherOut, Name: "worker-3"}}
	wantAct(t, f.next(), decide.Place)
}

func TestNext_WhatIsForbiddenHaltsAndWhatFailedWaits(t *testing.T) {
	f := three(policy.Refill, 1, 2)
	f.s.Gaps = []cluster.Gap{{Kind: "replicas", Reason: cluster.GapForbidden, Needed: true, Detail: "no"}}
	wantHalt(t, f.next(), decide.ExitUnknown)
	f.s.Gaps[0].Reason = cluster.GapFailed
	if w := wantWait(t, f.next(), decide.Verify); w.Limit <= 0 || !w.Fresh {
		t.Errorf("%+v", w)
	}
}

func TestNext_BarsBeforeItCordons(t *testing.T) {
	f := three(policy.Evict, 1, 2)
	f.opened()
	a := wantAct(t, f.next(), decide.Place)
	if a.StorageNode.UID != "sn1" || !a.Was.Accept || a.To.Accept || !a.To.Evacuate {
		t.Errorf("%+v", a)
	}
	f.storage().Nodes[0].Placement = a.To
	wantWait(t, f.next(), decide.Evacuate)
	f.volume().Replicas[0].Node, f.volume().Replicas[0].Owner, f.volume().Replicas[0].DiskUUID = ref(3).Name, ref(3).Name, "disk3"
	if a := wantAct(t, f.next(), decide.Cordon); a.Node != ref(1) || !f.next().(decide.Act).Fresh {
		t.Errorf("%+v", a)
	}
}

func TestNext_EvictsTheStoragesOwnPodsLast(t *testing.T) {
	f := three(policy.Evict, 2, 3)
	f.drained().DrainedAt = time.Time{}
	pod := func(ns, name string) cluster.Pod {
		return cluster.Pod{
			Ref:  cluster.PodRef{Namespace: ns, Name: name, UID: cluster.UID(name)},
			Node: ref(1).Name, Owner: cluster.OwnerOther, Ready: cluster.Yes,
		}
	}
	f.s.Pods = []cluster.Pod{pod("default", "app"), pod("storage", "own")}
	if a := wantAct(t, f.next(), decide.EvictPods); len(a.Pods) != 1 || a.Why != "1 pod leaves "+ref(1).Name+": default/app" {
		t.Errorf("%+v", a)
	}
	f.s.Pods = f.s.Pods[1:]
	f.volume().Engine.Node, f.volume().Engine.Running = ref(1).Name, cluster.Unknown
	wantWait(t, f.next(), decide.Drain)
	f.volume().Engine.Node, f.volume().Engine.Running = "", cluster.No
	d := f.next()
	if a := wantAct(t, d, decide.EvictPods); a.Pods[0].Name != "own" {
		t.Errorf("%+v", a.Pods)
	}
	if act, _ := d.(decide.Act); !act.Fresh {
		t.Error("the node's copies stop being written by what the cache knows")
	}
	f.s.Pods = nil
	wantNote(t, f.next(), decide.Drained)
}

func TestNext_EvictsPodsWithVolumesOneAtATime(t *testing.T) {
	f := three(policy.Evict, 2, 3)
	f.drained().DrainedAt = time.Time{}
	for _, name := range []string{"a", "b", "c"} {
		p := cluster.Pod{Ref: cluster.PodRef{Namespace: "d", Name: name, UID: cluster.UID(name)}, Node: ref(1).Name, Owner: cluster.OwnerOther}
		if name != "c" {
			p.Claims = []string{name}
		}
		f.s.Pods = append(f.s.Pods, p)
	}
	a := wantAct(t, f.next(), decide.EvictPods)
	if len(a.Pods) != 2 {
		t.Errorf("want one pod with a volume and the one without: %+v", a.Pods)
	}
	if want := "2 of 3 pods leave " + ref(1).Name + ": d/a, d/c"; a.Why != want {
		t.Errorf("%q, want %q", a.Why, want)
	}
	f.s.Pods[0].Deleting = true
	wantWait(t, f.next(), decide.Drain)
}

func TestNext_AfterARefusalItWaitsAndBeginsElsewhere(t *testing.T) {
	f := three(policy.Evict, 2, 3)
	f.drained().DrainedAt = time.Time{}
	f.plan.Policy.EvictBatch = 1
	for _, name := range []string{"a", "b"} {
		f.s.Pods = append(f.s.Pods, cluster.Pod{Ref: cluster.PodRef{Namespace: "d", Name: name, UID: cluster.UID(name)}, Node: ref(1).Name, Owner: cluster.OwnerOther})
	}
	first := wantAct(t, f.next(), decide.EvictPods).Pods[0].Name
	f.mem.Refusals, f.mem.RefusedAt, f.mem.Refusal = 1, f.now, "a budget says no"
	if w := wantWait(t, f.next(), decide.Drain); !w.Until.After(f.now) || w.Left[0] != "a budget says no" {
		t.Errorf("%+v", w)
	}
	f.mem.Asked = time.Minute
	f.pass(2 * time.Second)
	w := wantWait(t, f.next(), decide.Drain)
	if asked := w.Until.Sub(f.mem.RefusedAt); asked < time.Minute || asked > 75*time.Second {
		t.Errorf("the server asked to be left alone for a minute, and is until %s", w.Until)
	}
	f.plan.Run += "-other"
	if other := wantWait(t, f.next(), decide.Drain); other.Until.Equal(w.Until) {
		t.Errorf("two rolls that were refused together come back together, at %s", w.Until)
	}
	f.mem.Asked = 0
	if second := wantAct(t, f.next(), decide.EvictPods).Pods[0].Name; second == first {
		t.Error("one pod that is held keeps all others")
	}
}

func TestNext_ADrainEndsWhereTheNodeMayBeDeleted(t *testing.T) {
	f := three(policy.Evict, 2, 3)
	f.plan.Goal = decide.UntilDeletable
	f.drained()
	n := wantNote(t, f.next(), decide.LookTaken)
	f.mem.Looks[n.Gate] = *n.Look
	wantWait(t, f.next(), decide.MayDelete)
	f.pass(f.plan.Policy.LookInterval)
	n = wantNote(t, f.next(), decide.GatePassed)
	delete(f.mem.Looks, n.Gate)
	f.mem.Passed[n.Gate] = *n.Look
	d, ok := f.next().(decide.Done)
	if !ok || d.Deletable == nil || *d.Deletable != ref(1) {
		t.Fatalf("%+v", d)
	}
}

func TestNext_WaitsForAStoragesKindWhoseReadingFailed(t *testing.T) {
	f := three(policy.Refill, 1, 2, 3)
	f.drained()
	f.s.Gaps = []cluster.Gap{{Kind: "volumeattachments.x", Reason: cluster.GapFailed, OfStorage: true}}
	wantWait(t, f.next(), decide.Verify) // and wakes nothing by what it does not see
	f.s.Gaps[0].Reason = cluster.GapMissing
	wantAct(t, f.next(), decide.Wake)
	f.mem.Undo = []decide.Action{{Verb: decide.Sleep}}
	wantHalt(t, f.next(), decide.ExitUnknown) // what we hold would not be seen, and stay held
}

func TestNext_WaitsForAnyKindThatCouldNotBeReadForAMoment(t *testing.T) {
	for _, kind := range []string{"leases.coordination.k8s.io", "daemonsets.apps"} {
		for name, f := range map[string]*fixture{"before the turn": three(policy.Refill, 1, 2, 3), "after the drain": three(policy.Refill, 1, 2, 3)} {
			if name == "after the drain" {
				f.drained()
			}
			f.s.Gaps = []cluster.Gap{{Kind: kind, Reason: cluster.GapTruncated}}
			wantWait(t, f.next(), decide.Verify)
			f.s.Gaps[0].Reason = cluster.GapForbidden // what follows from it is for the rules to say
			if w, ok := f.next().(decide.Wait); ok && w.Phase == decide.Verify {
				t.Errorf("%s, %s: it waits for a right", kind, name)
			}
		}
	}
}

// What failed on the node by a drain that was taken back may be a last resort for
// good: only in use again is it rebuilt.
func TestNext_SaysHowWhatFailedBeforeTheDrainIsRebuilt(t *testing.T) {
	f := three(policy.Refill, 1, 2, 3)
	f.drained()
	f.volume().Want = 3
	f.volume().Replicas[0].Claim, f.volume().Replicas[0].FailedAt = cluster.Failed, noon.Add(-time.Hour)
	f.attach(2, cluster.Hold{})
	for range 3 {
		switch d := f.next().(type) {
		case decide.Remember:
			for _, uid := range d.Note.Replicas {
				f.mem.Turns[0].Proved[uid] = f.now
			}
		case decide.Wait:
			if d.Phase != decide.MayDelete || !strings.Contains(d.Stuck, "safe-roll abort") {
				t.Errorf("%+v", d)
			}
			return
		default:
			t.Fatalf("%+v", d)
		}
	}
	t.Error("it never waits")
}
