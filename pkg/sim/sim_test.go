// SPDX-License-Identifier: Apache-2.0

package sim_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/sim"
)

// simulate runs one roll in a bubble of its own.
func simulate(t *testing.T, r sim.Roll) (h sim.History) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var err error
		if h, err = sim.Run(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	})
	return h
}

// tail is the end of a log.
func tail(h sim.History, n int) string {
	return strings.Join(h.Log[max(0, len(h.Log)-n):], "\n")
}

func TestRun_AStandardRollEndsWithEverything(t *testing.T) {
	for _, c := range []sim.Case{sim.Standard(3, 3), sim.Standard(4, 3), sim.Standard(5, 3)} {
		h := simulate(t, sim.Roll{Seed: 1, Case: c})
		if h.Ending != sim.Finished || len(h.Lost) > 0 || len(h.Report.Violations) > 0 {
			t.Errorf("%d workers: %s %s, lost %v, %v\n%s", c.Workers, h.Ending, h.Why, h.Lost, h.Report.Violations, tail(h, 60))
		}
		t.Logf("%d workers: %d events, %d calls, %s", c.Workers, len(h.Events), h.Calls, h.Took)
	}
}

func TestRun_OneSeedIsOneHistory(t *testing.T) {
	for seed := range uint64(12) {
		r := sim.Roll{Seed: seed, Case: sim.Draw(seed), Chaos: int(seed % 4)}
		first, again := simulate(t, r), simulate(t, r)
		if a, b := first.Bytes(), again.Bytes(); a != b {
			t.Fatalf("seed %d: %d and %d bytes\n%s\n---\n%s", seed, len(a), len(b), tail(first, 20), tail(again, 20))
		}
	}
}

// TestRun_Rate says how many rolls there are in a second; it claims nothing.
func TestRun_SeededRollsBreakNothing(t *testing.T) {
	ends := map[sim.Ending]int{}
	began := time.Now()
	const rolls = 100
	for seed := range uint64(rolls) {
		h := simulate(t, sim.Roll{Seed: seed, Case: sim.Draw(seed), Chaos: int(seed % 3)})
		ends[h.Ending]++
		if len(h.Report.Violations) > 0 || len(h.Lost) > 0 && h.Ending != sim.Refused {
			t.Errorf("seed %d: %s %s, lost %v, %v", seed, h.Ending, h.Why, h.Lost, h.Report.Violations)
		}
		if h.Ending != sim.Finished {
			t.Logf("seed %d: %s: %s", seed, h.Ending, h.Why)
		}
	}
	t.Logf("%v, %.0f rolls a second", ends, rolls/time.Since(began).Seconds())
}
