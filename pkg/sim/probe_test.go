// SPDX-License-Identifier: Apache-2.0

package sim_test

import (
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/sim"
)

// Somebody takes away the directory of a sleeping replica. Opened, the replica
// is blank and its engine vouches for it: only who looks before can know.
func TestProbe_WhatWasTakenAwayUnseenIsSeen(t *testing.T) {
	for _, seed := range []uint64{1000840, 1001337, 1005125} {
		for _, probe := range []bool{false, true} {
			r := sim.Any(seed)
			r.Case.Probe = probe
			h := simulate(t, r)
			begin(t).judge("taken away", r, h)
			if lost := len(h.Lost) > 0; lost == probe {
				t.Errorf("seed %d, probe %t: lost %v", seed, probe, h.Lost)
			}
		}
	}
}

// A machine registers anew with its disk: what sleeps there is proven by its
// directory alone.
func TestProbe_WhatOnlyADirectoryProvesIsProven(t *testing.T) {
	for _, seed := range []uint64{78, 150} {
		for _, probe := range []bool{false, true} {
			r := sim.Any(seed)
			r.Case.Probe = probe
			h := simulate(t, r)
			begin(t).judge("registered anew", r, h)
			want := sim.Halted
			if probe {
				want = sim.Finished
			}
			if h.Ending != want {
				t.Errorf("seed %d, probe %t: %s: %s", seed, probe, h.Ending, h.Why)
			}
		}
	}
}
