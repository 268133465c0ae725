// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// Draw is the case of a seed.
func Draw(seed uint64) Case {
	r := rand.New(rand.NewPCG(seed, 0x63617365))
	c := Case{Workers: 3 + r.IntN(3), Goal: decide.UntilReplaced, Strategy: policy.Auto, Old: r.IntN(8) == 0}
	c.Replicas = 2 + r.IntN(2)
	c.Roll = 1 + r.IntN(min(c.Workers, 3))
	c.Commands = c.commands(r)
	c.Classes = c.classes(r, 2+r.IntN(4))
	return c
}

// Brief is a small case of a seed: one turn, and one or two volumes. What goes
// wrong in a large world nearly always goes wrong in a small one too, and of
// those many more can be gone through.
func Brief(seed uint64) Case {
	r := rand.New(rand.NewPCG(seed, 0x6272696566))
	c := Case{Workers: 3 + r.IntN(2), Roll: 1, Goal: decide.UntilReplaced, Strategy: policy.Auto}
	switch r.IntN(8) {
	case 0:
		c.Old = true
	case 1:
		c.Kept = true
	}
	c.Replicas = 2 + r.IntN(2)
	c.Commands = c.commands(r)
	c.Classes = c.classes(r, 1+r.IntN(2))
	return c
}

// commands are ways to replace a machine that can end in the case.
func (c Case) commands(r *rand.Rand) decide.Commands {
	drawn := []decide.Commands{
		{Retire: "retire", Create: "create"},
		{Retire: "retire", Create: NewName},
		{DeleteNode: true, Create: "create"},
		{Replace: "replace"},
	}[r.IntN(4)]
	if c.Kept || c.Workers == c.Replicas && drawn.Replace != "" {
		return decide.Commands{Retire: "retire", Create: "create"}
	}
	return drawn
}

// classes are n volumes of classes that can go in the case.
func (c Case) classes(r *rand.Rand, n int) []Class {
	var out []Class
	for range n {
		k := Class(r.IntN(int(classes)))
		if k.few() && c.Workers == c.Replicas {
			k = Asleep
		}
		out = append(out, k)
	}
	return out
}

// lock is the roll, which is taken over in one of twelve seeds while its process
// stands still.
func (r Roll) lock() Roll {
	if rand.New(rand.NewPCG(r.Seed, 0x6c6f636b)).IntN(12) > 0 || r.Interrupt > 0 {
		return r
	}
	return r.TakenOver(r.Seed)
}

// hide is the roll, in which in one of sixteen seeds a kind cannot be read for a
// while.
func (r Roll) hide() Roll {
	if rand.New(rand.NewPCG(r.Seed, 0x68696465)).IntN(16) > 0 {
		return r
	}
	if len(r.Faults) == 0 {
		r.Faults = []Faults{{}}
	}
	r.Faults = slices.Clone(r.Faults)
	for i := range r.Faults {
		r.Faults[i] = r.Faults[i].Hidden(r.Seed + uint64(i))
	}
	return r
}

// Any is the roll of a seed, with everything that may come together: three of
// four are brief; the loop is quick or slow to look; up to three foolish things
// are done by others; every other one looks into directories; and the network is
// bad, the process is killed or stopped, or taken over while it stands still, or what
// it sees is old, mixed or missing, or nothing of all that. A wait ends after four hours, in one of thirty-two after
// the usual day: days in which nothing comes of it take as long to simulate as a
// thousand rolls.
func Any(seed uint64) Roll {
	r := rand.New(rand.NewPCG(seed, 0x616e79))
	out := Roll{Seed: seed, Case: Brief(seed), Chaos: r.IntN(4)}
	if r.IntN(4) == 0 {
		out.Case = Draw(seed)
	}
	return out.withAnything(r).hide().lock()
}

// AnyBrief is another roll of a seed, like those of [Any], and always brief; what
// others do, or an interruption, falls into the six minutes that it lasts.
func AnyBrief(seed uint64) Roll {
	r := rand.New(rand.NewPCG(seed, 0x616e796272696566))
	out := Roll{Seed: seed, Case: Brief(seed), Chaos: r.IntN(4), Within: 6 * time.Minute}.withAnything(r)
	out.Interrupt = out.Interrupt * 3 / 10
	return out.hide().lock()
}

// withAnything is the roll with what goes wrong in it drawn.
func (r Roll) withAnything(rnd *rand.Rand) Roll {
	seed := r.Seed
	if rand.New(rand.NewPCG(seed, 0x6c6f6e67657374)).IntN(32) > 0 {
		r.Case.Longest = 4 * time.Hour
	}
	r.Case.Probe = rand.New(rand.NewPCG(seed, 0x70726f6265)).IntN(2) == 0
	r.Tick = []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second}[rnd.IntN(4)]
	k := 1 + rnd.IntN(7)
	longest := time.Duration(k) * 40 * time.Second
	var f Faults
	switch rnd.IntN(8) {
	case 0, 1:
		f = Noise(seed, 40)
	case 2:
		f = killedAt(1+rnd.IntN(300), rnd.IntN(2) == 0)
	case 3:
		f = Faults{Stale: func() int { return k }}
	case 4:
		f = Faults{Slow: time.Duration(k) * 3 * time.Second}
	case 5:
		f = Blackouts(seed, longest)
	case 6:
		r.Interrupt = time.Duration(rnd.Int64N(int64(20 * time.Minute)))
	default:
		return r
	}
	r.Faults = []Faults{f, f}
	return r
}

// killedAt kills the process at a call.
func killedAt(n int, after bool) Faults {
	return Faults{At: func(c Call) Fault {
		if c.N == n {
			return Fault{Harm: Kill, After: after}
		}
		return Fault{}
	}}
}
