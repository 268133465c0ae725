// SPDX-License-Identifier: Apache-2.0

package lab_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/e2e/lab"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// TestRoll_AmongMishaps has things go wrong before a roll and in the middle of
// it, on four workers. Whoever is stopped by that runs the same command again.
func TestRoll_AmongMishaps(t *testing.T) {
	long(t)
	t.Parallel()
	w := start(t, mendSoon())
	i := scenario.Incident{Workers: 4, Users: 5, LoggedIn: 1, Replicas: 2}
	e := worldtest.Build(t, w, i)
	t.Run("a manager is down", func(t *testing.T) { managerDown(t, w, e) })
	t.Run("a manager ends in the middle, and somebody has cordoned a node", func(t *testing.T) { managerEnds(t, w, e) })
	t.Run("a node is off in the middle of a rebuild", func(t *testing.T) { offInRebuild(t, w, e) })
	t.Run("a node comes back with a part of its disk", func(t *testing.T) { backInPart(t, w, e) })
	t.Run("a node in use was deleted undrained", func(t *testing.T) { deletedUndrained(t, w, e) })
}

// managerDown: what a node's manager does not report is not known, and nothing
// begins.
func managerDown(t *testing.T, w *world.World, e scenario.Expected) {
	if err := w.StopManager(t.Context(), "worker-3"); err != nil {
		t.Fatal(err)
	}
	storageReady(t, w, "worker-3", longhorn.ConditionStatusFalse)
	before := touched(t, w)
	said := refused(t, w, "run", "worker-1", "--yes", "--look-interval=5s", "--replace-command=machine replace")
	worldtest.Named(t, said, []string{"worker-3"})
	if now := touched(t, w); now != before {
		t.Errorf("the refusal changed something: before\n%s\nafter\n%s", before, now)
	}
	if err := w.StartManager(t.Context(), "worker-3"); err != nil {
		t.Fatal(err)
	}
	storageReady(t, w, "worker-3", longhorn.ConditionStatusTrue)
	if short := worldtest.Truth(t, w).Short(e, 2); len(short) > 0 {
		t.Errorf("fewer than 2 copies: %v", short)
	}
}

// managerEnds: a node that somebody has cordoned gets nothing, and is left so.
func managerEnds(t *testing.T, w *world.World, e scenario.Expected) {
	worldtest.Kubectl(t, w, 0, "cordon", "worker-4")
	x := w.Watch(t.Context(), e, 2)
	x.Theirs("worker-4")
	ended := false
	insist(t, w, func(_ *running, line string) {
		if ended || !strings.Contains(line, "worker-1 · evacuate") {
			return
		}
		ended = true
		if err := w.StopManager(t.Context(), "worker-3"); err != nil {
			t.Error(err)
		}
		time.AfterFunc(40*time.Second, func() { _ = w.StartManager(t.Context(), "worker-3") })
	}, "run", "worker-1", "--yes", "--look-interval=5s", "--replace-command=machine replace")
	if !ended {
		t.Error("the manager never ended")
	}
	judge(t, x)
	if now := worldtest.Kubectl(t, w, 0, "get", "node", "worker-4", "-o", "jsonpath={.spec.unschedulable}"); now.Out != "true" {
		t.Error("somebody else's cordon is gone")
	}
	worldtest.Kubectl(t, w, 0, "uncordon", "worker-4")
}

// offInRebuild: the node to which a replica is being moved loses its power, for
// longer than anybody overlooks it. The volume takes long to be copied.
func offInRebuild(t *testing.T, w *world.World, e scenario.Expected) {
	data := bytes.Repeat([]byte("."), 100*lab.DefaultRate)
	used(t, w, scenario.Volume{Name: large, Replicas: 2, Bytes: 1 << 30}, data)
	e[large] = scenario.Sum(data)
	if err := w.Stop(t.Context(), large); err != nil {
		t.Fatal(err)
	}
	x := w.Watch(t.Context(), e, 2)
	args := []string{"run", worldtest.Truth(t, w)[large][0].Node, "--yes", "--look-interval=5s", "--replace-command=machine replace"}
	r := begin(t, w, nil, args...)
	var target string
	r.until("a rebuild", func() bool {
		target = rebuilding(t, w, large)
		return target != ""
	})
	t.Logf("%s is switched off while a replica is copied to it", target)
	if err := w.PowerOff(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	ready(t, w, target, "Unknown")
	time.Sleep(10 * time.Second)
	if err := w.PowerOn(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	ready(t, w, target, "True")
	w.Lab.Plane.SetRate(100 * lab.DefaultRate)
	if exit := r.end(); exit != 0 {
		t.Logf("exit %d, and once more:\n%s", exit, r.all())
		insist(t, w, nil, args...)
	} else {
		t.Logf("it went on by itself:\n%s", r.all())
	}
	judge(t, x)
}

// large is a detached volume that takes long to be copied.
const large = "large"

// backInPart: a node was off, and what its disk held of one volume is gone when
// it comes back. No object tells; a look into the directories does.
func backInPart(t *testing.T, w *world.World, e scenario.Expected) {
	whole := slices.DeleteFunc(worldtest.Truth(t, w)[large], func(c scenario.Copy) bool { return c.Sum != e[large] })
	node, next := whole[0].Node, whole[1].Node
	if err := w.PowerOff(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	ready(t, w, node, "Unknown")
	worldtest.Named(t, refused(t, w, "run", next, "--yes", "--replace-command=machine replace"), []string{node})
	if err := w.RemoveData(t.Context(), node, large); err != nil {
		t.Fatal(err)
	}
	if err := w.PowerOn(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	ready(t, w, node, "True")
	storageReady(t, w, node, longhorn.ConditionStatusTrue)
	if err := w.AttachedHealthy(t.Context()); err != nil {
		t.Fatal(err)
	}
	worldtest.Named(t, worldtest.Kubectl(t, w, 3, "safe-roll", "verify", "--probe", "-o", "wide"), []string{large})
	x := w.Watch(t.Context(), e, 2)
	insist(t, w, nil, "run", next, "--yes", "--probe", "--look-interval=5s", "--replace-command=machine replace")
	judge(t, x)
}

// refused runs the tool and fails the test unless it refuses.
func refused(t *testing.T, w *world.World, args ...string) world.Said {
	t.Helper()
	said, err := w.Kubectl(t.Context(), append([]string{"safe-roll"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	if said.Exit != 3 && said.Exit != 4 {
		t.Fatalf("safe-roll %v: exit %d is no refusal\n%s", args, said.Exit, said.All())
	}
	t.Log(said.All())
	return said
}

// deletedUndrained: Kubernetes holds what was attached there for six minutes, and
// nobody knows meanwhile what its engine serves. A roll that is begun then waits.
func deletedUndrained(t *testing.T, w *world.World, e scenario.Expected) {
	at := worldtest.Kubectl(t, w, 0, "get", "pods", "-l", "app=prometheus", "-o", "jsonpath={.items[0].spec.nodeName}").Out
	if err := w.Recreate(t.Context(), at, at+"-b"); err != nil {
		t.Fatal(err)
	}
	next := "worker-2"
	if at == next {
		next = "worker-3"
	}
	x := w.Watch(t.Context(), e, 2)
	roll(t, w, []string{next}, "--replace-command=machine replace")
	judge(t, x)
}

// rebuilding is the node to which a replica of the volume is copied, if any.
func rebuilding(t *testing.T, w *world.World, volume string) string {
	t.Helper()
	lh := w.Longhorn.LonghornV1beta2()
	engines, err := lh.Engines(hollow.LonghornNamespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range engines.Items {
		for name, mode := range e.Status.ReplicaModeMap {
			if e.Spec.VolumeName != volume || mode != longhorn.ReplicaModeWO {
				continue
			}
			if r, err := lh.Replicas(hollow.LonghornNamespace).Get(t.Context(), name, metav1.GetOptions{}); err == nil {
				return r.Spec.NodeID
			}
		}
	}
	return ""
}

// ready waits until Kubernetes says that of the node.
func ready(t *testing.T, w *world.World, node, is string) {
	t.Helper()
	worldtest.Kubectl(t, w, 0, "wait", "node", node, "--for=condition=Ready="+is, "--timeout=2m")
}

// storageReady waits until Longhorn says that of its node.
func storageReady(t *testing.T, w *world.World, node string, is longhorn.ConditionStatus) {
	t.Helper()
	worldtest.Kubectl(t, w, 0, "wait", "nodes.longhorn.io", node, "-n", hollow.LonghornNamespace, "--for=condition=Ready="+string(is), "--timeout=3m")
}

// TestRoll_UnderEveryDrainPolicy replaces one node after the other, each with
// Longhorn's protection of drains set to another value.
func TestRoll_UnderEveryDrainPolicy(t *testing.T) {
	long(t)
	t.Parallel()
	w := start(t, mendSoon())
	i := scenario.Incident{Workers: 4, Users: 4, LoggedIn: 1, Replicas: 2}
	e := worldtest.Build(t, w, i)
	for n, policy := range []string{
		"block-if-contains-last-replica", "allow-if-replica-is-stopped", "always-allow",
		"block-for-eviction", "block-for-eviction-if-contains-last-replica",
	} {
		t.Run(policy, func(t *testing.T) {
			worldtest.Kubectl(t, w, 0, "patch", "settings.longhorn.io", "node-drain-policy", "-n", hollow.LonghornNamespace, "--type=merge", "-p", `{"value":"`+policy+`"}`)
			x := w.Watch(t.Context(), e, 2)
			roll(t, w, []string{i.WorkerNames()[n%i.Workers]}, "--replace-command=machine replace")
			judge(t, x)
		})
	}
}
