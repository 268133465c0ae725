// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// everyLook calls with every look of whole rolls, from so many seeds, with others
// at work and by all that is confused.
func everyLook(t *testing.T, seeds uint64, with func(t *testing.T, seed uint64, w *World, r roll.Report)) {
	t.Helper()
	looks := 0
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) {
			c := Draw(seed)
			w, err := world(seed, c)
			if err != nil {
				t.Fatal(err)
			}
			plan, why, err := w.propose(t.Context(), c)
			if why != "" || err != nil {
				t.Fatal(why, err)
			}
			w.live(c)
			w.confuse(int(seed%4), 20*time.Minute)
			cfg := config(w.Connect(book.NewInMemory(leaseTime, time.Now).Open("somebody@laptop"), plan.Commands, Faults{}), &plan, time.Second)
			cfg.Watch = func(r roll.Report) {
				if r.Kind == roll.ReportDecided {
					looks++
					with(t, seed, w, r)
				}
			}
			if _, err := roll.Run(t.Context(), cfg); err != nil {
				t.Log(err) // others are at work
			}
		})
	}
	if looks < 500 {
		t.Errorf("only %d looks: it shows little", looks)
	}
}
