// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"slices"
	"testing"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

func TestStep_AVolumeIsScheduledOnDistinctNodesAndDetached(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b", "c")
	w.create("vol", 2)
	rs := w.replicas("vol")
	if len(rs) != 2 || rs[0].Spec.NodeID == rs[1].Spec.NodeID {
		t.Fatalf("want two replicas on two nodes\n%s", w.dump())
	}
	for _, r := range rs {
		if r.Spec.HealthyAt != "" || r.Status.CurrentState != longhorn.InstanceStateStopped {
			t.Errorf("%s was never used, but is %q, healthyAt %q", r.Name, r.Status.CurrentState, r.Spec.HealthyAt)
		}
		if got := w.node(r.Spec.NodeID).Status.DiskStatus; len(got) != 1 {
			t.Errorf("node %s has %d disks", r.Spec.NodeID, len(got))
		}
	}
	if len(w.disks.Truth()) != 0 {
		t.Error("a volume that was never attached has directories")
	}
	for _, n := range []string{"a", "b", "c"} {
		for _, d := range w.node(n).Status.DiskStatus {
			if d.StorageScheduled != int64(len(d.ScheduledReplica))*gib {
				t.Errorf("node %s: %d scheduled for %d replicas", n, d.StorageScheduled, len(d.ScheduledReplica))
			}
		}
	}
}

func TestStep_AttachingShowsAttachedUnknownAndASatisfiedTicketBeforeHealthy(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b")
	w.create("vol", 2)
	w.ticket("vol", "mine", "a", longhorn.AttacherTypeLonghornAPI)
	seen := []string{}
	for range 200 {
		w.run(100 * time.Millisecond)
		s := w.state("vol")
		if st := w.m.Get(model.VolumeAttachments, "vol").(*longhorn.VolumeAttachment).Status.AttachmentTicketStatuses["mine"]; st != nil && st.Satisfied {
			s += " satisfied"
		}
		if !slices.Contains(seen, s) {
			seen = append(seen, s)
		}
	}
	want := []string{"attaching/unknown", "attached/unknown satisfied", "attached/healthy satisfied"}
	if got := seen[len(seen)-3:]; !slices.Equal(got, want) {
		t.Fatalf("seen %q, want it to end with %q", seen, want)
	}
	if a, _ := w.m.Attached("vol"); a.Frontend || w.volume("vol").Status.FrontendDisabled != true {
		t.Error("the ticket asked for no frontend")
	}
	e := w.engine("vol")
	for _, r := range w.replicas("vol") {
		if e.Status.ReplicaModeMap[r.Name] != longhorn.ReplicaModeRW || r.Spec.HealthyAt == "" || r.Spec.LastHealthyAt == "" {
			t.Errorf("%s: mode %q, healthyAt %q", r.Name, e.Status.ReplicaModeMap[r.Name], r.Spec.HealthyAt)
		}
	}
}

func TestStep_DetachingForgetsTheRobustnessAndKeepsHealthyAt(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b")
	w.filled("vol", 2)
	v, e := w.volume("vol"), w.engine("vol")
	if v.Status.Robustness != longhorn.VolumeRobustnessUnknown || e.Status.ReplicaModeMap != nil || v.Status.CurrentNodeID != "" {
		t.Fatalf("a detached volume says %s, modes %v", w.state("vol"), e.Status.ReplicaModeMap)
	}
	for _, r := range w.replicas("vol") {
		if r.Spec.HealthyAt == "" || r.Spec.FailedAt != "" || r.Status.InstanceManagerName != "" {
			t.Errorf("%s: healthyAt %q failedAt %q manager %q", r.Name, r.Spec.HealthyAt, r.Spec.FailedAt, r.Status.InstanceManagerName)
		}
	}
	if w.copies("vol") != 2 {
		t.Errorf("%d copies, want 2", w.copies("vol"))
	}
}

func TestStep_TheHigherTicketWinsOnlyWhenTheVolumeIsDetached(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b")
	w.create("vol", 2)
	w.ticket("vol", "csi", "b", longhorn.AttacherTypeCSIAttacher)
	w.ticket("vol", "mine", "a", longhorn.AttacherTypeLonghornAPI)
	w.until("attached", time.Minute, func() bool { return w.volume("vol").Status.State == longhorn.VolumeStateAttached })
	if got := w.volume("vol").Status.CurrentNodeID; got != "a" {
		t.Fatalf("attached to %q; longhorn-api (1000) outranks csi-attacher (900)", got)
	}
	w.untick("vol", "mine")
	w.until("the pod's turn", time.Minute, func() bool {
		return w.volume("vol").Status.CurrentNodeID == "b" && w.state("vol") == "attached/healthy"
	})
	w.ticket("vol", "mine", "a", longhorn.AttacherTypeLonghornAPI)
	w.run(time.Minute)
	if got := w.volume("vol").Status.CurrentNodeID; got != "b" {
		t.Fatalf("a later ticket took the volume away to %q", got)
	}
}

func TestStep_ADeadInstanceManagerFailsReplicasOfAttachedVolumesOnly(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b", "c")
	w.filled("idle", 3)
	w.create("busy", 3)
	w.attach("busy", "a")
	w.write("busy")
	w.set("b", func(f *model.NodeFacts) { f.Unschedulable = true })
	im := w.manager("b").Name
	w.m.RemovePod(im)
	delete(w.pods, im)
	w.run(30 * time.Second)
	if w.state("busy") != "attached/degraded" {
		t.Fatalf("busy is %s", w.state("busy"))
	}
	if r := w.replicaOn("busy", "b"); r != nil {
		t.Errorf("%s runs nowhere and is not marked failed", r.Name)
	}
	if r := w.replicaOn("idle", "b"); r == nil {
		t.Error("a stopped replica was marked failed; nothing does that while the volume is detached")
	}
	if _, ok := w.pods[im]; ok {
		t.Error("an instance manager was started on a cordoned node")
	}
	w.set("b", func(f *model.NodeFacts) { f.Unschedulable = false })
	w.until("rebuilt in its old place", time.Minute, func() bool { return w.state("busy") == "attached/healthy" })
	if got := len(w.replicas("busy")); got != 3 {
		t.Errorf("%d replica objects; the failed one should have been used again", got)
	}
	if w.copies("busy") != 3 {
		t.Errorf("%d copies, want 3", w.copies("busy"))
	}
}

func TestStep_AVolumeWithoutAnyReplicaIsTreatedAsNew(t *testing.T) {
	w := newWorld(t, model.V140(), "a", "b") // later versions refuse the last deletion
	w.filled("vol", 2)
	for _, r := range w.replicas("vol") {
		if err := w.m.Delete(model.Ref{Kind: model.Replicas, Name: r.Name, UID: r.UID}); err != nil {
			t.Fatal(err)
		}
	}
	w.run(time.Minute)
	w.attach("vol", "a")
	a, _ := w.m.Attached("vol")
	if got, err := w.disks.Read(a); err != nil || len(got) != 0 {
		t.Fatalf("read %q, %v; want a blank volume", got, err)
	}
	if w.copies("vol") != 0 {
		t.Error("the deletion of its replicas left the data on the disks")
	}
}

func TestStep_DeletingAVolumeTakesItsDataAway(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b")
	w.filled("vol", 2)
	if err := w.m.Delete(model.Ref{Kind: model.Volumes, Name: "vol"}); err != nil {
		t.Fatal(err)
	}
	w.run(time.Minute)
	for _, k := range []model.Kind{model.Volumes, model.Engines, model.Replicas, model.VolumeAttachments} {
		if n := len(w.list(k)); n != 0 {
			t.Errorf("%d %s left", n, k)
		}
	}
	if len(w.disks.Truth()) != 0 {
		t.Error("directories are left")
	}
}
