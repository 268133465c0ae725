// SPDX-License-Identifier: Apache-2.0

package lab_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// TestHeal_SomebodyReplacedANodeByHand tells what a roll does where others were
// before it, on one cluster, because Longhorn takes minutes to start. A worker was
// replaced under a new name: its replicas' objects keep every other node from
// being drained, and Longhorn says nowhere why. Another was replaced under its
// own name: a volume of it hangs although its other copy is whole. Then two were,
// one after the other, and it is too late.
func TestHeal_SomebodyReplacedANodeByHand(t *testing.T) {
	t.Parallel()
	w := start(t, mendSoon())
	i := scenario.Incident{Workers: 3, Users: 6, LoggedIn: 1, Replicas: 2}
	e := worldtest.Build(t, w, i)
	t.Run("under a new name, and every drain hangs", func(t *testing.T) { underANewName(t, w, e) })
	hung := ""
	t.Run("under its own name, and a volume hangs", func(t *testing.T) { hung = underItsOwnName(t, w, e) })
	t.Run("twice, and it is too late", func(t *testing.T) {
		asleep := slices.DeleteFunc(i.Detached(), func(v string) bool { return v == hung })
		tooLate(t, w, e, asleep)
	})
}

// byHand replaces a node as operators do: it is drained, deleted and made anew,
// and everything that can be seen is green again. Without the drain Kubernetes
// itself would take six minutes to let go of what was attached there.
func byHand(t *testing.T, w *world.World, node, as string) {
	t.Helper()
	worldtest.Kubectl(t, w, 0, "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=3m")
	if err := w.Recreate(t.Context(), node, as); err != nil {
		t.Fatal(err)
	}
	if err := w.AttachedHealthy(t.Context()); err != nil {
		t.Fatal(err)
	}
	record(t, w, node+"-as-"+as)
}

// phantoms are the replicas that Longhorn counts, and whose disk there is not.
func phantoms(t *testing.T, w *world.World) []longhorn.Replica {
	t.Helper()
	lh := w.Longhorn.LonghornV1beta2()
	nodes, err := lh.Nodes(hollow.LonghornNamespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	disks := map[string]bool{}
	for _, n := range nodes.Items {
		for _, d := range n.Status.DiskStatus {
			disks[d.DiskUUID] = n.DeletionTimestamp == nil
		}
	}
	all, err := lh.Replicas(hollow.LonghornNamespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all.Items, func(r longhorn.Replica) bool {
		return r.Spec.HealthyAt == "" || r.Spec.FailedAt != "" || disks[r.Spec.DiskID]
	})
}

func underANewName(t *testing.T, w *world.World, e scenario.Expected) {
	byHand(t, w, "worker-1", "worker-1-b")
	short, dead := worldtest.Truth(t, w).Short(e, 2), phantoms(t, w)
	if len(short) == 0 || len(dead) == 0 {
		t.Fatal("no detached volume had a replica on worker-1")
	}
	said := worldtest.Kubectl(t, w, 3, "safe-roll", "verify", "-o", "wide")
	worldtest.Named(t, said, short)
	blocked, err := w.Kubectl(t.Context(), "drain", "worker-2", "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=30s")
	if err != nil {
		t.Fatal(err)
	}
	if blocked.Exit == 0 {
		t.Error("a phantom does not block a drain: there is nothing to heal")
	}
	worldtest.Kubectl(t, w, 0, "uncordon", "worker-2")
	if err := w.AttachedHealthy(t.Context()); err != nil {
		t.Fatal(err)
	}
	plan := worldtest.Kubectl(t, w, 0, "safe-roll", "plan", "worker-2", "-o", "json")
	for _, r := range dead {
		worldtest.Named(t, said, []string{r.Name})
		worldtest.Named(t, plan, []string{r.Name})
	}
	x := w.Watch(t.Context(), e, 2)
	roll(t, w, []string{"worker-2"}, "--replace-command=machine replace")
	judge(t, x)
}

// underItsOwnName returns the volume that hung.
func underItsOwnName(t *testing.T, w *world.World, e scenario.Expected) string {
	byHand(t, w, "worker-3", "worker-3")
	dead := phantoms(t, w)
	if len(dead) == 0 {
		t.Fatal("no detached volume had a replica on worker-3")
	}
	volume := dead[0].Spec.VolumeName
	worldtest.Kubectl(t, w, 0, "scale", "statefulset", volume, "--replicas=1")
	hangs(t, w, volume)
	said := worldtest.Kubectl(t, w, 3, "safe-roll", "verify", "-o", "wide")
	worldtest.Named(t, said, []string{dead[0].Name})
	blind := worldtest.Kubectl(t, w, 3, "safe-roll", "drain", "worker-2")
	if !strings.Contains(blind.All(), "--probe") {
		t.Errorf("the refusal does not say what would help:\n%s", blind.All())
	}
	x := w.Watch(t.Context(), e, 2)
	roll(t, w, []string{"worker-2"}, "--probe", "--replace-command=machine replace")
	if took := runs(t, w, volume); took > 20*time.Second {
		t.Errorf("the pod of %s waited %s more", volume, took)
	}
	judge(t, x)
	return volume
}

// hangs fails unless the volume is being attached, and goes on being so.
func hangs(t *testing.T, w *world.World, volume string) {
	t.Helper()
	for range 12 {
		time.Sleep(5 * time.Second)
		v, err := w.Longhorn.LonghornV1beta2().Volumes(hollow.LonghornNamespace).Get(t.Context(), volume, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if v.Status.State == longhorn.VolumeStateAttached {
			t.Fatalf("volume %s is attached, and does not hang", volume)
		}
	}
}

func tooLate(t *testing.T, w *world.World, e scenario.Expected, asleep []string) {
	byHand(t, w, "worker-3", "worker-3")
	byHand(t, w, "worker-1-b", "worker-1-b")
	lost := worldtest.Truth(t, w).Lost(e)
	if !slices.Equal(lost, asleep) {
		t.Fatalf("lost %v\nwant every detached volume: %v", lost, asleep)
	}
	before := touched(t, w)
	for _, command := range [][]string{{"run", "worker-2", "--yes", "--delete-node"}, {"drain", "worker-2"}} {
		worldtest.Named(t, worldtest.Kubectl(t, w, 3, append([]string{"safe-roll"}, command...)...), lost)
	}
	if now := worldtest.Truth(t, w).Lost(e); !slices.Equal(now, lost) {
		t.Errorf("lost before %v, after %v", lost, now)
	}
	// What was left is left as it was, and is still protected.
	if now := touched(t, w); now != before {
		t.Errorf("something was changed: before\n%s\nafter\n%s", before, now)
	}
	whole := worldtest.Truth(t, w).Short(e, 2)
	if !slices.Equal(whole, lost) {
		t.Errorf("besides the lost ones these are short of copies: %v", whole)
	}
	worldtest.Kubectl(t, w, 3, "safe-roll", "verify", "worker-2")
}

// touched is what a roll would change: tickets, replicas, and what nodes accept.
func touched(t *testing.T, w *world.World) string {
	t.Helper()
	tickets := worldtest.Kubectl(t, w, 0, "get", "volumeattachments.longhorn.io", "-n", "longhorn-system", "-o",
		`jsonpath={range .items[*]}{.metadata.name} {.spec.attachmentTickets}{"\n"}{end}`)
	replicas := worldtest.Kubectl(t, w, 0, "get", "replicas.longhorn.io", "-n", "longhorn-system", "-o", "name")
	nodes := worldtest.Kubectl(t, w, 0, "get", "nodes.longhorn.io", "-n", "longhorn-system", "-o",
		`jsonpath={range .items[*]}{.metadata.name} {.spec.allowScheduling} {.spec.evictionRequested}{"\n"}{end}`)
	cordons := worldtest.Kubectl(t, w, 0, "get", "nodes", "-o", `jsonpath={range .items[*]}{.metadata.name} {.spec.unschedulable}{"\n"}{end}`)
	return tickets.Out + replicas.Out + nodes.Out + cordons.Out
}

// runs waits for the pod of a volume and returns how long that took.
func runs(t *testing.T, w *world.World, volume string) time.Duration {
	t.Helper()
	began := time.Now()
	for time.Since(began) < 2*time.Minute {
		phase := worldtest.Kubectl(t, w, 0, "get", "pods", "-l", "app="+volume, "-o", "jsonpath={.items[*].status.phase}")
		if phase.Out == "Running" {
			return time.Since(began)
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Fatalf("the pod of %s does not run", volume)
	return 0
}
