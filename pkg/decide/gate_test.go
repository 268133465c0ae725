// SPDX-License-Identifier: Apache-2.0

package decide_test

import (
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// atGate is a drained node whose first look agreed.
func atGate(t *testing.T) *fixture {
	t.Helper()
	f := three(policy.Evict, 2, 3)
	f.plan.Commands.DeleteNode = true
	f.drained()
	n := wantNote(t, f.next(), decide.LookTaken)
	f.mem.Looks[n.Gate] = *n.Look
	return f
}

func TestGate_NothingIrreversibleAfterOneLook(t *testing.T) {
	f := atGate(t)
	f.pass(f.plan.Policy.LookInterval - time.Second)
	w := wantWait(t, f.next(), decide.MayDelete)
	if !w.Fresh || !w.Until.Equal(noon.Add(f.plan.Policy.LookInterval)) {
		t.Errorf("%+v", w)
	}
}

func TestGate_ACachedLookDoesNotCount(t *testing.T) {
	f := atGate(t)
	f.pass(f.plan.Policy.LookInterval)
	f.s.Look.Fresh = false
	if w := wantWait(t, f.next(), decide.MayDelete); !w.Fresh {
		t.Errorf("%+v", w)
	}
}

func TestGate_TheSecondLookIsWaitedForByTheClustersClock(t *testing.T) {
	for _, skew := range []time.Duration{-20 * time.Minute, 20 * time.Minute} {
		f := atGate(t)
		f.now = f.now.Add(skew) // the cluster's; the looks are timed by ours
		f.s.Look.Skew = skew
		for i := range f.s.Nodes {
			f.s.Nodes[i].LeaseRenewed = f.now
		}
		w := wantWait(t, f.next(), decide.MayDelete)
		if d := w.Until.Sub(f.now); d != f.plan.Policy.LookInterval {
			t.Errorf("with a skew of %s it waits for %s", skew, d)
		}
	}
}

func TestGate_AnEventBeforeTheSecondLookIsLookedAtCheaply(t *testing.T) {
	f := atGate(t)
	f.pass(time.Second)
	f.s.Look.Fresh = false
	if w := wantWait(t, f.next(), decide.MayDelete); !w.Until.Equal(noon.Add(f.plan.Policy.LookInterval)) {
		t.Errorf("everything is read anew at %s, at every event", w.Until)
	}
}

func TestGate_ALookThatBeganTooEarlyDoesNotCount(t *testing.T) {
	f := atGate(t)
	f.pass(f.plan.Policy.LookInterval)
	f.s.Look.Began = noon.Add(time.Second)
	wantWait(t, f.next(), decide.MayDelete)
}

func TestGate_ANodeThatDidNotRenewItsLeaseIsNotReliedUpon(t *testing.T) {
	f := atGate(t)
	f.plan.Policy.LookInterval = time.Second
	f.pass(2 * time.Second)
	f.s.Nodes[1].LeaseRenewed = noon
	wantWait(t, f.next(), decide.MayDelete)
	f.look()
	f.s.Nodes[0].LeaseRenewed = noon // the leaving one is not relied upon
	wantNote(t, f.next(), decide.GatePassed)
}

func TestGate_AnyChangeVoidsTheLook(t *testing.T) {
	for name, change := range map[string]func(*fixture){
		"a new volume appears":          func(f *fixture) { f.addVolume("w", 2, 3) },
		"a replica moves":               func(f *fixture) { f.volume().Replicas[0].UID = "another" },
		"a replica appears on the node": func(f *fixture) { f.addVolume("w", 1, 2) },
		"a setting changes":             func(f *fixture) { f.storage().Settings = []cluster.Fact{{Name: "s", Value: "x"}} },
		"another node is another machine": func(f *fixture) {
			f.s.Nodes[2].Ref.UID = "another"
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := atGate(t)
			f.pass(f.plan.Policy.LookInterval)
			change(f)
			d := f.next()
			if a, ok := d.(decide.Act); ok && a.Action.Irreversible() {
				t.Fatalf("acted: %+v", a)
			}
			if r, ok := d.(decide.Remember); ok && r.Note.Kind == decide.GatePassed {
				t.Fatal("passed")
			}
		})
	}
}

func TestGate_APassedGateIsVoidedByAChangeToo(t *testing.T) {
	f := atGate(t)
	f.pass(f.plan.Policy.LookInterval)
	n := wantNote(t, f.next(), decide.GatePassed)
	f.mem.Passed[n.Gate] = *n.Look
	delete(f.mem.Looks, n.Gate)
	if a := wantAct(t, f.next(), decide.DeleteNode); a.Node != ref(1) {
		t.Errorf("%+v", a)
	}
	f.volume().Replicas[0].UID = "another"
	wantNote(t, f.next(), decide.LookVoided)
}

// Whoever was told that the node may go takes it away while the machine changes: a
// look that is void by that does not say that it may not.
func TestGate_AVoidLookTellsWhetherItStillHolds(t *testing.T) {
	f := three(policy.Evict, 2, 3)
	turn := f.drained()
	f.passGate(t)
	f.storage().Settings = []cluster.Fact{{Name: "a", Value: "changed"}}
	if n := wantNote(t, f.next(), decide.LookVoided); !n.Holds {
		t.Errorf("%+v", n)
	}
	f.s.Attachments = []cluster.Attachment{{Name: "a", Driver: driver, PV: "v", Node: ref(1).Name}}
	if n := wantNote(t, f.next(), decide.LookVoided); n.Holds {
		t.Errorf("%+v", n)
	}
	// After a restart no look is left, and it was permitted all the same.
	clear(f.mem.Passed)
	turn.Permitted = true
	if n := wantNote(t, f.next(), decide.LookVoided); n.Holds || n.Gate != decide.GateDelete {
		t.Errorf("%+v", n)
	}
	turn.Permitted = false
	wantWait(t, f.next(), decide.MayDelete)
}
