// SPDX-License-Identifier: Apache-2.0

package world_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// TestRun_OthersActAtTheSameTime has a second operator start a roll during the
// first one, and other people cordon, uncordon and remove nodes in the middle:
// the node that the autoscaler removes here holds nothing (meddling_test.go has
// one that does). Whoever is stopped by that runs the same command again, and who
// has not acted by then still does. The end is judged by the disks.
func TestRun_OthersActAtTheSameTime(t *testing.T) {
	t.Parallel()
	w := start(t)
	i := scenario.Incident{Workers: 4, Users: 5, LoggedIn: 1, Replicas: 2}
	e := worldtest.Build(t, w, i)
	if err := w.AddNode(t.Context(), scenario.Node{Name: "spare", Role: "control-plane"}); err != nil {
		t.Fatal(err)
	}
	rebuildIn(w, fewLooks) // there is somebody at work while it moves replicas
	args := []string{
		"safe-roll", "run", "worker-1", "worker-2", "--yes", "--look-interval=4s", "--lock-duration=12s", "--replace-command=machine replace",
	}
	// Cues are acted upon beside the test's own goroutine, so nothing is fatal.
	ask := func(exit int, args ...string) world.Said {
		said, err := w.Kubectl(t.Context(), args...)
		if err != nil || said.Exit != exit {
			t.Errorf("kubectl %v: exit %d, want %d, %v\n%s", args, said.Exit, exit, err, said.All())
		}
		return said
	}
	do := func(args ...string) func() { return func() { ask(0, args...) } }
	others := meddling{
		{line: "worker-1 · evacuate", what: "a second operator", do: func() {
			said := ask(6, args...)
			if !strings.Contains(said.Err, "lock") || !strings.Contains(said.Err, "worker-1") {
				t.Errorf("the second operator is not told who does what:\n%s", said.All())
			}
			ask(3, "safe-roll", "drain", "worker-3", "--look-interval=4s") // an unfinished turn on another node
		}},
		{line: "worker-1 · may be deleted", what: "ours is uncordoned", do: do("uncordon", "worker-1")},
		{line: "worker-2 · evacuate", what: "another is cordoned", do: do("cordon", "worker-3")},
		{line: "worker-2 · drain", what: "an autoscaler removes a node without storage", do: func() {
			if err := w.PowerOff(t.Context(), "spare"); err != nil {
				t.Error(err)
			}
			ask(0, "delete", "node", "spare")
			ask(0, "uncordon", "worker-3")
		}},
	}
	others.roll(t, w, args, func() { worldtest.Kubectl(t, w, 0, "uncordon", "worker-3") })
	whole(t, w, e, i.Replicas)
	judged := worldtest.Kubectl(t, w, 0, "safe-roll", "report", "--check")
	t.Logf("the journal, judged:\n%s", last(judged.Out, 12))
}

// TestDrain_TwoOperatorsStartAtOnce starts the same drain twice at the same moment:
// one goes through, and the other is told who holds the lock.
func TestDrain_TwoOperatorsStartAtOnce(t *testing.T) {
	t.Parallel()
	w := start(t)
	i := scenario.Incident{Workers: 3, Users: 3, LoggedIn: 1, Replicas: 2}
	e := worldtest.Build(t, w, i)
	var both sync.WaitGroup
	var said [2]world.Said
	var errs [2]error
	for k := range said {
		both.Go(func() {
			said[k], errs[k] = w.Kubectl(t.Context(), "safe-roll", "drain", "worker-1", "--look-interval=4s", "--lock-duration=12s")
		})
	}
	both.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	if said[0].Exit != 0 {
		said[0], said[1] = said[1], said[0]
	}
	if said[0].Exit != 0 || said[1].Exit != 6 {
		t.Fatalf("exit %d and %d, want 0 and 6\n%s\n%s", said[0].Exit, said[1].Exit, said[0].All(), said[1].All())
	}
	if !strings.Contains(said[1].Err, "lock") {
		t.Errorf("the other is not told of the lock:\n%s", said[1].All())
	}
	if lost := worldtest.Truth(t, w).Lost(e); len(lost) > 0 {
		t.Errorf("lost %v", lost)
	}
	worldtest.Kubectl(t, w, 0, "safe-roll", "report", "--check")
}

// last are the last lines of a text.
func last(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
