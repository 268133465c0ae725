// SPDX-License-Identifier: Apache-2.0

package lab_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// TestRoll_LosesNothing tells one story on one cluster, because Longhorn takes
// minutes to start: every worker is replaced under its own name, then one under a
// new name; with a fourth worker one goes without a single volume ever having
// fewer copies than it should; and what can never complete is refused.
func TestRoll_LosesNothing(t *testing.T) {
	t.Parallel()
	w := start(t, mendSoon())
	i := scenario.Incident{Workers: 3, Users: 6, LoggedIn: 1, Replicas: 2}
	e := worldtest.Build(t, w, i)
	record(t, w, "built")

	t.Run("three in a row under the same names", func(t *testing.T) {
		x := w.Watch(t.Context(), e, 2)
		roll(t, w, i.WorkerNames(), "--replace-command=machine replace")
		judge(t, x)
	})
	t.Run("one under a new name", func(t *testing.T) {
		x := w.Watch(t.Context(), e, 2)
		roll(t, w, []string{"worker-1"}, "--replace-command=machine replace -b")
		judge(t, x)
	})
	t.Run("evicted ahead of the drain with four workers", func(t *testing.T) {
		if err := w.AddNode(t.Context(), scenario.Node{Name: "worker-4", Role: "worker"}); err != nil {
			t.Fatal(err)
		}
		x := w.Watch(t.Context(), e, 2)
		roll(t, w, []string{"worker-2"}, "--strategy=evict", "--replace-command=machine replace")
		judge(t, x)
		never(t, x, 2)
	})
	t.Run("a replica that fits nowhere beside volumes that need it moved", func(t *testing.T) {
		worldtest.Kubectl(t, w, 0, "patch", "nodes.longhorn.io", "-n", "longhorn-system", "worker-4", "--type=merge", "-p", `{"spec":{"allowScheduling":false}}`)
		if err := threes(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		said := worldtest.Kubectl(t, w, 3, "safe-roll", "run", "worker-3", "--yes", "--retire-command=machine retire", "--create-command=machine create")
		worldtest.Named(t, said, []string{"plan/no-room", "volume/one-copy-left"})
		if now := worldtest.Kubectl(t, w, 0, "get", "node", "worker-3", "-o", "jsonpath={.spec.unschedulable}"); now.Out == "true" {
			t.Error("the refusal left a cordon")
		}
	})
}

// TestRoll_ThreeReplicasOnThreeNodesAreRefilled: nothing can be moved ahead, so
// each node is drained with two copies of everything left, and rebuilt.
func TestRoll_ThreeReplicasOnThreeNodesAreRefilled(t *testing.T) {
	t.Parallel()
	w := start(t, mendSoon())
	i := scenario.Incident{Workers: 3, Users: 4, LoggedIn: 1, Replicas: 3}
	e := worldtest.Build(t, w, i)
	x := w.Watch(t.Context(), e, 3)
	roll(t, w, i.WorkerNames()[:2], "--retire-command=machine retire", "--create-command=machine create")
	judge(t, x)
	never(t, x, 2)
}

// roll runs the tool over the nodes.
func roll(t *testing.T, w *world.World, nodes []string, flags ...string) {
	t.Helper()
	began := time.Now()
	args := append(append([]string{"safe-roll", "run"}, nodes...), "--yes", "--look-interval=5s")
	said := worldtest.Kubectl(t, w, 0, append(args, flags...)...)
	t.Logf("rolled %v in %s\n%s", nodes, time.Since(began).Round(time.Second), said.All())
	record(t, w, "rolled")
}

// judge asks the disks, the oracle by all that was seen, and then the tool.
func judge(t *testing.T, x *world.Witness) {
	t.Helper()
	tr := worldtest.Truth(t, x.World)
	if lost := tr.Lost(x.Expected); len(lost) > 0 {
		t.Errorf("lost %v", lost)
	}
	if short := tr.Short(x.Expected, x.Want); len(short) > 0 {
		t.Errorf("fewer than %d copies on live nodes: %v", x.Want, short)
	}
	report, err := x.Judge(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range report.Violations {
		t.Error(v)
	}
	for _, n := range report.NotJudged {
		t.Logf("not judged: %s: %s", n.Invariant, n.Why)
	}
	t.Logf("fewest copies at any moment: %v", x.Least())
	worldtest.Kubectl(t, x.World, 0, "safe-roll", "verify")
}

// never fails the test if a volume had fewer copies at any moment.
func never(t *testing.T, x *world.Witness, fewerThan int) {
	t.Helper()
	for volume, n := range x.Least() {
		if n < fewerThan {
			t.Errorf("%s had %d copies for a while", volume, n)
		}
	}
}

// threes makes two volumes with three replicas, one in use and one asleep.
func threes(ctx context.Context, w *world.World) error {
	for _, name := range []string{"three-awake", "three-asleep"} {
		if err := use(ctx, w, scenario.Volume{Name: name, Replicas: 3, Bytes: 1 << 30}, bytesOf(name)); err != nil {
			return err
		}
	}
	return w.Stop(ctx, "three-asleep")
}

// use makes a volume whose pod has written data to it, and runs.
func use(ctx context.Context, w *world.World, v scenario.Volume, data []byte) error {
	if err := w.CreateVolume(ctx, v); err != nil {
		return err
	}
	if err := w.Run(ctx, scenario.Workload{Name: v.Name, Volume: v.Name, Replicas: 1}); err != nil {
		return err
	}
	return w.Write(ctx, v.Name, data)
}

// used is use, of which a test needs the end.
func used(t *testing.T, w *world.World, v scenario.Volume, data []byte) {
	t.Helper()
	if err := use(t.Context(), w, v, data); err != nil {
		t.Fatal(err)
	}
}

// bytesOf is what a test writes into a volume.
func bytesOf(volume string) []byte { return []byte("the bytes of " + volume + "\n") }

// record keeps what the cluster is like now, where that is asked for.
func record(t *testing.T, w *world.World, step string) {
	t.Helper()
	if err := w.Record(t.Context(), strings.ReplaceAll(t.Name(), "/", "-"), step); err != nil {
		t.Fatal(err)
	}
}
