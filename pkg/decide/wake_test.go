// SPDX-License-Identifier: Apache-2.0

package decide_test

import (
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// opens reports whether the decision has the storage open or rebuild a volume.
func opens(d decide.Decision) bool {
	a, ok := d.(decide.Act)
	return ok && (a.Action.Verb == decide.Wake || a.Action.Verb == decide.SetAside)
}

func TestWake_OnlyWhatSleepsAndIsSafeToOpen(t *testing.T) {
	for name, c := range map[string]struct {
		bend func(*fixture, *cluster.Volume)
		want bool
	}{
		"it sleeps":                     {func(*fixture, *cluster.Volume) {}, true},
		"it is on its way to be served": {func(_ *fixture, v *cluster.Volume) { v.State = cluster.Attaching }, false},
		"somebody holds it": {func(_ *fixture, v *cluster.Volume) {
			v.Holds = []cluster.Hold{{ID: "x", Kind: cluster.HoldOther, Node: ref(2).Name}}
		}, false},
		"a workload wants it": {func(f *fixture, v *cluster.Volume) {
			f.s.Attachments = []cluster.Attachment{{Driver: driver, PV: v.Name, Node: ref(2).Name}}
		}, false},
		"a workload wanted it": {func(f *fixture, v *cluster.Volume) {
			f.s.Attachments = []cluster.Attachment{{Driver: driver, PV: v.Name, Node: ref(2).Name, Deleting: true}}
		}, true},
		"another driver's workload": {func(f *fixture, v *cluster.Volume) {
			f.s.Attachments = []cluster.Attachment{{Driver: "x", PV: v.Name, Node: ref(2).Name}}
		}, true},
		"it is being changed":             {func(_ *fixture, v *cluster.Volume) { v.Busy = []string{"expanding"} }, false},
		"it is of another kind":           {func(_ *fixture, v *cluster.Volume) { v.Class = cluster.ClassLinkedClone }, false},
		"all that it has is to be moved":  {func(_ *fixture, v *cluster.Volume) { v.Replicas[0].Leaving, v.Replicas[1].Leaving = true, true }, false},
		"a replica of an earlier machine": {func(_ *fixture, v *cluster.Volume) { v.Replicas[1].DiskUUID = "earlier" }, false},
		"it is failed, the storage knows": {func(_ *fixture, v *cluster.Volume) {
			v.Replicas[1].DiskUUID, v.Replicas[1].Claim = "earlier", cluster.Failed
		}, true},
		"a replica of no machine": {func(_ *fixture, v *cluster.Volume) { v.Replicas[1].Node, v.Replicas[1].DiskUUID = "worker-9", "disk9" }, true},
		"which the storage still counts on": {func(f *fixture, v *cluster.Volume) {
			v.Replicas[1].Node, v.Replicas[1].DiskUUID = "worker-9", "disk9"
			f.storage().Nodes = append(f.storage().Nodes, cluster.StorageNode{Name: "worker-9", UID: "s9", Ready: cluster.Yes})
		}, false},
		"or of which it is not sure": {func(f *fixture, v *cluster.Volume) {
			v.Replicas[1].Node, v.Replicas[1].DiskUUID = "worker-9", "disk9"
			f.storage().Nodes = append(f.storage().Nodes, cluster.StorageNode{Name: "worker-9", UID: "s9"})
		}, false},
	} {
		for _, offline := range []bool{false, true} {
			f := short()
			if offline {
				f.volume().SelfRebuild = &cluster.Knob{Name: "offline", UID: "v-v", Value: "ignored", Aside: "enabled"}
			}
			c.bend(f, f.volume())
			if d := f.next(); opens(d) != c.want {
				t.Errorf("%s, rebuilt asleep %t: %T %+v", name, offline, d, d)
			}
		}
	}
}

func TestWake_OnANodeThatStaysAndServes(t *testing.T) {
	for name, bend := range map[string]func(*cluster.Node, *cluster.StorageNode){
		"it is not live":              func(n *cluster.Node, _ *cluster.StorageNode) { n.Ready = cluster.Unknown },
		"it is cordoned":              func(n *cluster.Node, _ *cluster.StorageNode) { n.Cordoned = true },
		"it is being deleted":         func(n *cluster.Node, _ *cluster.StorageNode) { n.Deleting = true },
		"its storage is not ready":    func(_ *cluster.Node, sn *cluster.StorageNode) { sn.Ready = cluster.Unknown },
		"its storage is deleted":      func(_ *cluster.Node, sn *cluster.StorageNode) { sn.Deleting = true },
		"its data plane does not run": func(_ *cluster.Node, sn *cluster.StorageNode) { sn.Serving = cluster.No },
	} {
		f := short()
		f.volume().Replicas[0].Claim = cluster.Failed // worker-2 is of no use, worker-3 has the data
		f.volume().Replicas[0].FailedAt = noon
		bend(&f.s.Nodes[1], &f.storage().Nodes[1])
		if a, ok := f.next().(decide.Act); ok && a.Action.Verb == decide.Wake && a.Action.HoldNode == ref(3).Name {
			t.Errorf("%s: %+v", name, a.Action)
		}
	}
}

func TestWake_NeverOnTheNodeThatIsToGo(t *testing.T) {
	f := three(policy.Evict, 2, 3)
	f.opened()
	f.volume().Want = 3
	f.storage().Nodes[0].Placement = cluster.Placement{Evacuate: true}
	if a := wantAct(t, f.next(), decide.Wake); a.HoldNode != ref(2).Name {
		t.Errorf("%+v", a)
	}
	f.s.Nodes[1].Cordoned, f.s.Nodes[2].Cordoned = true, true
	if d := f.next(); opens(d) {
		t.Errorf("%+v", d)
	}
}

func TestYield_BeforeATurnAndWhateverMayGo(t *testing.T) {
	for name, bend := range map[string]func(*fixture){
		"a workload wants it": func(f *fixture) {
			f.volume().Holds = append(f.volume().Holds, cluster.Hold{ID: "pod", Kind: cluster.HoldWorkload, Node: ref(3).Name})
		},
		"its node is cordoned":   func(f *fixture) { f.s.Nodes[1].Cordoned = true },
		"its node is not ready":  func(f *fixture) { f.s.Nodes[1].Ready = cluster.No },
		"its node is not there ": func(f *fixture) { f.volume().Holds[0].Node = "worker-9" },
	} {
		f := three(policy.Evict, 1, 2, 3)
		f.attach(2, ourHold)
		f.volume().Replicas[0].Claim, f.volume().Replicas[2].Claim = cluster.Failed, cluster.Rebuilding
		if w := wantWait(t, f.next(), decide.Heal); len(w.Left) != 1 {
			t.Fatalf("%+v", w)
		}
		bend(f)
		a, ok := f.next().(decide.Act)
		if !ok || a.Phase != decide.Undo || a.Action.Verb != decide.Sleep {
			t.Errorf("%s: %+v", name, f.next())
		}
	}
}

func TestHeal_NoTurnOpensBeforeWhatWasWokenSleeps(t *testing.T) {
	f := three(policy.Evict, 1, 2)
	f.attach(2, cluster.Hold{})
	f.volume().Replicas[0].Claim, f.volume().Holds = cluster.Serving, nil
	wantWait(t, f.next(), decide.Heal)
}

func TestWake_WhatNeverHeldAnythingOnlyWhereAllOfItIs(t *testing.T) {
	f, turn := gone()
	f.volume().Replicas, f.volume().Want = f.volume().Replicas[1:], 2
	f.addVolume("new", 2, 3)
	fresh := &f.storage().Volumes[1]
	fresh.Want, fresh.Touched, fresh.Engine.Ever = 3, false, cluster.No
	for i := range fresh.Replicas {
		fresh.Replicas[i].Claim, fresh.Replicas[i].HealthyAt = cluster.Untouched, time.Time{}
	}
	f.addNode(cluster.NodeRef{Name: "new", UID: "new"}, "newdisk")
	turn.Joined = cluster.NodeRef{Name: "new", UID: "new"}
	f.look()
	if a := wantAct(t, f.next(), decide.Wake); a.Volume.Name != "new" {
		t.Errorf("%+v", a)
	}
	fresh.Replicas[1].Node = "worker-9"
	if d := f.next(); opens(d) {
		t.Errorf("%+v", d)
	}
}

// TestRefill_TheStorageIsTrustedOnlyWithWhatIsPlainlyShort: what cannot be told
// of a volume shows when it is opened.
func TestRefill_TheStorageIsTrustedOnlyWithWhatIsPlainlyShort(t *testing.T) {
	f := short()
	f.volume().SelfRebuild = &cluster.Knob{Name: "offline", UID: "v-v", Value: "ignored", Aside: "enabled"}
	f.volume().Base = "an image that is not listed"
	wantAct(t, f.next(), decide.Wake)
}

func TestSetAside_EachKnobOfEachObjectByItself(t *testing.T) {
	f := short()
	knob := decide.ObjectRef{Name: "offline", UID: "v-v"}
	volume := decide.ObjectRef{Name: "v", UID: "v-v"}
	f.volume().SelfRebuild = &cluster.Knob{Name: knob.Name, UID: knob.UID, Value: "ignored", Aside: "enabled"}
	f.mem.Undo = []decide.Action{
		{Verb: decide.PutBack, Volume: decide.ObjectRef{Name: "w", UID: "v-w"}, Knob: knob},
		{Verb: decide.PutBack, Volume: volume, Knob: decide.ObjectRef{Name: "another", UID: "v-v"}},
		{Verb: decide.Sleep, Volume: volume, Knob: knob},
	}
	wantAct(t, f.next(), decide.SetAside)
}

func TestSetAside_NotWhatIsSoAlready(t *testing.T) {
	f := three(policy.Evict, 1, 2)
	f.plan.Policy.NoReplenishWait = true
	f.storage().HoldBack = &cluster.Knob{Name: "wait", UID: "w", Value: "0", Aside: "0"}
	wantNote(t, f.next(), decide.TurnOpened)
}

func TestTakeBack_AHoldNeverStays(t *testing.T) {
	m := decide.Memory{Undo: []decide.Action{{Verb: decide.Uncordon}, {Verb: decide.Sleep}, {Verb: decide.PutBack}}}
	if got := decide.TakeBack(m, decide.StopInterrupted); len(got) != 2 || got[0].Verb != decide.Sleep || got[1].Verb != decide.PutBack {
		t.Errorf("%+v", got)
	}
	if got := decide.TakeBack(m, decide.StopRefused); len(got) != 3 {
		t.Errorf("%+v", got)
	}
}

// What is started without its directory is blank, and no object shows it later.
func TestWake_DirectoriesAreLookedIntoRightBefore(t *testing.T) {
	for _, offline := range []bool{false, true} {
		for name, c := range map[string]struct {
			probe bool
			looks []time.Duration // how long ago, of each replica; none for never
			fresh bool
		}{
			"it was not asked for":    {false, nil, false},
			"nobody has looked":       {true, nil, true},
			"a moment ago":            {true, []time.Duration{time.Second, 10 * time.Second}, false},
			"one of them a while ago": {true, []time.Duration{time.Second, time.Minute}, true},
			"into one of them":        {true, []time.Duration{time.Second}, true},
		} {
			f := short()
			if offline {
				f.volume().SelfRebuild = &cluster.Knob{Name: "offline", UID: "v-v", Value: "ignored", Aside: "enabled"}
			}
			f.plan.Probe = c.probe
			for i, ago := range c.looks {
				r := &f.volume().Replicas[i]
				r.Probe = &cluster.Probe{Seen: cluster.SeenData, At: f.now.Add(-ago), Node: f.s.Node(r.Node).Ref}
			}
			d := f.next()
			if a, ok := d.(decide.Act); !ok || !opens(d) || a.Fresh != c.fresh {
				t.Errorf("%s, rebuilt asleep %t: %T %+v", name, offline, d, d)
			}
		}
	}
}

func TestEvict_DirectoriesAreLookedIntoRightBefore(t *testing.T) {
	for _, probe := range []bool{false, true} {
		f := three(policy.Evict, 2, 3)
		f.opened()
		f.plan.Probe = probe
		a, ok := f.next().(decide.Act)
		if !ok || a.Action.Verb != decide.Place || !a.Action.To.Evacuate || a.Fresh != probe {
			t.Errorf("probe %t: %+v", probe, f.next())
		}
	}
}

// What came to rest since the last look is looked into while it is waited for.
func TestRebuild_LooksAgainIntoWhatNobodyHasSeen(t *testing.T) {
	for name, c := range map[string]struct {
		probe bool
		bend  func(*fixture, *cluster.Replica)
		fresh bool
	}{
		"it was not asked for": {false, func(*fixture, *cluster.Replica) {}, false},
		"nobody has looked":    {true, func(*fixture, *cluster.Replica) {}, true},
		"nobody answered": {true, func(f *fixture, r *cluster.Replica) {
			r.Probe = &cluster.Probe{At: f.now, Node: f.s.Node(r.Node).Ref}
		}, true},
		"it was seen": {true, func(f *fixture, r *cluster.Replica) {
			r.Probe = &cluster.Probe{Seen: cluster.SeenBroken, At: f.now, Node: f.s.Node(r.Node).Ref}
		}, false},
		"its machine is not live": {true, func(f *fixture, r *cluster.Replica) { f.s.Node(r.Node).Ready = cluster.Unknown }, false},
	} {
		f := short()
		r := &f.volume().Replicas[1]
		f.s.Node(r.Node).Created = f.now.Add(-time.Minute) // younger than its data
		f.plan.Probe = c.probe
		c.bend(f, r)
		w, ok := f.next().(decide.Wait)
		if !ok || w.Fresh != c.fresh || c.fresh && !w.Until.After(f.now) {
			t.Errorf("%s: %T %+v", name, f.next(), w)
		}
	}
}

// Events in between do not put the next look off.
func TestRebuild_TheNextLookIntoDirectoriesComes(t *testing.T) {
	f := short()
	f.s.Node(f.volume().Replicas[1].Node).Created = f.now.Add(-time.Minute)
	f.plan.Probe = true
	f.s.Look = cluster.Look{Began: f.now, Ended: f.now}
	first := f.next().(decide.Wait).Until
	for range 3 {
		f.now = f.now.Add(20 * time.Second)
		for i := range f.s.Nodes {
			f.s.Nodes[i].LeaseRenewed = f.now
		}
		if w, ok := f.next().(decide.Wait); !ok || !w.Fresh || !w.Until.Equal(first) {
			t.Fatalf("%T, fresh %t, until %s and not %s", f.next(), w.Fresh, w.Until, first)
		}
	}
}
