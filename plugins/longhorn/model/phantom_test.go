// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// replace gives a machine a new life with an empty disk.
func (w *world) replace(old, fresh string) {
	w.t.Helper()
	w.remove(old)
	w.run(30 * time.Second)
	w.join(fresh, w.disks.Blank(20*gib))
	w.until(fresh+" joined", time.Minute, func() bool {
		im := w.manager(fresh)
		return im != nil && im.Status.CurrentState == longhorn.InstanceManagerStateRunning
	})
	w.run(30 * time.Second)
}

// settle waits, as the operator in the incident did, until what is attached is
// healthy.
func (w *world) settle() {
	w.t.Helper()
	w.until("all attached volumes healthy", 20*time.Minute, func() bool {
		for _, o := range w.list(model.Volumes) {
			if v := o.(*longhorn.Volume); v.Status.State != longhorn.VolumeStateDetached && w.state(v.Name) != "attached/healthy" {
				return false
			}
		}
		return true
	})
}

func TestIncident_ReplacingNodesUnderTheirNamesLosesDetachedDataWhileAllObjectsLookFine(t *testing.T) {
	nodes := []string{"worker-1", "worker-2", "worker-3"}
	w := newWorld(t, model.V181(), nodes...)
	var idle []string
	for i := range 9 {
		name := fmt.Sprintf("idle-%d", i)
		w.filled(name, 2)
		idle = append(idle, name)
	}
	w.create("busy", 2)
	w.attach("busy", "worker-1")
	w.write("busy")

	for round, n := range nodes {
		if w.volume("busy").Status.CurrentNodeID == n {
			w.untick("busy", "csi")
			w.until("busy left", time.Minute, func() bool { return w.volume("busy").Status.State == longhorn.VolumeStateDetached })
			w.ticket("busy", "csi", nodes[(round+1)%3], longhorn.AttacherTypeCSIAttacher)
		}
		if !w.drain(n) {
			t.Fatalf("round %d: the drain of %s was blocked: %s", round+1, n, w.m.WhyBudget(w.manager(n).Name))
		}
		w.replace(n, n)
		w.settle()
	}
	for _, v := range idle {
		if got := w.copies(v); got != 0 {
			t.Errorf("%s has %d copies left; the incident left none", v, got)
		}
		if s := w.volume(v); w.state(v) != "detached/unknown" || len(s.Status.Conditions) == 0 {
			t.Errorf("%s: %s", v, w.state(v))
		}
		for _, c := range w.volume(v).Status.Conditions {
			if c.Type == longhorn.VolumeConditionTypeScheduled && c.Status != longhorn.ConditionStatusTrue {
				t.Errorf("%s: Scheduled is %s", v, c.Status)
			}
		}
		for _, r := range w.replicas(v) {
			if r.Spec.FailedAt != "" || r.Spec.HealthyAt == "" {
				t.Errorf("%s says failedAt %q, healthyAt %q: it would give the loss away", r.Name, r.Spec.FailedAt, r.Spec.HealthyAt)
			}
		}
	}
	if got := w.copies("busy"); got != 2 {
		t.Errorf("the attached volume has %d copies, want 2", got)
	}
	for _, n := range nodes {
		for _, c := range w.node(n).Status.Conditions {
			if c.Status != longhorn.ConditionStatusTrue {
				t.Errorf("node %s: %s is %s", n, c.Type, c.Status)
			}
		}
	}
	if got := len(w.m.Budgets()); got != 3 {
		t.Errorf("%d disruption budgets, want 3", got)
	}
}

// withPhantom returns a world whose volume has lost its replica on the node,
// which came back as fresh with an empty disk.
func withPhantom(t *testing.T, b model.Behaviour, fresh string) (w *world, phantom *longhorn.Replica) {
	t.Helper()
	w = newWorld(t, b, "a", "b", "c")
	w.filled("vol", 2)
	phantom = w.replicas("vol")[0]
	old := phantom.Spec.NodeID
	if fresh == "" {
		fresh = old
	}
	w.replace(old, fresh)
	return w, phantom
}

func other(w *world, phantom *longhorn.Replica) *longhorn.Replica {
	for _, r := range w.replicas("vol") {
		if r.Name != phantom.Name {
			return r
		}
	}
	return nil
}

func TestStep_AttachingAPhantomOfTheSameNameHangsBesideAGoodReplica(t *testing.T) {
	w, phantom := withPhantom(t, model.V181(), "")
	good := other(w, phantom)
	w.ticket("vol", "csi", good.Spec.NodeID, longhorn.AttacherTypeCSIAttacher)
	w.run(2 * time.Hour)
	if w.volume("vol").Status.State != longhorn.VolumeStateAttaching {
		t.Fatalf("vol is %s, want it to hang attaching", w.state("vol"))
	}
	if good.Status.CurrentState != longhorn.InstanceStateRunning {
		t.Errorf("the good replica is %s", good.Status.CurrentState)
	}
	if phantom.Spec.FailedAt != "" || phantom.Status.CurrentState != longhorn.InstanceStateStopped {
		t.Errorf("the phantom is %s, failedAt %q: nobody marks it", phantom.Status.CurrentState, phantom.Spec.FailedAt)
	}

	if err := w.m.Delete(model.Ref{Kind: model.Replicas, Name: phantom.Name, UID: phantom.UID}); err != nil {
		t.Fatal(err)
	}
	w.run(10 * time.Second)
	if w.volume("vol").Status.State != longhorn.VolumeStateAttached {
		t.Fatalf("vol is %s after its phantom was deleted", w.state("vol"))
	}
	took := w.until("healthy", 2*time.Minute, func() bool { return w.state("vol") == "attached/healthy" })
	if took > time.Minute {
		t.Errorf("the rebuild took %s; without a failed object it waits for nothing", took)
	}
	if w.copies("vol") != 2 {
		t.Errorf("%d copies, want 2", w.copies("vol"))
	}
}

func TestStep_AttachingAPhantomOfAGoneNodeFailsItAndRebuildsAfterTheWait(t *testing.T) {
	w, phantom := withPhantom(t, model.V181(), "new-name")
	good := other(w, phantom)
	if phantom.Status.OwnerID == phantom.Spec.NodeID {
		t.Error("the phantom still belongs to a manager that is gone")
	}
	w.ticket("vol", "mine", good.Spec.NodeID, longhorn.AttacherTypeLonghornAPI)
	w.until("degraded", time.Minute, func() bool { return w.state("vol") == "attached/degraded" })
	if phantom.Spec.FailedAt == "" {
		t.Fatal("the phantom was not marked failed at the attach")
	}
	took := w.until("healthy", 15*time.Minute, func() bool { return w.state("vol") == "attached/healthy" })
	if took < 9*time.Minute {
		t.Errorf("rebuilt after %s; the replenishment interval is 600 s", took)
	}
	if got := len(w.replicas("vol")); got != 3 {
		t.Errorf("%d replica objects; the failed one stays", got)
	}
	w.untick("vol", "mine")
	w.until("asleep", time.Minute, func() bool { return w.state("vol") == "detached/unknown" })
	if w.copies("vol") != 2 {
		t.Errorf("%d copies, want 2", w.copies("vol"))
	}
}

func TestStep_DeletingTheFailedObjectSkipsTheWait(t *testing.T) {
	w, phantom := withPhantom(t, model.V181(), "new-name")
	w.ticket("vol", "mine", other(w, phantom).Spec.NodeID, longhorn.AttacherTypeLonghornAPI)
	w.until("degraded", time.Minute, func() bool { return w.state("vol") == "attached/degraded" })
	w.run(80 * time.Second)
	if len(w.replicas("vol")) != 2 {
		t.Fatal("a rebuild began before the interval was over")
	}
	if err := w.m.Delete(model.Ref{Kind: model.Replicas, Name: phantom.Name}); err != nil {
		t.Fatal(err)
	}
	if took := w.until("healthy", time.Minute, func() bool { return w.state("vol") == "attached/healthy" }); took > 40*time.Second {
		t.Errorf("healthy only %s after the deletion", took)
	}
}

func TestStep_AllReplicasOnGoneNodesMeansFaultedAtTheNextAttach(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b", "c", "d")
	w.filled("vol", 2)
	for i, r := range w.replicas("vol") {
		w.replace(r.Spec.NodeID, fmt.Sprintf("new-%d", i))
	}
	if w.state("vol") != "detached/unknown" {
		t.Fatalf("vol is %s; nothing tells until it is attached", w.state("vol"))
	}
	w.ticket("vol", "csi", w.anyNode(), longhorn.AttacherTypeCSIAttacher)
	w.run(time.Minute)
	if w.state("vol") != "detached/faulted" {
		t.Fatalf("vol is %s, want detached/faulted\n%s", w.state("vol"), w.dump())
	}
	for _, r := range w.replicas("vol") {
		if r.Spec.FailedAt == "" {
			t.Errorf("%s is not marked failed", r.Name)
		}
	}
}

func TestStep_Version14StartsABlankReplicaInThePhantomsPlace(t *testing.T) {
	w, phantom := withPhantom(t, model.V140(), "")
	good := other(w, phantom)
	w.publish("vol", good.Spec.NodeID)
	w.until("degraded", time.Minute, func() bool { return w.state("vol") == "attached/degraded" })
	if phantom.Spec.FailedAt == "" {
		t.Error("the blank replica has a lower revision and must be thrown out while a real one is left")
	}
	a, _ := w.m.Attached("vol")
	for range 4 {
		if got, err := w.disks.Read(a); err != nil || string(got) != "data of vol" {
			t.Fatalf("read %q, %v", got, err)
		}
	}
}

func TestStep_Version14PassesAllBlankReplicasForHealthy(t *testing.T) {
	w := newWorld(t, model.V140(), "a", "b", "c")
	w.filled("vol", 2)
	for _, r := range w.replicas("vol") {
		w.replace(r.Spec.NodeID, r.Spec.NodeID)
	}
	w.attach("vol", "a")
	a, _ := w.m.Attached("vol")
	got, err := w.disks.Read(a)
	if err != nil || len(got) != 0 {
		t.Fatalf("read %q, %v; want a blank device, about to be formatted", got, err)
	}
	if v := w.volume("vol"); v.Status.ActualSize != 0 {
		t.Errorf("actualSize is %d on a blank volume", v.Status.ActualSize)
	}
}

func TestStep_APhantomOfAGoneNodeHoldsOtherNodesBudgetsByError(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b", "c", "d")
	w.filled("vol", 3)
	rs := w.replicas("vol")
	phantom, next := rs[0], rs[1]
	w.replace(phantom.Spec.NodeID, "new-name")
	if w.drain(next.Spec.NodeID) {
		t.Fatal("the drain went through although a phantom names a node that is gone")
	}
	if why := w.m.WhyBudget(w.manager(next.Spec.NodeID).Name); !strings.Contains(why, "not found") {
		t.Errorf("the reason is %q", why)
	}
	if err := w.m.Delete(model.Ref{Kind: model.Replicas, Name: phantom.Name}); err != nil {
		t.Fatal(err)
	}
	if !w.drain(next.Spec.NodeID) {
		t.Fatalf("still blocked without the phantom: %s", w.m.WhyBudget(w.manager(next.Spec.NodeID).Name))
	}
}
