// SPDX-License-Identifier: Apache-2.0

package world_test

import (
	"bufio"
	"io"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// TestRun_PausesBetweenNodesUntilSomebodyApproves approves the second turn from
// another process when the roll asks for it, and not before.
func TestRun_PausesBetweenNodesUntilSomebodyApproves(t *testing.T) {
	t.Parallel()
	w := start(t)
	i := scenario.Incident{Workers: 3, Users: 3, LoggedIn: 1, Replicas: 2}
	e := worldtest.Build(t, w, i)
	r, out := io.Pipe()
	cmd, err := w.StartKubectl(t.Context(), out, "safe-roll", "run", "worker-1", "worker-2", "--yes",
		"--pause-between-nodes", "--look-interval=4s", "--replace-command=machine replace")
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	done := make(chan bool, 1)
	go func() {
		approved := false
		for lines := bufio.NewScanner(r); lines.Scan(); {
			said.WriteString(lines.Text() + "\n")
			if !approved && strings.Contains(lines.Text(), "approval of the turn of worker-2") {
				approved = true
				other, err := w.Kubectl(t.Context(), "safe-roll", "approve", "worker-1")
				if err != nil || other.Exit != 1 {
					t.Errorf("approved a turn that does not wait: %v %s", err, other.All())
				}
				if said, err := w.Kubectl(t.Context(), "safe-roll", "approve"); err != nil || said.Exit != 0 {
					t.Errorf("not approved: %v %s", err, said.All())
				}
			}
		}
		done <- approved
	}()
	err = cmd.Wait()
	_ = out.Close()
	if approved := <-done; err != nil || !approved || !strings.Contains(said.String(), "was approved by") {
		t.Fatalf("%v, asked: %v\n%s", err, approved, said.String())
	}
	if short := worldtest.Truth(t, w).Short(e, i.Replicas); len(short) > 0 {
		t.Errorf("fewer than %d copies: %v", i.Replicas, short)
	}
}
