// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// separate does what a halt says of replicas that lie together, and reports
// whether it said so: one of the two is deleted.
func (w *World) separate(h decide.Halt) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	said := false
	for _, f := range h.Findings {
		if f.Code != decide.CodeTogether {
			continue
		}
		said = true
		w.say("somebody deletes %s", f.Evidence[1].Value)
		w.must(w.model.Delete(model.Ref{Kind: model.Replicas, Name: f.Evidence[1].Value}))
		w.touched = true
	}
	return said
}

// mayHang is what old releases are refused for: they evict badly what sleeps.
const mayHang = "may hang"

// anew gives the roll in flight up and makes a new plan, as a halt may say; it
// returns nil where it can only be gone on with, and whether it is over with that.
func (w *World) anew(ctx context.Context, r Roll, m *book.InMemory, h *History) (plan *decide.Plan, over bool) {
	plan, no, err := w.planAnew(ctx, r, m, h)
	switch {
	case err != nil:
		h.Ending, h.Why = Errored, err.Error()
	case strings.Contains(no, mayHang):
		h.Ending, h.Why = Refused, no
	default:
		return plan, false
	}
	return nil, true
}

// planAnew returns the new plan, or why there is none.
func (w *World) planAnew(ctx context.Context, r Roll, m *book.InMemory, h *History) (plan *decide.Plan, no string, err error) {
	res, err := roll.Abort(ctx, config(w.Connect(m.Open("somebody@laptop"), r.Case.Commands, Faults{}), nil, time.Second))
	w.tell("abort: exit %d, %v", res.Exit, err)
	switch {
	case errors.Is(err, roll.ErrNothing): // it halted before it began
	case res.Exit != 0 || err != nil:
		return nil, "", err
	default:
		if err := w.close(ctx, m, h); err != nil {
			return nil, "", err
		}
	}
	lapse(5 * time.Minute) // what had no place finds one
	next, no, err := w.propose(ctx, r.Case)
	for n := 0; n < separations && err == nil && w.separate(decide.Halt{Findings: w.refused}); n++ {
		lapse(5 * time.Minute)
		next, no, err = w.propose(ctx, r.Case)
	}
	if no != "" || err != nil {
		w.tell("no new plan: %s", no)
		return nil, no, err
	}
	next.Run += fmt.Sprintf("-%d", len(h.Calls))
	return &next, "", nil
}
