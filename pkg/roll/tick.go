// SPDX-License-Identifier: Apache-2.0

package roll

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// tick looks once, decides once, and does at most one thing. over is true at
// the end of the roll.
func (r *runner) tick(ctx context.Context) (res Result, over bool, err error) {
	want := cluster.Cached
	if r.fresh {
		want = cluster.Fresh
	}
	r.asked, r.fresh, r.late = want, false, false
	r.unrenewed()
	s, err := r.World.Observe(ctx, want)
	if err != nil {
		return r.trouble(ctx, err)
	}
	if err := r.notice(ctx, s); err != nil {
		return Result{}, false, err
	}
	r.blind, r.blinks, r.look = time.Time{}, 0, s
	j, now := r.judge(s)
	if err := r.looked(ctx, j); err != nil {
		return Result{}, false, err
	}
	if r.late { // nothing is decided from what was seen before the wait
		r.fresh = want == cluster.Fresh
		return Result{}, false, nil
	}
	d := r.plan.Reforecast(decide.Next(r.plan, j, r.mem, now), j, r.mem, r.Placers)
	if _, halts := d.(decide.Halt); halts && want == cluster.Cached && !s.Look.Fresh {
		r.fresh = true // kinds are cached each for itself: together they may be of no moment
		return Result{}, false, nil
	}
	r.Watch(Report{Kind: ReportDecided, Judgement: j, Decision: d, Plan: &r.plan, Memory: &r.mem})
	switch d := d.(type) {
	case decide.Act:
		r.did = true
		return Result{}, false, r.act(ctx, d)
	case decide.Remember:
		return Result{}, false, r.remember(ctx, d)
	case decide.Wait:
		return r.wait(ctx, d)
	case decide.Halt:
		return r.halt(ctx, d)
	case decide.Done:
		return r.finish(ctx, d)
	}
	return Result{}, false, fmt.Errorf("a decision of unknown kind %T", d)
}

// remember writes down what was decided to be known. Where the lock does not last
// for it, it is decided anew.
func (r *runner) remember(ctx context.Context, d decide.Remember) error {
	note := d.Note
	err := r.append(ctx, record.Event{Kind: record.Noted, Phase: d.Phase, Note: &note, Text: note.Says})
	if err != nil {
		return r.expiring(ctx, err)
	}
	r.did, r.unlocked = true, time.Time{}
	r.Watch(Report{Kind: ReportNoted, Text: note.Says})
	return nil
}

// longestBlind is how long at most it is waited between two reads that fail.
const longestBlind = 30 * time.Second

// trouble waits after a read that failed, for a limited time: each time twice as
// long, since whoever cannot answer is not helped by being asked for everything.
func (r *runner) trouble(ctx context.Context, err error) (Result, bool, error) {
	if ctx.Err() != nil {
		return Result{}, false, nil // the loop tells an interruption
	}
	now := time.Now()
	if r.blind.IsZero() {
		r.blind = now
	}
	r.fresh = true
	r.Watch(Report{Kind: ReportTrouble, Text: err.Error()})
	if now.Sub(r.blind) > r.plan.Policy.SettleLimit {
		return r.halt(ctx, decide.Halt{
			Phase: r.phase, Exit: decide.ExitLimit,
			Reason: fmt.Sprintf("the cluster could not be read for %s (settle limit): %v", now.Sub(r.blind).Round(time.Second), err),
			Remedy: "make the API server reachable, then run the same command again",
		})
	}
	pause := r.plan.Spread(min(2*time.Second<<min(r.blinks, 4), longestBlind), r.blinks)
	r.blinks++
	sleep(ctx, max(r.Tick, pause))
	return Result{}, false, nil
}

// act does one deed: the intent first, the outcome after. What cannot be taken
// back is decided a second time, from consistent reads that begin now (L4).
func (r *runner) act(ctx context.Context, d decide.Act) error {
	a := d.Action
	if (a.Irreversible() || d.Fresh) && !r.look.Look.Fresh {
		r.fresh = true
		return nil
	}
	limit := r.DeedLimit
	if a.Verb == decide.RunCommand {
		limit = r.plan.Policy.CommandLimit
	}
	if err := r.Book.Guard(r.DeedLimit); err != nil {
		return r.expiring(ctx, err)
	}
	r.unlocked = time.Time{}
	began := time.Now()
	if err := r.append(ctx, record.Event{Kind: record.Intent, Phase: d.Phase, Action: &a, Text: a.Why}); err != nil {
		return r.expiring(ctx, err) // after a wait it is decided anew
	}
	r.Watch(Report{Kind: ReportActing, Action: &a})
	if a.Verb == decide.RunCommand {
		limit -= time.Since(began) // whoever comes after us counts from the intent
	}
	o, failed := r.perform(ctx, a, limit)
	if failed != nil {
		o = decide.Outcome{Result: decide.Uncertain, Detail: failed.Error()}
	}
	r.Watch(Report{Kind: ReportActed, Action: &a, Outcome: &o})
	err := r.write(ctx, record.Event{Kind: record.Done, Phase: d.Phase, Action: &a, Outcome: &o, Text: o.Detail})
	if failed != nil {
		failed = fmt.Errorf("%s: %w", a.Why, failed)
		if err != nil { // no deed while the outcome of the one before is not written
			return errors.Join(failed, err)
		}
		left, undone := r.takeBack(ctx, decide.StopInterrupted)
		return errors.Join(failed, left, undone)
	}
	// What came of it is seen by the events that it has caused. Only where that
	// cannot be relied upon is everything read anew.
	r.fresh = o.Result != decide.Performed || a.Irreversible()
	return err
}

// perform does a deed whose intent is written. The writing may have taken long, and
// the machine may have slept over it: the lock is asked for once more, and where it
// does not last any longer nothing is done, since what the deed was decided from is
// as old.
func (r *runner) perform(ctx context.Context, a decide.Action, limit time.Duration) (decide.Outcome, error) {
	ctx = context.WithoutCancel(ctx)
	if err := r.Book.Guard(r.DeedLimit); err != nil {
		// Without the lock the outcome cannot be written either, which says why.
		_ = r.lasting(ctx)
		return decide.Outcome{Result: decide.Refused, Detail: "not begun: " + err.Error()}, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the limit of one deed, %s", limit))
	defer cancel()
	return r.World.Perform(ctx, a)
}

// retry is how long to wait before something is tried again that no news tells of.
func (r *runner) retry() time.Duration { return max(r.Tick, time.Second) }

// breath is what a wait lasts at least, whatever it says: the loop must not spin.
const breath = 50 * time.Millisecond

// wait waits for something to change, and ends when its limit passes without
// progress (I7).
func (r *runner) wait(ctx context.Context, w decide.Wait) (Result, bool, error) {
	now := time.Now()
	if r.phase != w.Phase {
		if r.did {
			r.waited.Begin(now)
		} else {
			r.waited.Turn(now)
		}
		r.did = false
	}
	r.waited.See(w, now)
	if h, over := decide.Overdue(w, r.waited, r.plan.Policy.LongestWait, now); over {
		if !r.look.Look.Fresh { // what is missed may be there by now, and the cache be old
			r.fresh = true
			return Result{}, false, nil
		}
		return r.halt(ctx, h)
	}
	if r.phase != w.Phase {
		r.phase = w.Phase
		if err := r.write(ctx, record.Event{Kind: record.Waiting, Phase: w.Phase, Text: w.For, Left: few(w.Left)}); err != nil {
			return Result{}, false, err
		}
	}
	pause := r.Poll
	if w.Approve != nil {
		if over, err := r.approved(ctx, *w.Approve); over || err != nil {
			return Result{}, false, err
		}
		pause = approvalPoll
	}
	if !w.Until.IsZero() {
		pause = min(pause, w.Until.Sub(now.Add(r.look.Look.Skew)))
		// What was looked at just now as it is to be is not due at once again.
		if pause < breath && (r.asked == cluster.Fresh || !w.Fresh) {
			pause = r.retry()
		}
	}
	if !sleep(ctx, min(r.Tick, max(pause, 0))) {
		return Result{}, false, nil
	}
	if pause > r.Tick {
		c, cancel := context.WithTimeout(ctx, pause-r.Tick)
		err := r.World.Await(c, r.look.Revision)
		cancel()
		if err != nil && c.Err() == nil {
			sleep(ctx, r.retry())
		}
	}
	// Whatever woke us before its time is looked at cheaply.
	r.fresh = w.Fresh && !time.Now().Add(r.look.Look.Skew).Before(w.Until)
	return Result{}, false, nil
}
