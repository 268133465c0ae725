// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

func (w *world) evict(node string) {
	w.t.Helper()
	err := w.m.Patch(model.Ref{Kind: model.Nodes, Name: node}, []byte(`{"spec":{"allowScheduling":false,"evictionRequested":true}}`))
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) tickets(volume string) []string {
	var out []string
	for id := range w.m.Get(model.VolumeAttachments, volume).(*longhorn.VolumeAttachment).Spec.AttachmentTickets {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

func (w *world) objectsOn(node string) (n int) {
	for _, o := range w.list(model.Replicas) {
		if o.(*longhorn.Replica).Spec.NodeID == node {
			n++
		}
	}
	return n
}

func TestEvict_MovesDetachedVolumesAndLetsThemSleepAgain(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b", "c")
	for i := range 6 {
		w.filled(fmt.Sprintf("vol-%d", i), 2)
	}
	w.create("busy", 2)
	w.attach("busy", "b")
	w.write("busy")
	dirs := 0
	for _, d := range w.disks.Truth() {
		if d.Node == "a" {
			dirs++
		}
	}
	if dirs == 0 {
		t.Fatal("nothing is on a")
	}
	w.evict("a")
	woken := false
	w.until("nothing left on a", 5*time.Minute, func() bool {
		for i := range 6 {
			v := fmt.Sprintf("vol-%d", i)
			if slices.Contains(w.tickets(v), "volume-eviction-controller-"+v) {
				woken = true
			}
			if w.copies(v) < 2 {
				t.Fatalf("%s fell to %d copies", v, w.copies(v))
			}
			if v := w.volume(v); v.Status.Robustness == longhorn.VolumeRobustnessDegraded {
				t.Fatalf("%s became degraded", v.Name)
			}
		}
		return w.objectsOn("a") == 0
	})
	if !woken {
		t.Error("no eviction ticket was seen")
	}
	w.run(30 * time.Second)
	for i := range 6 {
		v := fmt.Sprintf("vol-%d", i)
		if w.state(v) != "detached/unknown" || len(w.tickets(v)) != 0 || len(w.replicas(v)) != 2 {
			t.Errorf("%s: %s, tickets %v, %d replicas", v, w.state(v), w.tickets(v), len(w.replicas(v)))
		}
	}
	for _, d := range w.disks.Truth() {
		if d.Node == "a" {
			t.Errorf("%s was left on a", d.Directory)
		}
	}
	if w.copies("busy") != 2 || w.state("busy") != "attached/healthy" {
		t.Errorf("busy: %d copies, %s", w.copies("busy"), w.state("busy"))
	}
}

func TestEvict_WithoutAPlaceToGoShowsNothingOnADetachedVolume(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b", "c")
	w.filled("idle", 3)
	w.create("busy", 3)
	w.attach("busy", "b")
	w.evict("a")
	w.run(time.Hour)
	if w.state("idle") != "detached/unknown" || len(w.tickets("idle")) != 0 {
		t.Errorf("idle: %s, tickets %v; nothing may show", w.state("idle"), w.tickets("idle"))
	}
	if r := w.replicaOn("idle", "a"); r == nil || !r.Spec.EvictionRequested {
		t.Error("the request never ends, and stands in the replica alone")
	}
	if c := scheduled(w.volume("idle")); c.Status != longhorn.ConditionStatusTrue {
		t.Errorf("idle: Scheduled %s", c.Status)
	}
	if c := scheduled(w.volume("busy")); c.Status != longhorn.ConditionStatusFalse || c.Message != "precheck new replica failed" || w.state("busy") != "attached/healthy" {
		t.Errorf("busy: %s, Scheduled %s %q", w.state("busy"), c.Status, c.Message)
	}
	w.join("d", w.disks.Blank(20*gib))
	w.until("moved to d", 5*time.Minute, func() bool { return w.objectsOn("a") == 0 })
}

func scheduled(v *longhorn.Volume) longhorn.Condition {
	for _, c := range v.Status.Conditions {
		if c.Type == longhorn.VolumeConditionTypeScheduled {
			return c
		}
	}
	return longhorn.Condition{}
}

func TestRebuild_TakesTimeAndShowsItsProgress(t *testing.T) {
	w, phantom := withPhantom(t, model.V181(), "new-name")
	w.m.SetRebuild("vol", model.Rebuild{Duration: 10 * time.Second})
	w.setting("replica-replenishment-wait-interval", "0")
	w.ticket("vol", "mine", other(w, phantom).Spec.NodeID, longhorn.AttacherTypeLonghornAPI)
	var progress []int
	w.until("healthy", 2*time.Minute, func() bool {
		e := w.engine("vol")
		writing := 0
		for _, m := range e.Status.ReplicaModeMap {
			if m == longhorn.ReplicaModeWO {
				writing++
			}
		}
		for url, s := range e.Status.RebuildStatus {
			if s.IsRebuilding {
				progress = append(progress, s.Progress)
				if writing != 1 || w.copies("vol") != 1 || url[:6] != "tcp://" {
					t.Errorf("at %d %%: %d replicas write-only, %d copies, keyed %s", s.Progress, writing, w.copies("vol"), url)
				}
			}
		}
		return w.state("vol") == "attached/healthy"
	})
	if len(progress) < 8 || !slices.IsSorted(progress) {
		t.Errorf("progress was %v over ten seconds", progress)
	}
	for _, s := range w.engine("vol").Status.RebuildStatus {
		if s.State != "complete" || s.Progress != 100 || s.IsRebuilding {
			t.Errorf("in the end the status is %+v", *s)
		}
	}
}

func TestRebuild_AFailureThrowsTheNewReplicaAwayAndTriesAnother(t *testing.T) {
	w, phantom := withPhantom(t, model.V181(), "new-name")
	w.m.SetRebuild("vol", model.Rebuild{Failure: "the disk is on fire"})
	w.setting("replica-replenishment-wait-interval", "0")
	w.ticket("vol", "mine", other(w, phantom).Spec.NodeID, longhorn.AttacherTypeLonghornAPI)
	names := map[string]bool{}
	failed := false
	for range 120 {
		w.run(time.Second)
		for _, r := range w.replicas("vol") {
			names[r.Name] = true
			for _, c := range r.Status.Conditions {
				failed = failed || c.Type == longhorn.ReplicaConditionTypeRebuildFailed && c.Status == longhorn.ConditionStatusTrue && c.Message == "the disk is on fire"
			}
		}
		if w.state("vol") == "attached/healthy" {
			t.Fatal("healthy without a second copy")
		}
	}
	if len(names) < 4 || !failed {
		t.Errorf("saw %d replicas, failure shown: %t", len(names), failed)
	}
	w.m.SetRebuild("vol", model.Rebuild{})
	w.until("healthy", 2*time.Minute, func() bool { return w.state("vol") == "attached/healthy" })
	if w.copies("vol") != 2 {
		t.Errorf("%d copies", w.copies("vol"))
	}
}

func TestRebuild_TheLimitPerNodeHoldsAndZeroStopsAll(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b", "c")
	w.setting("concurrent-replica-rebuild-per-node-limit", "1")
	w.setting("replica-replenishment-wait-interval", "0")
	w.m.SetRebuild("", model.Rebuild{Duration: 20 * time.Second})
	for i := range 4 {
		v := fmt.Sprintf("vol-%d", i)
		w.create(v, 2)
		w.attach(v, "a")
		w.write(v)
	}
	w.setting("concurrent-replica-rebuild-per-node-limit", "0")
	w.remove("b")
	w.run(10 * time.Minute)
	for i := range 4 {
		v := fmt.Sprintf("vol-%d", i)
		if len(w.replicas(v)) != 2 {
			t.Fatalf("%s has %d replica objects with a limit of 0", v, len(w.replicas(v)))
		}
	}
	w.setting("concurrent-replica-rebuild-per-node-limit", "1")
	most := 0
	w.until("all healthy", 10*time.Minute, func() bool {
		busy, healthy := map[string]int{}, 0
		for i := range 4 {
			v := fmt.Sprintf("vol-%d", i)
			if w.state(v) == "attached/healthy" {
				healthy++
			}
			for name, mode := range w.engine(v).Status.ReplicaModeMap {
				if mode == longhorn.ReplicaModeWO {
					busy[w.m.Get(model.Replicas, name).(*longhorn.Replica).Spec.NodeID]++
				}
			}
		}
		for _, n := range busy {
			most = max(most, n)
		}
		return healthy == 4
	})
	if most != 1 {
		t.Errorf("up to %d rebuilds on one node, the limit is 1", most)
	}
}
