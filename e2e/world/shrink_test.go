// SPDX-License-Identifier: Apache-2.0

package world_test

import (
	"os"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/e2e/standin"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

const (
	gib    = int64(1) << 30
	worker = "worker-"
)

// shrinking is the small cluster with three copies of seven volumes of 1 GiB on
// three workers: each holds 7 GiB, of a disk of 20 GiB with 30 % reserved.
func shrinking(t *testing.T) (*world.World, scenario.Incident, scenario.Expected) {
	t.Helper()
	if os.Getenv(labEnv) != "" {
		t.Skip("the lab's disks are the machine's own")
	}
	w := startAs(t, standin.Options{DiskSize: 20 * gib, Settings: map[string]string{"replica-replenishment-wait-interval": "2"}})
	i := small()
	i.Replicas = 3
	return w, i, worldtest.Build(t, w, i)
}

// sizes are those of the workers' disks, in GiB.
func sizes(t *testing.T, w *world.World) map[string]int64 {
	t.Helper()
	nodes, err := w.Longhorn.LonghornV1beta2().Nodes(standin.Namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int64{}
	for _, n := range nodes.Items {
		if !strings.HasPrefix(n.Name, worker) {
			continue
		}
		for _, d := range n.Status.DiskStatus {
			out[n.Name] = d.StorageMaximum / gib
		}
	}
	return out
}

func replaceAll(extra ...string) []string {
	return append([]string{
		"safe-roll", "run", "worker-1", "worker-2", "worker-3", "--yes", "--look-interval=4s",
		"--retire-command=machine retire", "--create-command=machine create",
	}, extra...)
}

// TestShrink_ToHalfTheDisk: what cannot fit is refused before any change, with
// the size that would do; what can is done, and every byte is there.
func TestShrink_ToHalfTheDisk(t *testing.T) {
	t.Parallel()
	w, i, e := shrinking(t)
	before := specs(t, w)
	for _, args := range [][]string{
		{"safe-roll", "plan", "worker-1", "worker-2", "worker-3", "--replacement-disk=9Gi"}, replaceAll("--replacement-disk=9Gi"),
	} {
		said := worldtest.Kubectl(t, w, 3, args...)
		if !strings.Contains(said.All(), "a replacement with disks of 10 GiB or more") {
			t.Errorf("no way out is named:\n%s", said.All())
		}
	}
	sameSpecs(t, before, specs(t, w))
	w.Standin.SetDiskSize(10 * gib)
	said := worldtest.Kubectl(t, w, 0, replaceAll("--replacement-disk=10Gi")...)
	t.Log(said.All())
	for node, size := range sizes(t, w) {
		if size != 10 {
			t.Errorf("the disk of %s has %d GiB", node, size)
		}
	}
	tr := worldtest.Truth(t, w)
	if short := tr.Short(e, i.Replicas); len(short) > 0 {
		t.Errorf("fewer than %d copies: %v", i.Replicas, short)
	}
	worldtest.Kubectl(t, w, 0, "safe-roll", "verify")
}

// TestShrink_AReplacementSmallerThanSaid: nobody said that the machines to come
// are smaller. The first that is too small ends the roll with what it lacks;
// nothing is lost, and with a larger one in its place the roll goes on. The
// next, smaller than before and large enough, is noticed and passes.
func TestShrink_AReplacementSmallerThanSaid(t *testing.T) {
	t.Parallel()
	w, i, e := shrinking(t)
	w.Standin.SetDiskSize(9 * gib)
	said := worldtest.Kubectl(t, w, 3, replaceAll()...)
	t.Log(said.All())
	for _, want := range []string{"the replacements have less space than was foreseen", "disks of 10 GiB or more"} {
		if !strings.Contains(said.All(), want) {
			t.Errorf("it never says %q", want)
		}
	}
	if short := worldtest.Truth(t, w).Short(e, i.Replicas-1); len(short) > 0 {
		t.Errorf("below the floor: %v", short)
	}
	if awake := heldByUs(t, w); len(awake) > 0 {
		t.Errorf("still held: %v", awake)
	}
	if s := sizes(t, w); s["worker-1"] != 9 || s["worker-2"] != 20 || s["worker-3"] != 20 {
		t.Errorf("another machine was replaced: %v GiB", s)
	}
	// The way out: its disk is made larger, as clouds can.
	w.Standin.GrowDisks(10 * gib)
	w.Standin.SetDiskSize(10 * gib)
	said = worldtest.Kubectl(t, w, 0, replaceAll()...)
	t.Log(said.All())
	if s := sizes(t, w); s["worker-1"] != 10 || s["worker-2"] != 10 || s["worker-3"] != 10 {
		t.Errorf("%v GiB", s)
	}
	if short := worldtest.Truth(t, w).Short(e, i.Replicas); len(short) > 0 {
		t.Errorf("fewer than %d copies: %v", i.Replicas, short)
	}
}
