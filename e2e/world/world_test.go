// SPDX-License-Identifier: Apache-2.0

package world_test

import (
	"context"
	"os"
	"slices"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/e2e/lab"
	"github.com/safe-roll/kubectl-safe-roll/e2e/standin"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// labEnv names the environment variable that puts the real Longhorn manager in
// the place of the stand-in, for the very same tests.
const labEnv = "SAFE_ROLL_LAB"

func TestMain(m *testing.M) {
	if os.Getenv(labEnv) == "" {
		os.Exit(m.Run())
	}
	os.Exit(worldtest.Main(context.Background(), m))
}

// start starts a world for one test.
func start(t *testing.T) *world.World {
	t.Helper()
	// Ten minutes by default; nothing else depends on it.
	settings := map[string]string{"replica-replenishment-wait-interval": "2"}
	o := world.Options{Standin: standin.Options{Settings: settings}}
	if os.Getenv(labEnv) != "" {
		o.Lab = &lab.Options{Settings: settings}
	}
	return worldtest.Start(t, o)
}

// incident is the cluster of the real loss, in a lab with fewer users.
func incident() scenario.Incident {
	i := scenario.TheIncident()
	if os.Getenv(labEnv) != "" {
		i.Users = 8
	}
	return i
}

// TestIncident_PlainKubectlLosesEveryDetachedVolume proves that the bench can
// lose data, as it was lost in 2023 and as Longhorn 1.8.1 loses it: every drain
// succeeds. On the way verify is asked what it sees.
func TestIncident_PlainKubectlLosesEveryDetachedVolume(t *testing.T) {
	t.Parallel()
	w, i := start(t), incident()
	e := worldtest.Build(t, w, i)
	worldtest.Kubectl(t, w, 0, "safe-roll", "verify")
	for n, node := range i.WorkerNames() {
		worldtest.Kubectl(t, w, 0, "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=3m")
		worldtest.Kubectl(t, w, 0, "delete", "node", node)
		if err := w.Recreate(t.Context(), node, node); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			seenAfterOne(t, w, e)
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
	worldtest.Kubectl(t, w, 3, "safe-roll", "verify")
}

func TestIncident_SafeRollLosesNothing(t *testing.T) {
	t.Parallel()
	for name, suffix := range map[string]string{"same names": "", "new names": "-b"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, i := start(t), incident()
			e := worldtest.Build(t, w, i)
			watch := w.WatchNodes(t.Context())
			args := append([]string{"safe-roll", "run"}, i.WorkerNames()...)
			if suffix == "" { // the same nodes, by a selector
				args = []string{"safe-roll", "run", "-l", "node-role.kubernetes.io/worker"}
			}
			args = append(args, "--yes", "--look-interval=5s", "--replace-command=machine replace "+suffix)
			said := worldtest.Kubectl(t, w, 0, args...)
			t.Log(said.All())
			tr := worldtest.Truth(t, w)
			if lost := tr.Lost(e); len(lost) > 0 {
				t.Errorf("lost %v", lost)
			}
			if short := tr.Short(e, i.Replicas); len(short) > 0 {
				t.Errorf("fewer than %d copies on live nodes: %v", i.Replicas, short)
			}
			if most := watch.MostOut(); most > 1 {
				t.Errorf("%d nodes were out together", most)
			}
			for _, node := range i.WorkerNames() {
				if watch.UIDs(node+suffix) < 1 || suffix == "" && watch.UIDs(node) < 2 {
					t.Errorf("%s was not replaced", node)
				}
			}
			worldtest.Kubectl(t, w, 0, "safe-roll", "verify")
		})
	}
}
