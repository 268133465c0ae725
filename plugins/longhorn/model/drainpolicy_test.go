// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"testing"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

func (w *world) setting(name, value string) {
	w.t.Helper()
	if err := w.m.Patch(model.Ref{Kind: model.Settings, Name: name}, []byte(`{"value":"`+value+`"}`)); err != nil {
		w.t.Fatal(err)
	}
}

func TestDrainPolicy_ProtectsTheLastReplicaOfADetachedVolume(t *testing.T) {
	for policy, blocked := range map[string]bool{
		"block-if-contains-last-replica":              true,
		"block-for-eviction":                          true, // nowhere to go: hard anti-affinity is no matter, there is no other node
		"block-for-eviction-if-contains-last-replica": true,
		"allow-if-replica-is-stopped":                 false,
		"always-allow":                                false,
	} {
		t.Run(policy, func(t *testing.T) {
			w := newWorld(t, model.V181(), "a")
			w.setting("node-drain-policy", policy)
			w.filled("vol", 1)
			if w.drain("a") == blocked {
				t.Errorf("drained: %t, want blocked: %t", !blocked, blocked)
			}
		})
	}
}

func TestDrainPolicy_ReplicasThatWereNeverUsedBlockNothing(t *testing.T) {
	w := newWorld(t, model.V181(), "a")
	w.create("vol", 1)
	if !w.drain("a") {
		t.Error("a replica without data held the drain")
	}
}

func TestDrainPolicy_AnEngineOnTheNodeAlwaysHoldsTheBudget(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b", "c")
	w.setting("node-drain-policy", "always-allow")
	w.create("vol", 2)
	w.attach("vol", "a")
	if w.drain("a") {
		t.Fatal("the budget went while an engine ran")
	}
	w.untick("vol", "csi")
	if !w.drain("a") {
		t.Error("the budget stayed without an engine")
	}
}

func TestDrainPolicy_BlockForEvictionMovesDetachedReplicasOffACordonedNode(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b", "c")
	w.setting("node-drain-policy", "block-for-eviction")
	w.filled("vol", 2)
	from := w.replicas("vol")[0].Spec.NodeID
	w.cordon(from)
	w.run(5 * time.Second)
	if !w.node(from).Status.AutoEvicting {
		t.Error("the node does not say that it evicts")
	}
	w.run(2 * time.Minute)
	if w.replicaOn("vol", from) != nil || w.copies("vol") != 2 {
		t.Fatalf("replicas were not moved\n%s", w.dump())
	}
	if !w.drain(from) {
		t.Error("an empty node could not be drained")
	}
}

func TestNode_CordonAndDeletionShowInTheLonghornNode(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b")
	old := w.node("a")
	uid, im := old.UID, w.manager("a").Name
	w.cordon("a")
	w.run(time.Second)
	if c := conditionOf(old, "Schedulable"); c.Status != longhorn.ConditionStatusFalse || c.Reason != "KubernetesNodeCordoned" {
		t.Errorf("Schedulable is %+v", c)
	}
	w.remove("a")
	w.run(5 * time.Second)
	if c := conditionOf(old, "Ready"); c.Status != longhorn.ConditionStatusFalse || c.Reason != "KubernetesNodeGone" || old.DeletionTimestamp == nil {
		t.Errorf("Ready is %+v, deletionTimestamp %v", c, old.DeletionTimestamp)
	}
	for _, d := range old.Status.DiskStatus {
		if d.DiskUUID == "" || d.Conditions[0].Status != longhorn.ConditionStatusTrue {
			t.Error("the dying object must still praise its disk")
		}
	}
	w.run(time.Minute)
	if w.node("a") != nil || w.manager("a") != nil {
		t.Error("the node, or its instance manager, is still there")
	}
	w.join("a", w.disks.Blank(20*gib))
	w.run(time.Minute)
	if n := w.node("a"); n == nil || n.UID == uid || w.manager("a").Name != im {
		t.Errorf("want a new node object, and an instance manager of the same name %s", im)
	}
}

func TestNode_AnObjectDeletedByHandComesBackWithTheNextManager(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b")
	if err := w.m.Delete(model.Ref{Kind: model.Nodes, Name: "a"}); err != nil {
		t.Fatal(err)
	}
	w.run(5 * time.Minute)
	if w.node("a") != nil {
		t.Fatal("it came back by itself")
	}
	w.set("a", func(f *model.NodeFacts) { f.Manager = w.id("manager") })
	w.run(time.Minute)
	if w.node("a") == nil {
		t.Error("a new manager did not register its node")
	}
}

func TestNode_PowerOffIsSeenOnlyWhenKubernetesSeesIt(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b", "c")
	w.create("vol", 2)
	w.attach("vol", "a")
	lost := "b"
	if w.replicaOn("vol", "b") == nil {
		lost = "c"
	}
	w.set(lost, func(f *model.NodeFacts) { f.PoweredOff = true })
	w.run(5 * time.Second)
	if c := conditionOf(w.node(lost), "Ready"); c.Status != longhorn.ConditionStatusTrue || w.state("vol") != "attached/healthy" {
		t.Errorf("Longhorn knew at once: Ready %s, vol %s", c.Status, w.state("vol"))
	}
	w.run(20 * time.Second)
	if w.state("vol") != "attached/degraded" {
		t.Errorf("the engine did not give its dead replica up: %s", w.state("vol"))
	}
	w.run(30 * time.Second)
	w.set(lost, func(f *model.NodeFacts) { f.Ready = false })
	w.run(5 * time.Second)
	if c := conditionOf(w.node(lost), "Ready"); c.Reason != "KubernetesNodeNotReady" || w.manager(lost).Status.CurrentState != longhorn.InstanceManagerStateUnknown {
		t.Errorf("Ready is %+v, the instance manager %s", c, w.manager(lost).Status.CurrentState)
	}
	if took := w.until("healthy", 20*time.Minute, func() bool { return w.state("vol") == "attached/healthy" }); took < 8*time.Minute {
		t.Errorf("rebuilt after %s, the interval is 600 s", took)
	}
}

func conditionOf(n *longhorn.Node, kind string) longhorn.Condition {
	for _, c := range n.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return longhorn.Condition{}
}
