// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

func TestStep_ANodeThatComesBackWithItsDiskNeedsNothing(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b", "c")
	w.filled("vol", 2)
	r := w.replicas("vol")[0]
	disk := w.remove(r.Spec.NodeID)
	w.run(30 * time.Second)
	w.join(r.Spec.NodeID, disk)
	w.run(time.Minute)
	for _, d := range w.node(r.Spec.NodeID).Status.DiskStatus {
		if d.DiskUUID != r.Spec.DiskID {
			t.Errorf("the old disk came back as %s", d.DiskUUID)
		}
	}
	w.attach("vol", r.Spec.NodeID)
	if w.copies("vol") != 2 || len(w.replicas("vol")) != 2 {
		t.Errorf("%d copies, %d objects; want 2 and 2", w.copies("vol"), len(w.replicas("vol")))
	}
}

func TestStep_ADiskMovedToAnotherNodeTakesItsReplicasAlong(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b", "c")
	w.filled("vol", 2)
	r := w.replicas("vol")[0]
	disk := w.remove(r.Spec.NodeID)
	w.run(30 * time.Second)
	w.join("elsewhere", disk)
	w.run(time.Minute)
	if r.Spec.NodeID != "elsewhere" {
		t.Fatalf("the replica still names %s", r.Spec.NodeID)
	}
	w.attach("vol", "elsewhere")
}

// What is rebuilt in place has held everything once: from the first byte that is
// copied until the last it does not count.
func TestStep_WhatIsRebuiltInPlaceIsNotWholeUntilThatEnds(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b", "c")
	w.create("vol", 3)
	w.m.SetRebuild("vol", model.Rebuild{Duration: 3 * time.Minute})
	w.attach("vol", "a")
	w.write("vol")
	r := w.replicaOn("vol", "b")
	directory := r.Spec.DataDirectoryName
	im := w.manager("b").Name
	w.m.RemovePod(im)
	delete(w.pods, im)
	copying := func() bool {
		for _, s := range w.engine("vol").Status.RebuildStatus {
			if s.IsRebuilding {
				return true
			}
		}
		return false
	}
	w.until("the copy is on its way", 15*time.Minute, copying)
	if now := w.replicaOn("vol", "b"); now == nil || now.Spec.DataDirectoryName != directory {
		t.Fatalf("it is not rebuilt in place\n%s", w.dump())
	}
	if n := w.copies("vol"); n != 2 {
		t.Errorf("%d copies while one is rebuilt; want 2", n)
	}
	w.until("the copy has ended", 10*time.Minute, func() bool { return !copying() && w.state("vol") == "attached/healthy" })
	if n := w.copies("vol"); n != 3 {
		t.Errorf("%d copies at the end; want 3", n)
	}
}
