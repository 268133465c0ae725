// SPDX-License-Identifier: Apache-2.0

package sim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/sim"
)

// A laptop sleeps in the middle of a roll, and somebody else goes on with it.
func TestRun_TakenOverNothingIsChangedByTheOneThatWakes(t *testing.T) {
	c := begin(t)
	defer c.sum("rolls that are taken over")
	n := 200 * soak(t)
	stopped, lost := 0, 0
	for seed := range uint64(n) {
		r := sim.Roll{Seed: seed, Case: sim.Brief(seed), Chaos: int(seed % 3)}.TakenOver(seed)
		h := simulate(t, r)
		c.judge("taken over", r, h)
		if seed < 10 && h.Bytes() != simulate(t, sim.Roll{Seed: seed, Case: r.Case, Chaos: r.Chaos}.TakenOver(seed)).Bytes() {
			t.Errorf("seed %d has two histories", seed)
		}
		for _, line := range h.Log {
			if strings.Contains(line, "process 0 stands still") {
				stopped++
			}
			if strings.Contains(line, "process 0, which stood still") && strings.Contains(line, record.ErrFenced.Error()) {
				lost++
			}
		}
	}
	t.Logf("%d of %d were stopped, and %d woke when another had taken over", stopped, n, lost)
	if lost < n/8 {
		t.Error("hardly any was taken over")
	}
}

// careless is a book of a program that does not always ask whether it still has the
// lock: not in the loop, before a deed, or not in a deed, before each request.
type careless struct {
	record.Book
	loop, deed bool
}

func (c careless) Guard(d time.Duration) error {
	if inDeed := d != deedLimit; inDeed && c.deed || !inDeed && c.loop {
		return nil
	}
	return c.Book.Guard(d)
}

// deedLimit is how long the loop wants the lock to last before a deed.
const deedLimit = 20 * time.Second

// The campaign above can tell: where the lock is not asked for, it finds that.
func TestRun_TakenOverWithoutGuardIsFound(t *testing.T) {
	for name, c := range map[string]careless{"nowhere": {loop: true, deed: true}, "not in a deed": {deed: true}} {
		found, seed := 0, uint64(0)
		for ; seed < 200 && found == 0; seed++ {
			r := sim.Roll{Seed: seed, Case: sim.Brief(seed), Chaos: int(seed % 3)}.TakenOver(seed)
			h := simulate(t, r.Wrapped(func(b record.Book) record.Book { c.Book = b; return c }))
			for _, v := range h.Report.Violations {
				if strings.Contains(v.Says, "has the lock since") {
					found++
					t.Logf("%s, seed %d: %s", name, seed, v)
				}
			}
		}
		if found == 0 {
			t.Errorf("asked %s: deeds of a process that has lost its lock were not found", name)
		}
	}
}
