// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"errors"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// spec patches a volume's spec, as v1.4's own API does.
func (w *world) spec(volume, fields string) {
	w.t.Helper()
	if err := w.m.Patch(model.Ref{Kind: model.Volumes, Name: volume}, []byte(`{"spec":`+fields+`}`)); err != nil {
		w.t.Fatal(err)
	}
}

const (
	heldOnB = `{"nodeID":"b","disableFrontend":true,"lastAttachedBy":"safe-roll-x"}`
	letGo   = `{"nodeID":"","disableFrontend":false,"lastAttachedBy":""}`
)

func TestBySpec_WhoHoldsTheVolumeKeepsAPodOutUntilItIsLetGo(t *testing.T) {
	for _, node := range []string{"a", "b"} { // on another node, and on the same one
		w := newWorld(t, model.V140(), "a", "b", "c")
		w.filled("vol", 2)
		w.spec("vol", heldOnB)
		w.until("held awake", time.Minute, func() bool { return w.state("vol") == "attached/healthy" })
		if a, _ := w.m.Attached("vol"); a.Node != "b" || a.Frontend {
			t.Fatalf("held awake as %+v", a)
		}
		there, err := w.m.Publish("vol", "csi", node)
		if there || (node == "a") != errors.Is(err, model.ErrBusy) {
			t.Errorf("on %s: there %t, %v", node, there, err)
		}
		w.run(time.Minute)
		if there, _ := w.m.Publish("vol", "csi", node); there {
			t.Errorf("the pod on %s has a volume that has no device", node)
		}
		w.spec("vol", letGo)
		w.until("the pod to have it", 5*time.Minute, func() bool {
			there, _ := w.m.Publish("vol", "csi", node)
			return there
		})
		if a, _ := w.m.Attached("vol"); a.Node != node || !a.Frontend {
			t.Errorf("the pod on %s has it as %+v", node, a)
		}
	}
}

func TestBySpec_AnEvictionAttachesWhatNobodyAskedForAndLetsItSleepAgain(t *testing.T) {
	w := newWorld(t, model.V140(), "a", "b", "c")
	w.filled("vol", 2)
	from := w.replicas("vol")[0].Spec.NodeID
	if err := w.m.Patch(model.Ref{Kind: model.Nodes, Name: from}, []byte(`{"spec":{"allowScheduling":false,"evictionRequested":true}}`)); err != nil {
		t.Fatal(err)
	}
	w.until("moving", time.Minute, func() bool { return w.state("vol") == "attached/healthy" })
	if v := w.volume("vol"); v.Spec.NodeID != "" || !v.Status.FrontendDisabled {
		t.Errorf("spec.nodeID %q, frontend disabled %t", v.Spec.NodeID, v.Status.FrontendDisabled)
	}
	if _, err := w.m.Publish("vol", "csi", "c"); !errors.Is(err, model.ErrBusy) {
		t.Errorf("a pod gets what is being moved: %v", err)
	}
	w.until("asleep", 5*time.Minute, func() bool { return w.state("vol") == "detached/unknown" })
	if w.objectsOn(from) != 0 || w.copies("vol") != 2 {
		t.Errorf("%d replicas on %s, %d copies", w.objectsOn(from), from, w.copies("vol"))
	}
	if n := len(w.list(model.VolumeAttachments)); n != 0 {
		t.Errorf("%d attachment objects", n)
	}
}
