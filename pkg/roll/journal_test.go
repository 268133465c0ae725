// SPDX-License-Identifier: Apache-2.0

package roll_test

import (
	"testing"
	"testing/synctest"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// TestRun_TheJournalTellsHowFarRedundancyDipped: where replicas are moved away
// first it never does, where they are rebuilt afterwards by one.
func TestRun_TheJournalTellsHowFarRedundancyDipped(t *testing.T) {
	for name, dips := range map[string]int{"evict and replace": 0, "refill, retire and create": 1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, c := worlds()[name]()
				p, b := propose(t, w, c), &shelf{}
				cfg := config(w, b, &p)
				cfg.By = record.Author{Who: "ada", Program: "v1"}
				if _, err := roll.Run(t.Context(), cfg); err != nil {
					t.Fatal(err)
				}
				if by := b.events[0].By; by == nil || by.Who != "ada" {
					t.Errorf("begun by %+v", by)
				}
				deepest := 0
				for _, e := range b.events {
					if e.Seen == nil {
						continue
					}
					for _, c := range e.Seen.Classes {
						deepest = max(deepest, c.Want-c.Lowest)
					}
				}
				if deepest != dips {
					t.Errorf("the journal tells of a dip by %d, want %d", deepest, dips)
				}
			})
		})
	}
}
