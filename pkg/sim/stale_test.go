// SPDX-License-Identifier: Apache-2.0

package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/sim"
)

func TestStale_LooksThatAreOldSlowOrMissingBreakNothing(t *testing.T) {
	c := begin(t)
	defer c.sum("stale, intermediate and unobserved states")
	for _, k := range []int{1, 2, 4, 7} {
		for seed := range uint64(2 * soak(t)) {
			for name, f := range map[string]sim.Faults{
				"stale":        {Stale: func() int { return k }},
				"intermediate": {Slow: time.Duration(k) * 3 * time.Second},
				"unobserved":   sim.Blackouts(seed, time.Duration(k)*40*time.Second),
			} {
				r := sim.Roll{Seed: seed, Case: sim.Draw(seed), Chaos: int(seed % 2), Faults: []sim.Faults{f, f}}
				c.judge(fmt.Sprintf("%s, %d", name, k), r, simulate(t, r))
			}
		}
	}
}
