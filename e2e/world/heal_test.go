// SPDX-License-Identifier: Apache-2.0

package world_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/e2e/standin"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// small is the incident with fewer users.
func small() scenario.Incident {
	return scenario.Incident{Workers: 3, Users: 6, LoggedIn: 1, Replicas: 2}
}

// TestHeal_TheImpatientOperator: somebody has replaced the first worker by hand
// under a new name. What is left there are objects of replicas that keep every
// other worker from being drained, and detached volumes with one copy. A run
// mends that first.
func TestHeal_TheImpatientOperator(t *testing.T) {
	t.Parallel()
	w, i := start(t), small()
	e := worldtest.Build(t, w, i)
	if err := w.Recreate(t.Context(), "worker-1", "worker-1-b"); err != nil {
		t.Fatal(err)
	}
	worldtest.Kubectl(t, w, 3, "safe-roll", "verify")
	said, err := w.Kubectl(t.Context(), "drain", "worker-2", "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=20s")
	if err != nil {
		t.Fatal(err)
	}
	if said.Exit == 0 {
		t.Fatal("a phantom does not block a drain: there is nothing to heal")
	}
	worldtest.Kubectl(t, w, 0, "uncordon", "worker-2")
	ran := worldtest.Kubectl(t, w, 0, "safe-roll", "run", "worker-2", "--yes", "--look-interval=4s", "--replace-command=machine replace -b")
	t.Log(ran.All())
	if short := worldtest.Truth(t, w).Short(e, i.Replicas); len(short) > 0 {
		t.Errorf("fewer than %d copies: %v", i.Replicas, short)
	}
	if awake := heldByUs(t, w); len(awake) > 0 {
		t.Errorf("still held: %v", awake)
	}
	worldtest.Kubectl(t, w, 0, "safe-roll", "verify")
}

// TestHeal_TheSameName: the first worker was replaced by hand under its own
// name. A user who logs in waits for ever, because Longhorn waits for a replica
// that cannot start; nothing but a look into the directories tells that it is
// gone. With it, a run mends everything first.
func TestHeal_TheSameName(t *testing.T) {
	t.Parallel()
	w, i := start(t), small()
	e := worldtest.Build(t, w, i)
	stuck := ""
	for volume, copies := range worldtest.Truth(t, w) {
		for _, c := range copies {
			if c.Node == "worker-1" && slices.Contains(i.Detached(), volume) && (stuck == "" || volume < stuck) {
				stuck = volume
			}
		}
	}
	if stuck == "" {
		t.Fatal("nothing detached lies on worker-1")
	}
	if err := w.Recreate(t.Context(), "worker-1", "worker-1"); err != nil {
		t.Fatal(err)
	}
	_, err := w.Kube.AppsV1().StatefulSets("default").Patch(t.Context(), stuck, types.MergePatchType,
		[]byte(`{"spec":{"replicas":1}}`), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Second)
	v, err := w.Longhorn.LonghornV1beta2().Volumes(standin.Namespace).Get(t.Context(), stuck, metav1.GetOptions{})
	if err != nil || v.Status.State != longhorn.VolumeStateAttaching {
		t.Fatalf("volume %s is %s and does not hang: %v", stuck, v.Status.State, err)
	}
	blind := worldtest.Kubectl(t, w, 3, "safe-roll", "drain", "worker-2")
	if !strings.Contains(blind.All(), "--probe") {
		t.Errorf("the refusal does not say what would help:\n%s", blind.All())
	}
	ran := worldtest.Kubectl(t, w, 0, "safe-roll", "run", "worker-2", "--probe", "--yes", "--look-interval=4s", "--replace-command=machine replace")
	t.Log(ran.All())
	if took := login(t, w, stuck); took > 20*time.Second {
		t.Errorf("the pod of %s waited %s more", stuck, took)
	}
	if short := worldtest.Truth(t, w).Short(e, i.Replicas); len(short) > 0 {
		t.Errorf("fewer than %d copies: %v", i.Replicas, short)
	}
	if awake := heldByUs(t, w); len(awake) > 0 {
		t.Errorf("still held: %v", awake)
	}
}

// TestHeal_TooLate: two workers were replaced by hand one after the other. What
// lay on both is gone; a run says so, by name, and touches nothing.
func TestHeal_TooLate(t *testing.T) {
	t.Parallel()
	w, i := start(t), small()
	e := worldtest.Build(t, w, i)
	for _, n := range []string{"worker-1", "worker-2"} {
		if err := w.Recreate(t.Context(), n, n+"-b"); err != nil {
			t.Fatal(err)
		}
	}
	lost := worldtest.Truth(t, w).Lost(e)
	if len(lost) == 0 {
		t.Fatal("nothing was lost: the scenario proves nothing")
	}
	for _, command := range [][]string{{"run", "worker-3", "--yes", "--delete-node"}, {"drain", "worker-3"}} {
		said := worldtest.Kubectl(t, w, 3, append([]string{"safe-roll"}, command...)...)
		worldtest.Named(t, said, lost)
	}
	if now := worldtest.Truth(t, w).Lost(e); !slices.Equal(now, lost) {
		t.Errorf("lost before %v, after %v", lost, now)
	}
	if awake := heldByUs(t, w); len(awake) > 0 {
		t.Errorf("attached by us: %v", awake)
	}
}

// heldByUs names the volumes that a ticket of ours still holds.
func heldByUs(t *testing.T, w *world.World) []string {
	t.Helper()
	var out []string
	volumes, err := w.Longhorn.LonghornV1beta2().Volumes(standin.Namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range volumes.Items {
		if v.Spec.NodeID != "" && strings.HasPrefix(v.Spec.LastAttachedBy, "safe-roll-") { // before 1.5
			out = append(out, v.Name)
		}
	}
	all, err := w.Longhorn.LonghornV1beta2().VolumeAttachments(standin.Namespace).List(t.Context(), metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		return out
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all.Items {
		for id := range a.Spec.AttachmentTickets {
			if strings.HasPrefix(id, "safe-roll-") {
				out = append(out, a.Name)
			}
		}
	}
	return out
}
