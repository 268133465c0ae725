// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"testing"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

func (w *world) patchNode(name, patch string) {
	w.t.Helper()
	if err := w.m.Patch(model.Ref{Kind: model.Nodes, Name: name}, []byte(patch)); err != nil {
		w.t.Fatal(err)
	}
	w.run(time.Second)
}

// place creates a volume and returns how many of its replicas each node has.
func (w *world) place(name string, replicas int, change func(*longhorn.VolumeSpec)) map[string]int {
	w.t.Helper()
	v := &longhorn.Volume{}
	v.Name, v.Spec.Size, v.Spec.NumberOfReplicas = name, gib, replicas
	if change != nil {
		change(&v.Spec)
	}
	if err := w.m.Create(v); err != nil {
		w.t.Fatal(err)
	}
	w.run(30 * time.Second)
	got := map[string]int{}
	for _, r := range w.replicas(name) {
		if r.Spec.NodeID != "" {
			got[r.Spec.NodeID]++
		}
	}
	return got
}

func TestSchedule_ZonesAreSpreadFirstAndSharedOnlyWhenTheyMust(t *testing.T) {
	w := newWorld(t, model.V181(), "a1", "a2", "b1")
	for n, zone := range map[string]string{"a1": "a", "a2": "a", "b1": "b"} {
		w.set(n, func(f *model.NodeFacts) { f.Zone = zone })
	}
	w.run(time.Second)
	if got := w.place("two", 2, nil); got["b1"] != 1 {
		t.Errorf("two replicas on %v, want one in each zone", got)
	}
	if got := w.place("three", 3, nil); len(got) != 3 {
		t.Errorf("three replicas on %v; the zone is soft", got)
	}
	hard := func(s *longhorn.VolumeSpec) {
		s.ReplicaZoneSoftAntiAffinity = longhorn.ReplicaZoneSoftAntiAffinityDisabled
	}
	if got := w.place("hard", 3, hard); len(got) != 2 {
		t.Errorf("three replicas on %v; with a hard zone the third has no place", got)
	}
}

func TestSchedule_TagsAndSwitchesAreKept(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b", "c")
	w.patchNode("a", `{"spec":{"tags":["fast","ssd"]}}`)
	tagged := func(s *longhorn.VolumeSpec) { s.NodeSelector = []string{"fast"} }
	if got := w.place("tagged", 1, tagged); got["a"] != 1 {
		t.Errorf("placed on %v, want the node with the tag", got)
	}
	if got := w.place("tagged2", 2, tagged); len(got) != 1 {
		t.Errorf("placed on %v, there is one node with the tag", got)
	}
	w.patchNode("b", `{"spec":{"allowScheduling":false}}`)
	w.cordon("c")
	w.run(time.Second)
	if got := w.place("rest", 2, nil); got["a"] != 1 || len(got) != 1 {
		t.Errorf("placed on %v, want a alone", got)
	}
	if c := scheduled(w.volume("rest")); c.Status != longhorn.ConditionStatusTrue {
		t.Errorf("Scheduled is %s; one place is enough for a detached volume to say True", c.Status)
	}
}

func TestSchedule_NoMoreIsPromisedThanTheDiskMayHold(t *testing.T) {
	w := newWorld(t, model.V181(), "a")
	big := func(size int64) func(*longhorn.VolumeSpec) {
		return func(s *longhorn.VolumeSpec) { s.Size = size }
	}
	// 20 GiB, 30 % of it reserved, promised once: 14 GiB.
	if got := w.place("fits", 1, big(14*gib)); got["a"] != 1 {
		t.Errorf("14 GiB did not fit: %v", got)
	}
	if got := w.place("over", 1, nil); len(got) != 0 {
		t.Errorf("one more was promised: %v", got)
	}
	if c := scheduled(w.volume("over")); c.Status != longhorn.ConditionStatusFalse || c.Reason != longhorn.VolumeConditionReasonReplicaSchedulingFailure {
		t.Errorf("Scheduled is %s, %s", c.Status, c.Reason)
	}
	w.setting("storage-over-provisioning-percentage", "200")
	w.run(time.Minute)
	if r := w.replicas("over")[0]; r.Spec.NodeID != "a" {
		t.Error("not placed after the limit was raised")
	}
}

func TestSchedule_SoftAntiAffinityPutsTwoOnOneNode(t *testing.T) {
	w := newWorld(t, model.V181(), "a")
	soft := func(s *longhorn.VolumeSpec) { s.ReplicaSoftAntiAffinity = longhorn.ReplicaSoftAntiAffinityEnabled }
	if got := w.place("soft", 2, soft); got["a"] != 2 {
		t.Errorf("placed on %v", got)
	}
	if got := w.place("hard", 2, nil); got["a"] != 1 {
		t.Errorf("placed on %v", got)
	}
}
