// SPDX-License-Identifier: Apache-2.0

package lab_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// TestIncident_NewNames replaces the three workers twice, each time under new
// names: by safe-roll, which loses nothing, and then by plain kubectl, whose
// second drain hangs for a reason that is told nowhere. Whoever answers that with
// force, as people do, loses every detached volume.
func TestIncident_NewNames(t *testing.T) {
	t.Parallel()
	w := start(t, mendSoon())
	i := scenario.Incident{Workers: 3, Users: 6, LoggedIn: 1, Replicas: 2}
	e := worldtest.Build(t, w, i)
	x := w.Watch(t.Context(), maps.Clone(e), i.Replicas)
	roll(t, w, i.WorkerNames(), "--retire-command=machine retire", "--create-command=machine create -b")
	judge(t, x)

	// The last node to be rolled is empty by now: these get a replica there.
	asleep := i.Detached()
	s := &shared{World: w, t: t, e: e}
	for _, name := range []string{"late-1", "late-2", "late-3"} {
		s.made(scenario.Volume{Name: name, Replicas: 2})
		s.must(w.Stop(t.Context(), name))
		asleep = append(asleep, name)
	}
	slices.Sort(asleep)
	for n, force := range []func(node string){
		func(string) {}, // the first drain does not hang
		func(node string) {
			worldtest.Kubectl(t, w, 0, "delete", "pods", "-n", "longhorn-system", "-l", "longhorn.io/component=instance-manager",
				"--field-selector=spec.nodeName="+node, "--grace-period=0", "--force")
		},
		func(node string) {
			worldtest.Kubectl(t, w, 0, "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--disable-eviction", "--timeout=2m")
		},
	} {
		node := i.WorkerNames()[n] + "-b"
		record(t, w, fmt.Sprintf("%d-before", n))
		if hangs := !drains(t, w, node); hangs != (n > 0) {
			t.Fatalf("the drain of %s hangs: %v", node, hangs)
		}
		force(node)
		worldtest.Kubectl(t, w, 0, "delete", "node", node)
		if err := w.Recreate(t.Context(), node, i.WorkerNames()[n]+"-c"); err != nil {
			t.Fatal(err)
		}
		// Everything that can be seen is green again.
		if err := w.AttachedHealthy(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s was forced: %s", node, worldtest.Truth(t, w).Statement(e, i.Replicas))
		worldtest.Named(t, worldtest.Kubectl(t, w, 3, "safe-roll", "verify", "-o", "wide"), worldtest.Truth(t, w).Short(e, i.Replicas))
	}
	lost := worldtest.Truth(t, w).Lost(e)
	if !slices.Equal(lost, asleep) {
		t.Errorf("lost %v\nwant every detached volume: %v", lost, asleep)
	}
	record(t, w, "3-all-forced")
	t.Logf("lost: %v", lost)
}

// drains says whether plain kubectl drains the node within a minute.
func drains(t *testing.T, w *world.World, node string, flags ...string) bool {
	t.Helper()
	args := append([]string{"drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=60s"}, flags...)
	said, err := w.Kubectl(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return said.Exit == 0
}
