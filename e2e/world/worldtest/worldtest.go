// SPDX-License-Identifier: Apache-2.0

package worldtest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/e2e/lab"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// Main runs the tests in a site, where a lab's machines can be made, and returns
// their exit code. What they consist of is built before: in a site there is no
// way to the network.
func Main(ctx context.Context, m *testing.M) int {
	return lab.Main(func() int {
		if err := world.Warm(ctx, os.Stderr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}, m.Run)
}

// Start starts a world for one test; its logs stay where the test fails. A test
// that wants a lab is skipped where there can be none.
func Start(t *testing.T, o world.Options) *world.World {
	t.Helper()
	if o.Lab != nil {
		if err := lab.Missing(); err != nil {
			t.Skip(err)
		}
	}
	began := time.Now()
	o.Out = os.Stderr
	w, err := world.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, w) })
	t.Logf("control plane after %s", time.Since(began).Round(time.Second))
	return w
}

func end(t *testing.T, w *world.World) {
	if w.Lab != nil {
		if calls := w.Lab.Plane.Unanswered(); len(calls) > 0 {
			t.Errorf("calls of the manager that the stand-in does not know: %v", calls)
		}
	}
	if t.Failed() {
		t.Logf("logs in %s", w.CloseKeepingLogs())
		return
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// Build builds the cluster of the incident and returns what was written.
func Build(t *testing.T, w *world.World, i scenario.Incident) scenario.Expected {
	t.Helper()
	began := time.Now()
	e, err := i.Build(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("built in %s", time.Since(began).Round(time.Second))
	return e
}

// Truth is what lies on the disks.
func Truth(t *testing.T, w *world.World) scenario.Truth {
	t.Helper()
	tr, err := w.Truth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// Kubectl runs it and ends the test unless it ends with the exit code.
func Kubectl(t *testing.T, w *world.World, exit int, args ...string) world.Said {
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

// Named fails the test unless everything is named in what was said.
func Named(t *testing.T, said world.Said, what []string) {
	t.Helper()
	for _, name := range what {
		if !strings.Contains(said.All(), name) {
			t.Errorf("%s is not named:\n%s", name, said.All())
		}
	}
}
