// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// What the loop keeps from look to look is, at every look of whole rolls, what
// it would conclude from that look alone.
func TestRoll_JudgesEveryLookAsIfItWereTheFirst(t *testing.T) {
	looks := 0
	for seed := range uint64(6) {
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
			w.confuse(int(seed % 4))
			cfg := config(w.Connect(book.NewInMemory(leaseTime, time.Now).Open("somebody@laptop"), plan.Commands, Faults{}), &plan, time.Second)
			cfg.Watch = func(r roll.Report) {
				if r.Kind != roll.ReportDecided {
					return
				}
				looks++
				if want := assess.Judge(r.Judgement.Snapshot, r.Judgement.Policy, r.Judgement.Now); !reflect.DeepEqual(r.Judgement, want) {
					t.Fatalf("seed %d, %s: the judgement is not that of the look alone", seed, w.now)
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
