// SPDX-License-Identifier: Apache-2.0

package sim_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/sim"
)

// at is a fault of one call.
func at(n int, f sim.Fault) sim.Faults {
	return sim.Faults{At: func(c sim.Call) sim.Fault {
		if c.N == n {
			return f
		}
		return sim.Fault{}
	}}
}

// points goes through the calls of a roll, every one in a long run and every
// so manyth in a short one, to and fro: a run that is cut short has seen
// something of all its parts.
func points(t *testing.T, calls, sparse int) []int {
	t.Helper()
	step := max(1, sparse/soak(t))
	var out []int
	for n := 1 + calls%step; n <= calls; n += step {
		out = append(out, n)
	}
	r := rand.New(rand.NewPCG(1, uint64(calls)))
	r.Shuffle(len(out), func(i, k int) { out[i], out[k] = out[k], out[i] })
	return out
}

// between is the least time between two looks of the rolls whose every call is
// gone through: with a second, half of the calls are looks at what has not
// changed.
const between = 5 * time.Second

func TestCrash_KilledBeforeOrAfterAnyCallItEndsTheSame(t *testing.T) {
	for _, k := range standards() {
		t.Run(fmt.Sprintf("%d workers", k.Workers), func(t *testing.T) {
			t.Parallel()
			c := begin(t)
			whole := simulate(t, sim.Roll{Seed: 2, Case: k, Tick: between})
			defer c.sum(fmt.Sprintf("killed before or after a call, of %d calls", whole.Calls[0]))
			for _, n := range points(t, whole.Calls[0], 211) {
				for _, after := range []bool{false, true} {
					r := sim.Roll{Seed: 2, Case: k, Tick: between, Faults: []sim.Faults{at(n, sim.Fault{Harm: sim.Kill, After: after})}}
					h := simulate(t, r)
					if h.Calls[0] < n-1 || len(h.Calls) < 2 && n < whole.Calls[0]-1 { // at its last calls it has ended anyway
						t.Errorf("call %d of %d was never reached", n, whole.Calls[0])
					}
					c.judge(fmt.Sprintf("call %d, after %v", n, after), r, h)
				}
			}
		})
	}
}

func TestFaults_AnySingleFaultAtAnyCallIsSurvived(t *testing.T) {
	c := begin(t)
	defer c.sum("single faults")
	k := sim.Standard(4, 3)
	k.Roll = 1
	whole := simulate(t, sim.Roll{Seed: 3, Case: k, Tick: between})
	harms := sim.Harms()
	for i, n := range points(t, whole.Calls[0], 41) {
		for j, harm := range harms {
			if soak(t) == 1 && (i+j)%len(harms) > 1 {
				continue
			}
			for _, f := range []sim.Fault{{Harm: harm}, {Harm: harm, After: true}, {Harm: harm, Late: 25e9}} {
				if f.Late > 0 && harm != sim.Timeout && harm != sim.Reset {
					continue
				}
				r := sim.Roll{Seed: 3, Case: k, Tick: between, Faults: []sim.Faults{at(n, f)}}
				c.judge(fmt.Sprintf("call %d, %+v", n, f), r, simulate(t, r))
			}
		}
	}
}

func TestFaults_SampledPairsAreSurvived(t *testing.T) {
	c := begin(t)
	defer c.sum("pairs of faults")
	k := sim.Standard(4, 3)
	k.Roll = 1
	calls := simulate(t, sim.Roll{Seed: 3, Case: k, Tick: between}).Calls[0]
	for i := range 10 * soak(t) {
		r := sim.Roll{Seed: 3, Case: k, Tick: between, Faults: []sim.Faults{sim.Two(uint64(i), calls)}}
		c.judge(fmt.Sprintf("pair %d", i), r, simulate(t, r))
	}
}
