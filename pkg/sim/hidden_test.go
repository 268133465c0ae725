// SPDX-License-Identifier: Apache-2.0

package sim_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/sim"
)

// What cannot be read is nothing that is not there (I3).
func TestRun_HiddenKindsBreakNothing(t *testing.T) {
	c := begin(t)
	defer c.sum("rolls in which a kind cannot be read for a while")
	n := 200 * soak(t)
	hidden, halted := 0, 0
	for seed := range uint64(n) {
		f := []sim.Faults{sim.Faults{}.Hidden(2 * seed), sim.Faults{}.Hidden(2*seed + 1)}
		r := sim.Roll{Seed: seed, Case: sim.Brief(seed), Chaos: int(seed % 3), Faults: f}
		h := simulate(t, r)
		c.judge("hidden", r, h)
		if slices.ContainsFunc(h.Log, func(l string) bool { return strings.Contains(l, "cannot be read for") }) {
			hidden++
		}
		if slices.ContainsFunc(h.Events, func(e record.Event) bool {
			return e.Kind == record.Halted && strings.Contains(e.Text, "cannot be read: ")
		}) {
			halted++
		}
	}
	t.Logf("in %d of %d something could not be read, and %d halted for that", hidden, n, halted)
	if hidden < n/2 || halted < n/8 {
		t.Error("hardly anything was hidden")
	}
}
