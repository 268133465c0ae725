// SPDX-License-Identifier: Apache-2.0

package lab_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// allEnv names the environment variable that asks for the long scenarios too.
const allEnv = "SAFE_ROLL_LAB_ALL"

// long skips a test that takes too long to be run each time.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv(allEnv) == "" {
		t.Skipf("it takes long; set %s=1", allEnv)
	}
}

// turnOf finds the turn in a line of progress: "… 2/6 worker-2 · drain  …".
var turnOf = regexp.MustCompile(`^\S+\s+(\d+/\d+) \S+ · `)

// TestRoll_FiftyVolumesOnSixNodes replaces every node, and kills the tool in
// every turn.
func TestRoll_FiftyVolumesOnSixNodes(t *testing.T) {
	long(t)
	w := start(t, mendSoon())
	i := scenario.Incident{Workers: 6, Users: 49, LoggedIn: 5, Replicas: 2}
	e := build(t, w, i)
	args := append([]string{"safe-roll", "run"}, i.WorkerNames()...)
	args = append(args, "--yes", "--look-interval=5s", "--lock-duration=6s", "--replace-command=machine replace")
	killed := map[string]bool{}
	for starts := 0; ; starts++ {
		exit, said := untilNewTurn(t, w, args, killed)
		if exit == 0 {
			t.Logf("done after %d starts\n%s", starts+1, said)
			break
		}
		// Killed by us, or the dead one's lock still holds.
		if exit != -1 && exit != 6 || starts > 40 {
			t.Fatalf("exit %d after %d starts and kills in %v\n%s", exit, starts+1, killed, said)
		}
		time.Sleep(2 * time.Second)
	}
	if len(killed) != i.Workers {
		t.Errorf("killed in %d of %d turns", len(killed), i.Workers)
	}
	judge(t, w, e, 2)
}

// untilNewTurn runs the command and kills it in the middle of each turn that it
// was not killed in before; it returns how the command ended, -1 if so.
func untilNewTurn(t *testing.T, w *world.World, args []string, killed map[string]bool) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
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
		for lines := bufio.NewScanner(r); lines.Scan(); {
			said.WriteString(lines.Text() + "\n")
			m := turnOf.FindStringSubmatch(lines.Text())
			if m != nil && !killed[m[1]] && strings.Contains(lines.Text(), "evacuate") {
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
