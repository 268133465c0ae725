// SPDX-License-Identifier: Apache-2.0

package roll_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
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

// clerk approves every turn that it is asked about, the second time.
type clerk struct{ asked map[cluster.NodeRef]int }

func (c *clerk) Approve(context.Context, string, cluster.NodeRef, string) error { return nil }
func (c *clerk) Approved(_ context.Context, run string, node cluster.NodeRef) (string, error) {
	c.asked[node]++
	if run != "r1" || c.asked[node] < 2 {
		return "", nil
	}
	return "bob", nil
}

func TestRun_APausedRollGoesOnWhenTheTurnIsApproved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := worlds()["evict and replace"]()
		p, b := propose(t, w, c), &shelf{}
		p.Policy.Pause = true
		cfg, who := config(w, b, &p), &clerk{asked: map[cluster.NodeRef]int{}}
		cfg.Approvals = who
		res, err := roll.Run(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		check(t, w, res)
		if len(who.asked) != len(p.Turns)-1 {
			t.Errorf("asked about %d of %d turns; the first needs no approval", len(who.asked), len(p.Turns))
		}
		said := false
		for _, e := range b.events {
			said = said || e.Note != nil && e.Note.Kind == decide.Approved
		}
		if !said {
			t.Error("the journal does not say who approved")
		}
	})
}

func TestRun_APausedRollThatNobodyApprovesEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := worlds()["evict and replace"]()
		p, b := propose(t, w, c), &shelf{}
		p.Policy.Pause = true
		res, err := roll.Run(t.Context(), config(w, b, &p))
		if err != nil || res.Exit != decide.ExitLimit {
			t.Errorf("exit %d, %v", res.Exit, err)
		}
	})
}
