// SPDX-License-Identifier: Apache-2.0

package world_test

import (
	"bufio"
	"context"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// phaseOf finds the phase in a line of progress: "… 1/3 worker-1 · drain  …".
var phaseOf = regexp.MustCompile(`^\S+\s+\d+/\d+ \S+ · (.+?)  `)

// TestRun_KilledInEveryPhaseEndsTheSame kills the tool with SIGKILL when it
// first speaks of each phase, starts the same command again, and judges the end
// by the disks. The lock and the command limit are short, so that the next one need
// not wait long: for what the killed one began may still be running.
func TestRun_KilledInEveryPhaseEndsTheSame(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		replicas int
		commands []string
		phases   []string
	}{
		{"evict", 2, []string{"--replace-command=machine replace"},
			[]string{"bar scheduling", "evacuate", "cordon", "drain", "may be deleted", "retire", "join", "settle"}},
		{"refill", 3, []string{"--retire-command=machine retire", "--create-command=machine create"},
			[]string{"bar scheduling", "cordon", "drain", "prove", "may be deleted", "retire", "prune", "create", "join", "rebuild", "settle"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			i := scenario.Incident{Workers: 3, Users: 5, LoggedIn: 1, Replicas: c.replicas}
			e := worldtest.Build(t, w, i)
			watch := w.WatchNodes(t.Context())
			args := append([]string{"safe-roll", "run"}, i.WorkerNames()...)
			args = append(args, "--yes", "--look-interval=4s", "--lock-duration=6s", "--command-limit=20s")
			args = append(args, c.commands...)
			killed := rollAndKill(t, w, args)
			for _, p := range c.phases {
				if !killed[p] {
					t.Errorf("never killed in %q; killed in %v", p, killed)
				}
			}
			tr := worldtest.Truth(t, w)
			if lost := tr.Lost(e); len(lost) > 0 {
				t.Errorf("lost %v", lost)
			}
			if short := tr.Short(e, i.Replicas); len(short) > 0 {
				t.Errorf("fewer than %d copies: %v", i.Replicas, short)
			}
			if most := watch.MostOut(); most > 1 {
				t.Errorf("%d nodes were out together", most)
			}
			for _, node := range i.WorkerNames() {
				if watch.UIDs(node) != 2 {
					t.Errorf("%s was replaced %d times", node, watch.UIDs(node)-1)
				}
			}
			worldtest.Kubectl(t, w, 0, "safe-roll", "verify")
		})
	}
}

// maxStarts bounds the starts, those that find the lock held too.
const maxStarts = 120

// rollAndKill runs the command until it ends by itself, and kills it whenever
// it comes to a phase in which it was not killed before.
func rollAndKill(t *testing.T, w *world.World, args []string) map[string]bool {
	t.Helper()
	killed := map[string]bool{}
	for range maxStarts {
		exit, said := untilNewPhase(t, w, args, killed)
		switch exit {
		case 0:
			return killed
		case -1, 6: // killed by us; the dead one's lock still holds
			time.Sleep(2 * time.Second)
		default:
			t.Fatalf("exit %d after kills in %v\n%s", exit, killed, said)
		}
	}
	t.Fatalf("not done after %d starts; killed in %v", maxStarts, killed)
	return nil
}

// untilNewPhase starts the command and returns how it ended: -1 where it was
// killed because it came to a new phase.
func untilNewPhase(t *testing.T, w *world.World, args []string, killed map[string]bool) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	r, out := io.Pipe()
	cmd, err := w.StartKubectl(ctx, out, args...)
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	done := make(chan struct{})
	go func() {
		defer close(done)
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			said.WriteString(lines.Text() + "\n")
			m := phaseOf.FindStringSubmatch(lines.Text())
			if m != nil && !killed[m[1]] {
				killed[m[1]] = true
				_ = cmd.Process.Kill()
			}
		}
		_, _ = io.Copy(io.Discard, r)
	}()
	err = cmd.Wait()
	_ = out.Close()
	<-done
	if err != nil && cmd.ProcessState.ExitCode() < 0 {
		return -1, said.String()
	}
	return cmd.ProcessState.ExitCode(), said.String()
}
