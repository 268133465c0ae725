// SPDX-License-Identifier: Apache-2.0

package world_test

import (
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/e2e/standin"
	"github.com/safe-roll/kubectl-safe-roll/e2e/world/worldtest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// TestPlan_ThreeWorkersAreRefilledAndFourAreEmptiedFirst: with three replicas on
// three workers there is no place to move anything to, so every volume keeps two
// while a node is out; with a fourth worker none ever has fewer than three, as
// the disks tell it, attached or not.
func TestPlan_ThreeWorkersAreRefilledAndFourAreEmptiedFirst(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		workers, least int
		says           []string
		run            []string
	}{
		"three": {3, 2, []string{"refill", "fit nowhere else"}, []string{"--retire-command=machine retire", "--create-command=machine create"}},
		"four":  {4, 3, []string{"evict", "fit elsewhere"}, []string{"--replace-command=machine replace"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startAs(t, standin.Options{})
			i := scenario.Incident{Workers: c.workers, Users: 5, LoggedIn: 1, Replicas: 3}
			e := worldtest.Build(t, w, i)
			nodes := i.WorkerNames()[:2]
			planned := worldtest.Kubectl(t, w, 0, append([]string{"safe-roll", "plan"}, nodes...)...)
			t.Log(planned.Out)
			worldtest.Named(t, planned, c.says)
			x := w.Watch(t.Context(), e, i.Replicas)
			args := append(append([]string{"safe-roll", "run"}, nodes...), "--yes", "--look-interval=4s")
			worldtest.Kubectl(t, w, 0, append(args, c.run...)...)
			report, err := x.Judge(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range report.Violations {
				t.Error(v)
			}
			for volume, n := range x.Least() {
				if n < c.least {
					t.Errorf("%s had %d copies for a while", volume, n)
				}
			}
			t.Logf("fewest copies at any moment: %v", x.Least())
			if short := worldtest.Truth(t, w).Short(e, i.Replicas); len(short) > 0 {
				t.Errorf("fewer than %d copies: %v", i.Replicas, short)
			}
		})
	}
}
