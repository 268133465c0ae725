// SPDX-License-Identifier: Apache-2.0

package roll

import (
	"context"
	"errors"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// tell writes what only tells how things stand. Nothing rests on it, so a journal
// that fills up does without it, and nothing ends for want of it.
func (r *runner) tell(ctx context.Context, e record.Event) error {
	err := r.write(ctx, e)
	if !errors.Is(err, record.ErrFull) {
		return err
	}
	if !r.untold {
		r.untold = true
		r.Watch(Report{Kind: ReportTrouble, Text: "the journal fills up: how the volumes stand, and what others do, is written with our own deeds only, or not at all"})
	}
	return nil
}

// full is the halt for a full journal: no deed without its written intent. In a
// turn the same command goes on, since whoever takes the lock has room for a turn;
// that it takes a person each time bounds what a loop without end could write.
func (r *runner) full() decide.Halt {
	h := decide.Halt{
		Phase: r.phase, Exit: decide.ExitLimit,
		Reason: "the journal is full: it has no room for another turn",
		Remedy: "end this roll, then begin one over the nodes that are left, which begins a new journal: kubectl safe-roll abort",
	}
	switch t := r.mem.Current(); {
	case t == nil && len(r.mem.Turns) == 0 && len(r.mem.Undo) == 0 && r.mem.Last == nil:
		h.Remedy = "begin the roll anew, which begins a new journal: nothing was done yet that must be ended first"
	case t != nil:
		h.Reason = "the journal is full, in the turn of node " + t.Node.Name
		h.Remedy = "see what was written so often (kubectl safe-roll report), then run the same command again: it has new room, to finish the turn"
	}
	return h
}
