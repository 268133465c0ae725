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

// TestRun_MachinesThatGoAndComeByHand replaces one worker whose Node the tool
// deletes, and one that a person takes away when the tool says so.
func TestRun_MachinesThatGoAndComeByHand(t *testing.T) {
	t.Parallel()
	w := start(t)
	i := scenario.Incident{Workers: 3, Users: 4, LoggedIn: 1, Replicas: 2}
	e := worldtest.Build(t, w, i)
	for _, c := range []struct {
		node, cue string
		flags     []string
	}{
		{"worker-1", "node worker-1 is gone", []string{"--delete-node"}},
		{"worker-2", "delete its machine and its Node object now", nil},
	} {
		r, out := io.Pipe()
		args := append([]string{"safe-roll", "run", c.node, "--yes", "--look-interval=4s"}, c.flags...)
		cmd, err := w.StartKubectl(t.Context(), out, args...)
		if err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		done := make(chan error, 1)
		go func() {
			replaced := false
			for lines := bufio.NewScanner(r); lines.Scan(); {
				said.WriteString(lines.Text() + "\n")
				if !replaced && strings.Contains(lines.Text(), c.cue) {
					replaced = true
					if err := w.Recreate(t.Context(), c.node, c.node); err != nil {
						done <- err
						return
					}
				}
			}
			done <- nil
		}()
		err = cmd.Wait()
		_ = out.Close()
		if handed := <-done; err != nil || handed != nil {
			t.Fatalf("%s: %v, by hand: %v\n%s", c.node, err, handed, said.String())
		}
		if !strings.Contains(said.String(), "was replaced by "+c.node) {
			t.Errorf("%s was not replaced:\n%s", c.node, said.String())
		}
	}
	if short := worldtest.Truth(t, w).Short(e, i.Replicas); len(short) > 0 {
		t.Errorf("fewer than %d copies: %v", i.Replicas, short)
	}
	// A second roll began a new journal; nothing of the first is left over.
	said := worldtest.Kubectl(t, w, 0, "safe-roll", "status")
	if !strings.Contains(said.Out, "worker-2") || strings.Contains(said.Out, "worker-1") {
		t.Errorf("status tells of another roll:\n%s", said.Out)
	}
}
