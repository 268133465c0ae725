// SPDX-License-Identifier: Apache-2.0

package lab_test

import (
	"context"
	"os"
	"slices"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/e2e/lab"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// TestMain runs the tests in a site, where machines can be made.
func TestMain(m *testing.M) { os.Exit(worldtest.Main(context.Background(), m)) }

// start starts a lab for one test.
func start(t *testing.T, settings map[string]string) *world.World {
	t.Helper()
	return worldtest.Start(t, world.Options{Lab: &lab.Options{Settings: settings}})
}

// mendSoon has Longhorn replace a failed replica without waiting ten minutes
// for it to come back.
func mendSoon() map[string]string {
	return map[string]string{"replica-replenishment-wait-interval": "10"}
}

func TestIncident_PlainKubectlLosesEveryDetachedVolume(t *testing.T) {
	t.Parallel()
	w := start(t, mendSoon())
	i := scenario.Incident{Workers: 3, Users: 6, LoggedIn: 1, Replicas: 2}
	e := worldtest.Build(t, w, i)
	if lost := worldtest.Truth(t, w).Lost(e); len(lost) > 0 {
		t.Fatalf("lost before anything was done: %v", lost)
	}
	for _, node := range i.WorkerNames() {
		worldtest.Kubectl(t, w, 0, "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=3m")
		worldtest.Kubectl(t, w, 0, "delete", "node", node)
		if err := w.Recreate(t.Context(), node, node); err != nil {
			t.Fatal(err)
		}
		// As the operators did: everything that can be seen is green again.
		if err := w.AttachedHealthy(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	lost := worldtest.Truth(t, w).Lost(e)
	if !slices.Equal(lost, i.Detached()) {
		t.Errorf("lost %v\nwant every detached volume: %v", lost, i.Detached())
	}
	// Longhorn's objects have nothing to say about it; the tool names each.
	said := worldtest.Kubectl(t, w, 3, "safe-roll", "verify", "-o", "wide")
	worldtest.Named(t, said, lost)
}
