// SPDX-License-Identifier: Apache-2.0

package sim_test

import (
	"fmt"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/sim"
)

// standards are the rolls that go through every class of volume.
func standards() []sim.Case {
	return []sim.Case{sim.Standard(3, 3), sim.Standard(4, 3), sim.Standard(5, 3)}
}

func TestRun_AStandardRollEndsWithEverything(t *testing.T) {
	c := begin(t)
	for _, k := range standards() {
		r := sim.Roll{Seed: 1, Case: k}
		h := simulate(t, r)
		c.judge(fmt.Sprintf("%d workers", k.Workers), r, h)
		t.Logf("%d workers, %d classes of volumes: %d events, %d calls, %s", k.Workers, len(k.Classes), len(h.Events), h.Calls, h.Took)
	}
}

// On three nodes with one disk each, a volume whose replicas may lie together is
// rebuilt beside itself once a turn. The roll says at once what to do, and ends.
func TestRun_WhatLiesTogetherHaltsAtOnceAndTheSameCommandEnds(t *testing.T) {
	for seed := range uint64(3) {
		k := sim.Standard(3, 3)
		k.Classes = append(k.Classes, sim.Sharing)
		r := sim.Roll{Seed: seed, Case: k}
		h := simulate(t, r)
		begin(t).judge("together", r, h)
		halts := 0
		for _, e := range h.Events {
			if e.Kind == record.Halted {
				if halts++; e.Exit != decide.ExitUnsafe || e.Findings[0].Code != decide.CodeTogether {
					t.Errorf("seed %d: %+v", seed, e)
				}
			}
		}
		if halts == 0 {
			t.Errorf("seed %d: nothing ever lay together, so nothing is shown", seed)
		}
	}
}

func TestRun_OneSeedIsOneHistory(t *testing.T) {
	for seed := range uint64(4 * soak(t)) {
		once := func() sim.History {
			return simulate(t, sim.Roll{Seed: seed, Case: sim.Draw(seed), Chaos: int(seed % 4), Faults: []sim.Faults{sim.Noise(seed, 50)}})
		}
		first, again := once(), once()
		if a, b := first.Bytes(), again.Bytes(); a != b {
			t.Fatalf("seed %d: %d and %d bytes\n%s\n---\n%s", seed, len(a), len(b), tail(first, 20), tail(again, 20))
		}
	}
}

func TestRun_SeededRollsBreakNothing(t *testing.T) {
	c := begin(t)
	defer c.sum("random rolls")
	for seed := range uint64(40 * soak(t)) {
		r := sim.Roll{Seed: seed, Case: sim.Draw(seed), Chaos: int(seed % 4)}
		c.judge("random", r, simulate(t, r))
	}
}

func TestRun_WhateverComesTogetherBreaksNothing(t *testing.T) {
	c := begin(t)
	defer c.sum("random rolls, with whatever may come together")
	c.through(1000*soak(t), sim.Any)
}

func TestRun_WhateverComesInBriefBreaksNothing(t *testing.T) {
	c := begin(t)
	defer c.sum("random rolls over a turn and one or two volumes, with whatever may come together")
	c.through(1000*soak(t), sim.AnyBrief)
}

// Seeds that have found something, each with its line in docs/ledger.md.
func TestRun_KeptSeedsBreakNothing(t *testing.T) {
	c := begin(t)
	keep := func(roll func(uint64) sim.Roll, seeds ...uint64) {
		for _, seed := range seeds {
			h, again := simulate(t, roll(seed)), simulate(t, roll(seed))
			c.judge("kept", roll(seed), h)
			if h.Bytes() != again.Bytes() {
				t.Errorf("seed %d has two histories", seed)
			}
		}
	}
	keep(sim.Any, 559, 702, 1514, 1917, 42512, 1000188, 2008180, 2008994, 2009426, 3000678, 3100158, 3100899, 3303978, 5000598, 13003012, 20022259, 30007809, 40010507)
	keep(sim.AnyBrief, 11015337, 20011312, 40003594, 50015870, 50040777, 40176161, 40158662, 50151383)
}

func TestRun_NoiseBreaksNothing(t *testing.T) {
	c := begin(t)
	defer c.sum("random rolls over a bad network")
	for seed := range uint64(20 * soak(t)) {
		r := sim.Roll{Seed: seed, Case: sim.Draw(seed), Chaos: int(seed % 3), Faults: []sim.Faults{sim.Noise(seed, 40), sim.Noise(seed+1, 80)}}
		c.judge("noise", r, simulate(t, r))
	}
}
