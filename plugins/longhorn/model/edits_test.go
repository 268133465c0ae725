// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

func TestStep_TheSameInputsGiveTheSameObjects(t *testing.T) {
	run := func() string {
		w, phantom := withPhantom(t, model.V181(), "new-name")
		w.create("more", 3)
		w.evict(w.anyNode())
		w.ticket("vol", "mine", other(w, phantom).Spec.NodeID, longhorn.AttacherTypeLonghornAPI)
		w.run(15 * time.Minute)
		var out []byte
		for _, k := range model.Kinds() {
			b, err := json.Marshal(w.list(k))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, b...)
		}
		return string(out)
	}
	first := run()
	for range 3 {
		if run() != first {
			t.Fatal("a second run differs")
		}
	}
}

func TestPatch_NamesTheObjectItWasDecidedAbout(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b")
	uid := w.node("a").UID
	patch := []byte(`{"metadata":{"uid":"x","labels":{"l":"v"}},"spec":{"allowScheduling":false},"status":{"zone":"nowhere"}}`)
	if err := w.m.Patch(model.Ref{Kind: model.Nodes, Name: "a", UID: "another"}, patch); !errors.Is(err, model.ErrConflict) {
		t.Errorf("another UID: %v", err)
	}
	if err := w.m.Patch(model.Ref{Kind: model.Nodes, Name: "z"}, patch); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("no such node: %v", err)
	}
	if err := w.m.Patch(model.Ref{Kind: model.Nodes, Name: "a", UID: uid}, patch); err != nil {
		t.Fatal(err)
	}
	n := w.node("a")
	if n.Spec.AllowScheduling || n.UID != uid || n.Labels["l"] != "v" || n.Status.Zone != "" || len(n.Spec.Disks) != 1 {
		t.Errorf("after the patch: %+v, %+v", n.ObjectMeta, n.Spec)
	}
	if err := w.m.Patch(model.Ref{Kind: model.Nodes, Name: "a"}, []byte(`{"spec":{"disks":7}}`)); !errors.Is(err, model.ErrInvalid) {
		t.Errorf("a patch that breaks the object: %v", err)
	}
	if err := w.m.Delete(model.Ref{Kind: model.Replicas, Name: "none"}); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("deleting nothing: %v", err)
	}
}

func TestCreate_RefusesWhatUsersDoNotMake(t *testing.T) {
	w := newWorld(t, model.V181(), "a")
	w.create("vol", 1)
	v := &longhorn.Volume{}
	v.Name = "vol"
	if err := w.m.Create(v); !errors.Is(err, model.ErrExists) {
		t.Errorf("twice: %v", err)
	}
	r := &longhorn.Replica{}
	r.Name = "vol-r-1"
	if err := w.m.Create(r); !errors.Is(err, model.ErrInvalid) {
		t.Errorf("a replica: %v", err)
	}
}

func TestAdopt_FollowsIntoOwnerReferences(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b")
	w.create("vol", 2)
	if err := w.m.Adopt(model.Ref{Kind: model.Volumes, Name: "vol"}, "from-the-server"); err != nil {
		t.Fatal(err)
	}
	for _, r := range w.replicas("vol") {
		if got := r.OwnerReferences[0]; got.UID != "from-the-server" || got.Kind != "Volume" || got.Name != "vol" {
			t.Errorf("%s is owned by %+v", r.Name, got)
		}
	}
}

func TestChanged_ListsOwnersFirstAndRemovedObjectsToo(t *testing.T) {
	w := newWorld(t, model.V181(), "a", "b")
	_, since := w.m.Changed(0)
	w.run(time.Minute)
	if refs, _ := w.m.Changed(since); len(refs) != 0 {
		t.Fatalf("changed while nothing happened: %v", refs)
	}
	w.create("vol", 2)
	refs, since := w.m.Changed(since)
	at := map[model.Kind]int{}
	for i, r := range refs {
		at[r.Kind] = i
	}
	if at[model.Volumes] > at[model.Replicas] || at[model.Volumes] > at[model.Engines] {
		t.Errorf("a volume comes after what it owns: %v", refs)
	}
	name := w.replicas("vol")[0].Name
	if err := w.m.Delete(model.Ref{Kind: model.Volumes, Name: "vol"}); err != nil {
		t.Fatal(err)
	}
	w.run(time.Minute)
	refs, _ = w.m.Changed(since)
	found := false
	for _, r := range refs {
		found = found || r.Kind == model.Replicas && r.Name == name && w.m.Get(r.Kind, r.Name) == nil
	}
	if !found {
		t.Errorf("the removed replica is not among %v", refs)
	}
}

func BenchmarkStep_AtRest(b *testing.B) {
	w := newWorld(&testing.T{}, model.V181(), "a", "b", "c", "d")
	for i := range 25 {
		w.create(fmt.Sprintf("vol-%03d", i), 2)
	}
	for b.Loop() {
		w.m.Step(w.now)
	}
}
