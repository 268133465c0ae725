// SPDX-License-Identifier: Apache-2.0

package lab_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/e2e/lab"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
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
// every turn, each time in another phase.
func TestRoll_FiftyVolumesOnSixNodes(t *testing.T) {
	long(t)
	t.Parallel()
	// Fifty volumes of 1 GiB have two replicas each, and five disks hold them all
	// while the sixth is out; Longhorn keeps three tenths of a disk free.
	w := worldtest.Start(t, world.Options{Lab: &lab.Options{Settings: mendSoon(), DiskSize: 60 << 30}})
	i := scenario.Incident{Workers: 6, Users: 49, LoggedIn: 5, Replicas: 2}
	e := worldtest.Build(t, w, i)
	phases := []string{"evacuate", "drain", "may be deleted", "join", "settle"}
	x := w.Watch(t.Context(), e, 2)
	killed := map[string]bool{}
	kill := func(r *running, line string) {
		m := turnOf.FindStringSubmatch(line)
		if m != nil && !killed[m[1]] && strings.Contains(line, "· "+phases[len(killed)%len(phases)]) {
			killed[m[1]] = true
			r.kill()
		}
	}
	args := append(append([]string{"run"}, i.WorkerNames()...), "--yes", "--look-interval=5s", shortLock, "--replace-command=machine replace")
	insist(t, w, kill, args...)
	if len(killed) != i.Workers {
		t.Errorf("killed in %d of %d turns", len(killed), i.Workers)
	}
	judge(t, x)
	never(t, x, 2)
}
