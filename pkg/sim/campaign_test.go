// SPDX-License-Identifier: Apache-2.0

package sim_test

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
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

// soak is what SOAK multiplies the size of the campaigns by; 1 in a plain
// `go test`, which takes a sample of what a long run goes through.
func soak(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv("SOAK"))
	if err != nil || n < 1 {
		return 1
	}
	return n
}

// campaign counts what a campaign saw, and says what it must not have seen.
type campaign struct {
	*testing.T
	began time.Time

	mu   sync.Mutex
	ends map[sim.Ending]int
	why  map[string]int
	bad  int
	// quiet are those that nobody else disturbed.
	quiet int
	// unseen are rolls that took a last copy while another was believed in whose
	// data somebody had taken away: without a look into directories nobody knows.
	unseen int
}

func begin(t *testing.T) *campaign {
	return &campaign{T: t, began: time.Now(), ends: map[sim.Ending]int{}, why: map[string]int{}}
}

// judge takes in one history. Nothing may be violated and nothing lost, and it
// must end: with everything where nobody else did harm, and otherwise at least
// in a halt that names its cause.
func (c *campaign) judge(name string, r sim.Roll, h sim.History) {
	c.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ends[h.Ending]++
	var bad []string
	for _, v := range h.Report.Violations {
		bad = append(bad, v.String())
	}
	quiet := h.Disturbed == 0 && r.Outage == 0
	if quiet {
		c.quiet++
	}
	if len(h.Lost) > 0 && quiet {
		bad = append(bad, fmt.Sprintf("lost: %v", h.Lost))
	}
	switch {
	case h.Ending == sim.Refused && !strings.Contains(h.Why, "may hang"):
		bad = append(bad, "it refuses what can be done: "+h.Why) // old releases evict what sleeps badly
	case h.Ending == sim.Refused:
	case quiet:
		bad = append(bad, h.Missing()...)
	case h.Ending == sim.Finished:
		bad = append(bad, h.Kept()...)
	}
	switch {
	case h.Ending == "":
		bad = append(bad, "it has no end")
	case h.Ending != sim.Finished && h.Why == "":
		bad = append(bad, "it stops and names no cause")
	case h.Ending == sim.Errored, h.Ending == sim.Halted && quiet:
		bad = append(bad, fmt.Sprintf("%s: %s", h.Ending, h.Why))
	}
	for _, l := range h.Truth.Losses {
		if l.By == oracle.Ours && l.Concealed > 0 {
			c.unseen++
			break
		}
	}
	if h.Why != "" {
		c.why[first(h.Why)]++
	}
	if n := c.rolls(); n%250 == 0 && soak(c.T) > 1 {
		c.Logf("so far %d rolls in %s, %v; %d bad", n, time.Since(c.began).Round(time.Second), c.ends, c.bad)
	}
	if len(bad) == 0 {
		return
	}
	if c.bad++; c.bad <= 20 {
		c.Errorf("%s: seed %d: %s\n%s", name, r.Seed, strings.Join(bad, "\n\t"), tail(h, 12))
	}
}

// first are the first words of a reason, without its numbers and names.
func first(why string) string {
	words := strings.Fields(why)
	words = slices.DeleteFunc(words, func(w string) bool { return strings.ContainsAny(w, "0123456789") })
	return strings.Join(words[:min(len(words), 9)], " ")
}

// sum says what came of it all.
func (c *campaign) sum(what string) {
	c.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.rolls()
	took := time.Since(c.began)
	if c.ends[sim.Refused]*5 > n {
		c.Errorf("%d of %d were refused: nothing is shown by those", c.ends[sim.Refused], n)
	}
	c.Logf("%s: %d rolls in %s (%.0f a second), %v, %d of them undisturbed; %d bad, %d with a loss that only a look into directories could tell",
		what, n, took.Round(time.Second), float64(n)/took.Seconds(), c.ends, c.quiet, c.bad, c.unseen)
	for why, n := range c.why {
		c.Logf("  %5d  %s", n, why)
	}
}

// rolls is how many were judged.
func (c *campaign) rolls() int {
	n := 0
	for _, k := range c.ends {
		n += k
	}
	return n
}

// through goes through so many seeds, on every core.
func (c *campaign) through(seeds int, of func(seed uint64) sim.Roll) {
	first, err := strconv.Atoi(os.Getenv("SEED"))
	if err != nil {
		first = 0
	}
	workers := runtime.GOMAXPROCS(0)
	c.Run("seeds", func(t *testing.T) {
		for i := range workers {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				for n := i; n < seeds; n += workers {
					r := of(uint64(first + n))
					c.judge("random", r, simulate(t, r))
				}
			})
		}
	})
}
