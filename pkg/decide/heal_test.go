// SPDX-License-Identifier: Apache-2.0

package decide_test

import (
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// afterAnImpatientOperator is a cluster before its first turn in which the
// machine of worker-3, with a replica of every volume, was replaced by hand by
// another one of a new name.
func afterAnImpatientOperator() *fixture {
	f := three(policy.Evict, 1, 3)
	f.removeNode(3)
	f.addNode(cluster.NodeRef{Name: "worker-3-b", UID: "n3b"}, "disk3b")
	f.look()
	return f
}

func TestHeal_WakesProvesPrunesAndRebuildsWhatAnotherHandLeftShort(t *testing.T) {
	f := afterAnImpatientOperator()
	if a := wantAct(t, f.next(), decide.Wake); a.HoldNode != ref(1).Name {
		t.Errorf("woken on %s, where no good replica is", a.HoldNode)
	}
	v := f.volume()
	v.State, v.Holds = cluster.Attached, []cluster.Hold{{ID: "safe-roll-r", Kind: cluster.HoldOurs, Node: ref(1).Name}}
	v.Engine.Running, v.Engine.Node, v.Engine.Owner = cluster.Yes, ref(1).Name, ref(1).Name
	v.Replicas[0].Claim = cluster.Serving
	v.Replicas[1].Claim, v.Replicas[1].FailedAt = cluster.Failed, f.now
	f.passGate(t)
	if a := wantAct(t, f.next(), decide.Prune); a.Replica.UID != "v-r3" {
		t.Errorf("%+v", a)
	}
	v.Replicas = v.Replicas[:1]
	wantWait(t, f.next(), decide.Heal)
	v.Replicas = append(v.Replicas, cluster.Replica{
		Name: "new", UID: "new", Claim: cluster.Serving, Node: "worker-3-b", Owner: "worker-3-b",
		DiskUUID: "disk3b", DiskPath: "/d", HealthyAt: f.now,
	})
	wantAct(t, f.next(), decide.Sleep)
	v.Holds, v.State = nil, cluster.Detached
	v.Engine.Running, v.Engine.Node = cluster.No, ""
	v.Replicas[0].Claim, v.Replicas[1].Claim = cluster.Idle, cluster.Idle
	wantNote(t, f.next(), decide.TurnOpened)
}

func TestHeal_APhantomOfAWholeVolumeGoesToo(t *testing.T) {
	f := three(policy.Evict, 1, 2)
	phantom := f.volume().Replicas[1]
	phantom.Name, phantom.UID, phantom.Node, phantom.DiskUUID = "ghost", "ghost", "worker-9", "disk9"
	f.volume().Replicas = append(f.volume().Replicas, phantom)
	wantAct(t, f.next(), decide.Wake) // nothing is proven while it sleeps
	f.attach(2, ourHold)
	f.volume().Replicas[0].Claim = cluster.Serving
	f.volume().Replicas[2].Claim = cluster.Idle // the storage still counts it
	f.passGate(t)
	if a := wantAct(t, f.next(), decide.Prune); a.Replica.UID != "ghost" {
		t.Errorf("%+v", a)
	}
	f.volume().Replicas = f.volume().Replicas[:2]
	wantAct(t, f.next(), decide.Sleep)
}

func TestHeal_NeverWakesWhileTheStorageStillKnowsTheMachine(t *testing.T) {
	f := afterAnImpatientOperator()
	ghost := f.storage().Nodes[0]
	ghost.Name, ghost.UID = ref(3).Name, "sn3" // it has not noticed yet
	f.storage().Nodes = append(f.storage().Nodes, ghost)
	wantWait(t, f.next(), decide.Heal)
	f.storage().Nodes[len(f.storage().Nodes)-1].Ready = cluster.No
	wantAct(t, f.next(), decide.Wake)
}

func TestHeal_APhantomOfALiveNameNeedsAProbe(t *testing.T) {
	f := three(policy.Evict, 1, 3)
	f.volume().Replicas[1].DiskUUID = "of an earlier machine"
	h := wantHalt(t, f.next(), decide.ExitUnsafe)
	if !has(h.Findings, decide.CodeNeedsProbe) {
		t.Errorf("%+v", h.Findings)
	}
	look := &cluster.Probe{Seen: cluster.SeenReplaced, Node: ref(3), At: f.now}
	f.volume().Replicas[1].Probe = look
	if fs := decide.Incurable(f.judge()); len(fs) > 0 {
		t.Errorf("refused though a probe showed that it is gone: %+v", fs)
	}
	for name, spoil := range map[string]func(){
		"nobody answered":          func() { look.Seen = cluster.SeenNoAnswer },
		"something is there":       func() { look.Seen = cluster.SeenBroken },
		"another disk may hold it": func() { look.Seen = cluster.SeenOtherDisk },
		"another machine answered": func() { look.Seen, look.Node.UID = cluster.SeenNothing, "n0" },
	} {
		spoil()
		if fs := decide.Incurable(f.judge()); !has(fs, decide.CodeNeedsProbe) {
			t.Errorf("%s: %+v", name, fs)
		}
	}
}

func TestHeal_AFailedReplicaThatIsProvenGoneGivesItsPlaceUp(t *testing.T) {
	f := three(policy.Evict, 1, 2, 3)
	f.volume().Want = 2
	r := &f.volume().Replicas[2]
	r.DiskUUID, r.Claim, r.FailedAt = "of an earlier machine", cluster.Failed, noon
	f.attach(2, cluster.Hold{Kind: cluster.HoldWorkload, Node: ref(2).Name})
	f.volume().Replicas[0].Claim = cluster.Serving
	wantNote(t, f.next(), decide.TurnOpened)
	r.Probe = &cluster.Probe{Seen: cluster.SeenReplaced, Node: ref(3), At: f.now}
	f.passGate(t)
	if a := wantAct(t, f.next(), decide.Prune); a.Replica.UID != r.UID {
		t.Errorf("%+v", a)
	}
}

func TestHeal_WhatIsLostIsAHardStopAndNothingIsTouched(t *testing.T) {
	f := afterAnImpatientOperator()
	f.addVolume("lost", 3)
	f.volume().Replicas[1].Claim = cluster.Failed // to be healed, were it not for the other
	h := wantHalt(t, f.next(), decide.ExitUnsafe)
	if !has(h.Findings, assess.VolumeDataLost) {
		t.Errorf("%+v", h.Findings)
	}
	if fs := decide.Incurable(f.judge()); !has(fs, assess.VolumeDataLost) || has(fs, assess.VolumeDegraded) {
		t.Errorf("%+v", fs)
	}
}

func TestHeal_ALossThatWasAcceptedByNameIsNoObstacle(t *testing.T) {
	f := afterAnImpatientOperator()
	f.addVolume("lost", 3)
	f.plan.Policy.Accepted = []policy.Risk{{Code: assess.VolumeAlreadyLost, Name: "lost"}}
	if fs := decide.Incurable(f.judge()); has(fs, assess.VolumeDataLost) || has(fs, assess.VolumeAlreadyLost) {
		t.Errorf("%+v", fs)
	}
	if a := wantAct(t, f.next(), decide.Wake); a.Volume.Name != "v" {
		t.Errorf("%+v", a)
	}
	f.plan.Policy.Accepted[0].Name = "another"
	if fs := decide.Incurable(f.judge()); !has(fs, assess.VolumeDataLost) {
		t.Errorf("%+v", fs)
	}
}

func TestHeal_WithFewerNodesThanReplicasNothingCanBeMended(t *testing.T) {
	f := three(policy.Evict, 1, 2, 3)
	f.removeNode(3)
	f.look()
	h := wantHalt(t, f.next(), decide.ExitUnsafe)
	if !has(h.Findings, decide.CodeNoPlace) {
		t.Errorf("%+v", h.Findings)
	}
	f.addNode(cluster.NodeRef{Name: "worker-4", UID: "n4"}, "disk4")
	f.look()
	wantAct(t, f.next(), decide.Wake)
}

func TestHeal_WaitsForWhatTheStorageMendsByItself(t *testing.T) {
	for name, ail := range map[string]func(*cluster.Volume){
		"a replica is being written": func(v *cluster.Volume) { v.Replicas[1].Claim = cluster.Rebuilding },
		"it is being restored":       func(v *cluster.Volume) { v.Busy = []string{"restoring"} },
		"its engine went with a machine": func(v *cluster.Volume) {
			v.Engine.Running = cluster.Unknown
			v.Replicas[0].Claim, v.Replicas[1].Claim = cluster.ClaimUnknown, cluster.Failed
		},
		"its engine went with a machine whose name is there again": func(v *cluster.Volume) {
			v.Engine.Running = cluster.Unknown
			v.Replicas[0].Claim, v.Replicas[1].Claim = cluster.ClaimUnknown, cluster.ClaimUnknown
			v.Replicas[1].DiskUUID = "of an earlier machine"
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := three(policy.Evict, 1, 2)
			f.attach(2, cluster.Hold{ID: "pod", Kind: cluster.HoldWorkload, Node: ref(2).Name})
			f.volume().Replicas[0].Claim = cluster.Serving
			ail(f.volume())
			if fs := decide.Incurable(f.judge()); len(fs) > 0 {
				t.Errorf("refused: %+v", fs)
			}
			wantWait(t, f.next(), decide.Heal)
		})
	}
}

func TestHeal_WhatCannotBeToldAndDoesNotSettleRefuses(t *testing.T) {
	f := three(policy.Evict, 1, 2)
	f.volume().Replicas[1].Claim = cluster.ClaimUnknown
	if fs := decide.Incurable(f.judge()); len(fs) == 0 {
		t.Error("a replica of which nothing is known is waited for though nothing moves")
	}
	f.volume().State = cluster.Detaching
	if fs := decide.Incurable(f.judge()); len(fs) > 0 {
		t.Errorf("%+v", fs)
	}
}

func TestHeal_NoTurnOpensWhileDataAreOnTheMove(t *testing.T) {
	f := three(policy.Evict, 1, 2)
	f.addVolume("moving", 2, 3)
	f.storage().Volumes[1].Replicas[0].Leaving = true
	w := wantWait(t, f.next(), decide.Verify)
	if len(w.Left) != 1 {
		t.Errorf("%+v", w)
	}
	f.storage().Volumes[1].Replicas[0].Leaving = false
	f.pass(time.Second)
	wantNote(t, f.next(), decide.TurnOpened)
}

// TestIncurable_NothingIsPromisedOfWhatNobodyCanJudge: a volume that a roll is
// said to mend has its findings left out.
func TestIncurable_NothingIsPromisedOfWhatNobodyCanJudge(t *testing.T) {
	for name, c := range map[string]struct {
		bend    func(*fixture, *cluster.Volume)
		promise bool
	}{
		"a replica has failed":     {func(*fixture, *cluster.Volume) {}, true},
		"it is of another kind":    {func(_ *fixture, v *cluster.Volume) { v.Class = cluster.ClassLinkedClone }, false},
		"it has no engine":         {func(_ *fixture, v *cluster.Volume) { v.Engine.Present = cluster.No }, false},
		"a replica is not proven":  {func(f *fixture, _ *cluster.Volume) { f.s.Nodes[1].Created = noon.Add(-time.Minute) }, false},
		"nothing is known of one":  {func(_ *fixture, v *cluster.Volume) { v.Replicas[1].Claim = cluster.ClaimUnknown }, false},
		"what is left is moved":    {func(_ *fixture, v *cluster.Volume) { v.Replicas[0].Leaving, v.Replicas[1].Leaving = true, true }, false},
		"no other node is live":    {func(f *fixture, _ *cluster.Volume) { f.s.Nodes[2].Ready = cluster.No }, false},
		"the other is cordoned":    {func(f *fixture, _ *cluster.Volume) { f.s.Nodes[2].Cordoned = true }, false},
		"its storage is not ready": {func(f *fixture, _ *cluster.Volume) { f.storage().Nodes[2].Ready = cluster.Unknown }, false},
		"it accepts nothing":       {func(f *fixture, _ *cluster.Volume) { f.storage().Nodes[2].Placement.Accept = false }, false},
		"replicas may share a node": {func(f *fixture, v *cluster.Volume) {
			v.SharesNode = cluster.Yes
			f.storage().Nodes[2].Placement.Accept = false
		}, true},
		"it is whole on two of two": {func(f *fixture, v *cluster.Volume) { f.storage().Nodes[2].Placement.Accept = false; v.Want = 2 }, false},
	} {
		f := three(policy.Evict, 1, 2, 3)
		f.attach(2, cluster.Hold{ID: "pod", Kind: cluster.HoldWorkload, Node: ref(2).Name})
		v := f.volume()
		v.Replicas[0].Claim, v.Replicas[2].Claim = cluster.Serving, cluster.Failed
		c.bend(f, v)
		if got := decide.Mendable(f.judge())["v"]; got != c.promise {
			t.Errorf("%s: it is promised: %t", name, got)
		}
	}
}

func TestIncurable_AFindingOfSomethingElseOfThatNameStays(t *testing.T) {
	f := three(policy.Evict, 1, 2, 3)
	f.attach(2, cluster.Hold{ID: "pod", Kind: cluster.HoldWorkload, Node: ref(2).Name})
	f.volume().Replicas[0].Claim, f.volume().Replicas[2].Claim = cluster.Serving, cluster.Failed
	j := f.judge()
	j.Findings = append(j.Findings, assess.Finding{Code: "odd/thing", Severity: assess.Danger, Subject: assess.Subject{Kind: "Node", Name: "v"}})
	if fs := decide.Incurable(j); len(fs) != 1 || fs[0].Code != "odd/thing" {
		t.Errorf("%+v", fs)
	}
}

// TestVerify_NoTurnOpensOnAFindingThatIsNoVolumes: healing looks at volumes alone.
func TestVerify_NoTurnOpensOnAFindingThatIsNoVolumes(t *testing.T) {
	f := three(policy.Evict, 1, 2)
	f.s.Persistent = append(f.s.Persistent, cluster.PersistentVolume{Name: "x", UID: "x", Driver: driver, Handle: "gone", Bound: true})
	if w := wantWait(t, f.next(), decide.Verify); len(w.Left) != 1 {
		t.Errorf("%+v", w)
	}
}

func has(fs []assess.Finding, code string) bool {
	for _, f := range fs {
		if f.Code == code {
			return true
		}
	}
	return false
}

// In a turn nothing that sleeps is mended: where somebody else takes a node with its
// replicas then, the way on is to give the turn up, and heal.
func TestHeal_WhatOthersTakeInATurnIsMendedByANewRoll(t *testing.T) {
	f := three(policy.Refill, 1, 2, 3)
	f.opened()
	f.look()
	wantAct(t, f.next(), decide.Place)
	f.storage().Nodes[0].Placement.Accept = false
	f.volume().Replicas[1].Claim, f.volume().Replicas[1].FailedAt = cluster.Failed, f.now
	f.look()
	if w := wantWait(t, f.next(), decide.CordonIt); !strings.Contains(w.Stuck, "safe-roll abort puts worker-1 back to use") {
		t.Errorf("where it does not come: %s", w.Stuck)
	}
	f.volume().Replicas[1].Claim = cluster.ClaimUnknown // what nobody can mend
	f.look()
	if w := wantWait(t, f.next(), decide.CordonIt); strings.Contains(w.Stuck, "abort") {
		t.Errorf("nothing can be mended, and yet: %s", w.Stuck)
	}
}
