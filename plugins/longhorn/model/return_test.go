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
