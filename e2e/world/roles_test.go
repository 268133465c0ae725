// SPDX-License-Identifier: Apache-2.0

package world_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// bound applies the printed role for a new user and returns their kubeconfig.
func bound(t *testing.T, w *world.World, role, user string) string {
	t.Helper()
	said := worldtest.Kubectl(t, w, 0, "safe-roll", "rbac", role, "--bind=user:"+user)
	file := filepath.Join(t.TempDir(), role+".yaml")
	if err := os.WriteFile(file, []byte(said.Out), 0o600); err != nil {
		t.Fatal(err)
	}
	worldtest.Kubectl(t, w, 0, "apply", "-f", file)
	kubeconfig, err := w.Cluster.UserKubeconfig(user)
	if err != nil {
		t.Fatal(err)
	}
	return kubeconfig
}

// as runs kubectl as a user and fails the test unless it ends with the code.
func as(t *testing.T, w *world.World, kubeconfig string, exit int, args ...string) world.Said {
	t.Helper()
	said, err := w.KubectlAs(t.Context(), kubeconfig, args...)
	if err != nil {
		t.Fatal(err)
	}
	if said.Exit != exit {
		t.Fatalf("kubectl %v: exit %d, want %d\n%s", args, said.Exit, exit, said.All())
	}
	return said
}

// TestRoles_ThePrintedRightsAreEnough rolls two nodes under the printed role, a
// turn of each strategy, with somebody else looking on and approving.
func TestRoles_ThePrintedRightsAreEnough(t *testing.T) {
	t.Parallel()
	w := start(t)
	i := scenario.Incident{Workers: 3, Users: 4, LoggedIn: 1, Replicas: 2}
	e := worldtest.Build(t, w, i)
	viewer, roller := bound(t, w, "viewer", "vera"), bound(t, w, "roller", "rita")

	as(t, w, viewer, 0, "safe-roll", "verify")
	as(t, w, viewer, 0, "safe-roll", "status")
	said := as(t, w, viewer, 1, "safe-roll", "run", "worker-1", "--yes", "--look-interval=4s", "--delete-node")
	for _, want := range []string{"you may not", "patch nodes", "delete nodes", "kubectl safe-roll rbac roller"} {
		if !strings.Contains(said.Err, want) {
			t.Errorf("no %q in %s", want, said.Err)
		}
	}
	as(t, w, roller, 0, "safe-roll", "drain", "worker-1", "--look-interval=4s", "--dry-run=server")
	metrics := filepath.Join(t.TempDir(), "roll.prom")
	as(t, w, roller, 0, "safe-roll", "run", "worker-1", "--yes", "--look-interval=4s",
		"--metrics-file="+metrics, "--replace-command=machine replace")
	said = as(t, w, roller, 0, "safe-roll", "run", "worker-2", "--yes", "--look-interval=4s",
		"--retire-command=machine retire", "--create-command=machine create")
	if strings.Contains(said.Err, "Note:") {
		t.Errorf("a trace could not be left:\n%s", said.Err)
	}
	report := as(t, w, viewer, 0, "safe-roll", "report", "--check")
	t.Log(report.Out)
	if short := worldtest.Truth(t, w).Short(e, i.Replicas); len(short) > 0 {
		t.Errorf("fewer than %d copies: %v", i.Replicas, short)
	}
	text, err := os.ReadFile(metrics)
	if err != nil || !strings.Contains(string(text), `safe_roll_state{state="finished"} 1`) {
		t.Errorf("%v: %s", err, text)
	}
	events := worldtest.Kubectl(t, w, 0, "get", "events", "-A", "--field-selector", "reason=SafeRollDrained",
		"-o", `jsonpath={range .items[*]}{.involvedObject.name}{"\n"}{end}`)
	told := slices.Compact(slices.Sorted(strings.Lines(events.Out))) // a pod may have come back, and gone again
	if len(told) != 2 {
		t.Errorf("%d nodes were told that they are drained, want 2\n%s", len(told), events.Out)
	}
}
