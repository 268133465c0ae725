// SPDX-License-Identifier: Apache-2.0

package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/sim"
)

func TestStale_LooksThatAreOldSlowOrMissingBreakNothing(t *testing.T) {
	for name, pattern := range map[string]func(seed uint64, k int) sim.Faults{
		"stale":        func(_ uint64, k int) sim.Faults { return sim.Faults{Stale: func() int { return k }} },
		"intermediate": func(_ uint64, k int) sim.Faults { return sim.Faults{Slow: time.Duration(k) * 3 * time.Second} },
		"unobserved": func(seed uint64, k int) sim.Faults {
			return sim.Blackouts(seed, time.Duration(k)*40*time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := begin(t)
			defer c.sum(name + " states")
			for _, k := range []int{1, 2, 4, 7} {
				for seed := range uint64(2 * soak(t)) {
					f := pattern(seed, k)
					r := sim.Roll{Seed: seed, Case: sim.Draw(seed), Chaos: int(seed % 2), Faults: []sim.Faults{f, f}}
					c.judge(fmt.Sprintf("%s, %d", name, k), r, simulate(t, r))
				}
			}
		})
	}
}
