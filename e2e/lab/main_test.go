// SPDX-License-Identifier: Apache-2.0

package lab_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/e2e/lab"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// TestMain runs the tests in a site, where machines can be made.
func TestMain(m *testing.M) {
	os.Exit(lab.Main(warm, m.Run))
}

func warm() int {
	if err := world.Warm(context.Background(), os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// start starts a lab for one test; its logs stay where the test fails.
func start(t *testing.T, settings map[string]string) *world.World {
	t.Helper()
	if err := lab.Missing(); err != nil {
		t.Skip(err)
	}
	began := time.Now()
	w, err := world.Start(t.Context(), world.Options{Out: os.Stderr, Lab: &lab.Options{Settings: settings}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if calls := w.Lab.Plane.Unanswered(); len(calls) > 0 {
			t.Errorf("calls of the manager that the stand-in does not know: %v", calls)
		}
		if t.Failed() {
			t.Logf("logs in %s", w.CloseKeepingLogs())
			return
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Logf("control plane after %s", time.Since(began).Round(time.Second))
	return w
}

// build builds the cluster of the incident.
func build(t *testing.T, w *world.World, i scenario.Incident) scenario.Expected {
	t.Helper()
	began := time.Now()
	e, err := i.Build(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("built in %s", time.Since(began).Round(time.Second))
	return e
}

func truth(t *testing.T, w *world.World) scenario.Truth {
	t.Helper()
	tr, err := w.Truth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// kubectl runs it and fails the test unless it ends with the exit code.
func kubectl(t *testing.T, w *world.World, exit int, args ...string) world.Said {
	t.Helper()
	said, err := w.Kubectl(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	if said.Exit != exit {
		t.Fatalf("kubectl %v: exit %d, want %d\n%s", args, said.Exit, exit, said.All())
	}
	return said
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
	e := build(t, w, i)
	if lost := truth(t, w).Lost(e); len(lost) > 0 {
		t.Fatalf("lost before anything was done: %v", lost)
	}
	for _, node := range i.WorkerNames() {
		kubectl(t, w, 0, "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=3m")
		kubectl(t, w, 0, "delete", "node", node)
		if err := w.Recreate(t.Context(), node, node); err != nil {
			t.Fatal(err)
		}
		// As the operators did: everything that can be seen is green again.
		if err := w.AttachedHealthy(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	lost := truth(t, w).Lost(e)
	if !slices.Equal(lost, i.Detached()) {
		t.Errorf("lost %v\nwant every detached volume: %v", lost, i.Detached())
	}
	// Longhorn's objects have nothing to say about it; the tool names each.
	said := kubectl(t, w, 3, "safe-roll", "verify", "-o", "wide")
	for _, volume := range lost {
		if !strings.Contains(said.All(), volume) {
			t.Errorf("%s is lost and not named:\n%s", volume, said.All())
		}
	}
}
