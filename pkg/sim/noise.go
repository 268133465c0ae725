// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"math/rand/v2"
	"time"
)

// Noise is a bad network: one call in so many goes wrong, in a way of the
// seed's, with and without effect, and now and then long after.
func Noise(seed uint64, oneIn int) Faults {
	r := rand.New(rand.NewPCG(seed, 0x6e6f697365))
	return Faults{At: func(c Call) Fault {
		if r.IntN(oneIn) > 0 {
			return Fault{}
		}
		return anyFault(r)
	}}
}

// anyFault is a fault that passes.
func anyFault(r *rand.Rand) Fault {
	for {
		f := Fault{Harm: Conflicting + Harm(r.IntN(int(harms-Conflicting))), After: r.IntN(2) == 0}
		if !f.Harm.passes() {
			continue
		}
		if r.IntN(3) == 0 && (f.Harm == Timeout || f.Harm == Reset) {
			f.Late = time.Duration(1+r.IntN(90)) * time.Second
		}
		return f
	}
}

// Two is two faults, of two of so many calls.
func Two(seed uint64, calls int) Faults {
	r := rand.New(rand.NewPCG(seed, 0x70616972))
	a, b := 1+r.IntN(calls), 1+r.IntN(calls)
	x, y := anyFault(r), anyFault(r)
	if r.IntN(3) == 0 {
		y = Fault{Harm: Kill, After: r.IntN(2) == 0}
	}
	return Faults{At: func(c Call) Fault {
		switch c.N {
		case a:
			return x
		case b:
			return y
		}
		return Fault{}
	}}
}

// Blackouts are times in which nothing is heard of the cluster: one look in
// twenty takes up to so long.
func Blackouts(seed uint64, longest time.Duration) Faults {
	r := rand.New(rand.NewPCG(seed, 0x626c61636b))
	return Faults{Blind: func() time.Duration {
		if r.IntN(20) > 0 {
			return 0
		}
		return time.Duration(r.Int64N(int64(longest)))
	}}
}
