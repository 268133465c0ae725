// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// kept is a v1.10 whose node a is gone, with a volume of two replicas, one of
// which was there.
func kept(t *testing.T) *world {
	w := newWorld(t, model.V1100(), "a", "b", "c")
	for i := 0; w.replicaOn("vol", "a") == nil; i++ {
		if i > 0 {
			t.Fatal("no replica is on a")
		}
		w.filled("vol", 3)
	}
	w.remove("a")
	w.run(time.Minute)
	return w
}

func (w *world) delete(k model.Kind, name string) error {
	return w.m.Delete(model.Ref{Kind: k, Name: name})
}

func TestKeptNode_OutlivesItsMachineAndIsTakenUpWithTheOldDisk(t *testing.T) {
	w := kept(t)
	n := w.node("a")
	if n == nil || n.DeletionTimestamp != nil {
		t.Fatal("the node object went with its machine")
	}
	uuid := w.replicaOn("vol", "a").Spec.DiskID
	w.join("a", w.disks.Blank(20*gib))
	w.run(time.Minute)
	again := w.node("a")
	for _, d := range again.Status.DiskStatus {
		reason := ""
		for _, c := range d.Conditions {
			if c.Type == longhorn.DiskConditionTypeReady {
				reason = c.Reason
			}
		}
		if again.UID != n.UID || d.DiskUUID != uuid || reason != longhorn.DiskConditionReasonDiskFilesystemChanged {
			t.Errorf("UID %s (was %s), disk %s (was %s), %s", again.UID, n.UID, d.DiskUUID, uuid, reason)
		}
	}
}

func TestKeptNode_IsRemovedOnlyWhenNothingIsLeftThere(t *testing.T) {
	w := kept(t)
	off := []byte(`{"spec":{"allowScheduling":false}}`)
	for i, step := range []func() error{
		func() error { return w.m.Patch(model.Ref{Kind: model.Nodes, Name: "a"}, off) },
		func() error { return w.delete(model.Replicas, w.replicaOn("vol", "a").Name) },
	} {
		if err := w.delete(model.Nodes, "a"); !errors.Is(err, model.ErrDenied) {
			t.Fatalf("before step %d: %v", i, err)
		}
		if err := step(); err != nil {
			t.Fatal(err)
		}
		w.run(time.Minute)
	}
	if err := w.delete(model.Nodes, "a"); err != nil {
		t.Fatal(err)
	}
	w.run(time.Minute)
	if w.node("a") != nil {
		t.Error("it is still there")
	}
	w.join("a", w.disks.Blank(20*gib))
	w.run(time.Minute)
	if n := w.node("a"); n == nil || len(n.Status.DiskStatus) != 1 {
		t.Error("a machine of that name does not come as a new one")
	}
}

func TestDeny_TheLastReplicaThatPassesForHealthy(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b", "c")
	w.filled("vol", 2)
	rs := w.replicas("vol")
	if err := w.delete(model.Replicas, rs[0].Name); err != nil {
		t.Fatal(err)
	}
	w.run(time.Minute)
	if err := w.delete(model.Replicas, rs[1].Name); !errors.Is(err, model.ErrDenied) || !strings.Contains(err.Error(), "no other healthy replica") {
		t.Errorf("%v", err)
	}
}

func TestOfflineRebuilding_OfOneVolumeThatWasAskedFor(t *testing.T) {
	w := kept(t)
	w.filled("other", 2)
	if err := w.delete(model.Replicas, w.replicaOn("vol", "a").Name); err != nil {
		t.Fatal(err)
	}
	w.join("d", w.disks.Blank(20*gib))
	w.run(5 * time.Minute)
	if v := w.volume("vol"); v.Status.State != longhorn.VolumeStateDetached || len(w.replicas("vol")) != 2 {
		t.Fatalf("%s with %d replicas though nobody asked", v.Status.State, len(w.replicas("vol")))
	}
	if err := w.m.Patch(model.Ref{Kind: model.Volumes, Name: "vol"}, []byte(`{"spec":{"offlineRebuilding":"enabled"}}`)); err != nil {
		t.Fatal(err)
	}
	w.until("vol has three replicas and sleeps", 5*time.Minute, func() bool {
		healthy := 0
		for _, r := range w.replicas("vol") {
			if r.Spec.HealthyAt != "" && r.Spec.FailedAt == "" {
				healthy++
			}
		}
		return healthy == 3 && w.volume("vol").Status.State == longhorn.VolumeStateDetached && len(w.tickets("vol")) == 0
	})
	if s := w.volume("other").Status.State; s != longhorn.VolumeStateDetached {
		t.Errorf("other is %s", s)
	}
}

func TestOfflineRebuilding_GivesWayToAWorkload(t *testing.T) {
	w := kept(t)
	if err := w.delete(model.Replicas, w.replicaOn("vol", "a").Name); err != nil {
		t.Fatal(err)
	}
	w.join("d", w.disks.Blank(20*gib))
	w.m.SetRebuild("vol", model.Rebuild{Duration: time.Hour})
	if err := w.m.Patch(model.Ref{Kind: model.Volumes, Name: "vol"}, []byte(`{"spec":{"offlineRebuilding":"enabled"}}`)); err != nil {
		t.Fatal(err)
	}
	w.until("vol is attached to be rebuilt", 5*time.Minute, func() bool { return w.volume("vol").Status.State == longhorn.VolumeStateAttached })
	node := "b"
	if w.volume("vol").Status.CurrentNodeID == node {
		node = "c"
	}
	w.ticket("vol", "csi", node, longhorn.AttacherTypeCSIAttacher)
	w.until("the workload has it", time.Minute, func() bool {
		v := w.volume("vol")
		return v.Status.State == longhorn.VolumeStateAttached && v.Status.CurrentNodeID == node
	})
}

func TestEvict_AVersionThatForgetsDetachedVolumes(t *testing.T) {
	w := newWorld(t, model.V172(), "a", "b", "c")
	w.filled("vol", 2)
	on := w.replicas("vol")[0].Spec.NodeID
	w.evict(on)
	w.run(time.Hour)
	if w.objectsOn(on) != 1 || len(w.tickets("vol")) != 0 {
		t.Errorf("%d replicas on %s, tickets %v", w.objectsOn(on), on, w.tickets("vol"))
	}
}

func TestEvict_WithALimitOfZeroNothingEverMoves(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b", "c")
	w.filled("vol", 2)
	on := w.replicas("vol")[0].Spec.NodeID
	if err := w.m.Patch(model.Ref{Kind: model.Settings, Name: "concurrent-replica-rebuild-per-node-limit"}, []byte(`{"value":"0"}`)); err != nil {
		t.Fatal(err)
	}
	w.evict(on)
	w.run(time.Hour)
	if w.objectsOn(on) != 1 {
		t.Errorf("%d replicas on %s", w.objectsOn(on), on)
	}
}
