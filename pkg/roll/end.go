// SPDX-License-Identifier: Apache-2.0

package roll

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// halt stops with a reason, puts back what must not stay, and says so.
func (r *runner) halt(ctx context.Context, h decide.Halt) (Result, bool, error) {
	why := decide.StopRefused
	if t := r.mem.Current(); h.Exit == decide.ExitLimit || t != nil && t.Going() {
		// Nothing new may be placed on a machine that is on its way out.
		why = decide.StopInterrupted
	}
	r.Watch(Report{Kind: ReportHalted, Decision: h, Plan: &r.plan, Memory: &r.mem})
	// What cannot be put back is said with the reason, and does not take its
	// place: the exit code is the Halt's.
	left, err := r.takeBack(ctx, why)
	if left != nil {
		h.Reason += "; and " + strings.ReplaceAll(left.Error(), "\n", "; ")
	}
	err = errors.Join(err, r.write(ctx, record.Event{
		Kind: record.Halted, Phase: h.Phase, Exit: h.Exit, Text: h.Reason, Findings: r.kept(h.Findings), Remedy: h.Remedy,
		Left: few(h.Missing),
	}))
	return r.result(h, h.Exit), true, err
}

func (r *runner) finish(ctx context.Context, d decide.Done) (Result, bool, error) {
	// A hold whose taking back had an unknown outcome is taken back once more. As
	// long as there is one, the roll has not ended, and the same command goes on.
	err := errors.Join(r.takeBack(ctx, decide.StopInterrupted))
	if err != nil && r.mem.Holds() {
		return Result{}, false, err
	}
	err = errors.Join(err, r.write(ctx, record.Event{Kind: record.Finished, Phase: decide.Finished, Text: d.Says}))
	r.Watch(Report{Kind: ReportFinished, Decision: d, Plan: &r.plan, Memory: &r.mem})
	return r.result(d, 0), true, err
}

// interrupted ends at a safe point: no hold of ours stays, the rest is left
// for the same command to go on from. A lost lock ends with its own error, and
// then nothing more is touched.
func (r *runner) interrupted(ctx context.Context) (Result, error) {
	cause := context.Cause(ctx)
	if errors.Is(cause, record.ErrFenced) || errors.Is(cause, record.ErrHeld) {
		return r.result(nil, 1), fmt.Errorf("the lock was lost: %w", cause)
	}
	err := errors.Join(r.takeBack(ctx, decide.StopInterrupted))
	err = errors.Join(err, r.write(ctx, record.Event{Kind: record.Interrupted, Phase: r.phase, Text: "stopped by a person"}))
	return r.result(nil, ExitInterrupted), err
}

func (r *runner) result(d decide.Decision, exit int) Result {
	return Result{Decision: d, Exit: exit, Plan: r.plan, Memory: r.mem, Left: r.mem.Undo}
}

// takeBack undoes what must not stay, each deed with intent and outcome like
// any other. A conflict means that somebody else has changed the object since:
// it is left alone, and said. One that fails is tried a few times. left says
// what could not be put back, err why nothing more can be done at all.
func (r *runner) takeBack(ctx context.Context, why decide.Stop) (left, err error) {
	for _, a := range decide.TakeBack(r.mem, why) {
		not, err := r.takeBackOne(ctx, a)
		left = errors.Join(left, not)
		if err != nil {
			return left, err
		}
	}
	return left, nil
}

// undoTries bounds how often one way back is tried, decide.ConflictTries how often
// in spite of conflicts.
const undoTries = 5

func (r *runner) takeBackOne(ctx context.Context, a decide.Action) (left, err error) {
	ctx = context.WithoutCancel(ctx)
	if decide.Moot(a, r.look) {
		o := decide.Outcome{Result: decide.Performed, Detail: "storage node " + a.StorageNode.Name + " is gone, and nothing is left to put back"}
		return nil, r.write(ctx, record.Event{Kind: record.Intent, Phase: decide.Undo, Action: &a, Text: a.Why},
			record.Event{Kind: record.Done, Phase: decide.Undo, Action: &a, Outcome: &o, Text: o.Detail})
	}
	r.Watch(Report{Kind: ReportUndoing, Action: &a})
	var last string
	conflicts := 0
	for try := range undoTries {
		if try > 0 {
			sleep(ctx, r.retry())
		}
		if err := r.lasting(ctx); err != nil {
			return nil, err
		}
		if err := r.write(ctx, record.Event{Kind: record.Intent, Phase: decide.Undo, Action: &a, Text: a.Why}); err != nil {
			return nil, err
		}
		o, err := r.perform(ctx, a, r.DeedLimit)
		if err != nil {
			o = decide.Outcome{Result: decide.Uncertain, Detail: err.Error()}
		}
		if err := r.write(ctx, record.Event{Kind: record.Done, Phase: decide.Undo, Action: &a, Outcome: &o, Text: o.Detail}); err != nil {
			return nil, err
		}
		if o.Result == decide.Performed {
			return nil, nil
		}
		last = o.Detail
		if o.Result == decide.Conflict {
			conflicts++
		}
		if conflicts >= decide.ConflictTries {
			return fmt.Errorf("not put back, because somebody else changed it since (%s): %s", last, a.Why), nil
		}
	}
	return fmt.Errorf("could not be put back (%s): %s", last, a.Why), nil
}

// lasting waits until the lock lasts for a deed: what is put back is fenced
// like any other deed.
func (r *runner) lasting(ctx context.Context) error {
	for {
		err := r.Book.Guard(r.DeedLimit)
		if err == nil {
			r.unlocked = time.Time{}
			return nil
		}
		if err := r.expiring(ctx, err); err != nil {
			return err
		}
	}
}
