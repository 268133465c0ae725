// SPDX-License-Identifier: Apache-2.0

package roll

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// Config is what a roll needs. All durations must be longer than zero;
// Defaults fills those that are not.
type Config struct {
	World World
	Book  record.Book
	// Plan starts a new roll, or widens the one in flight where Widen is set;
	// nil goes on with the one that the book holds.
	Plan  *decide.Plan
	Widen bool
	// Expect, if not empty, is the run that is to be gone on with: what was
	// shown and confirmed, and whose commands World holds.
	Expect string
	// Stays, for Abort, is the node whose machine is certain to stay, whatever was
	// begun that ends it; empty for none.
	Stays string
	// CommandEnded: the command that a program before began, and whose end it did
	// not see, is known to have ended.
	CommandEnded bool
	Watch        Watcher
	// Placers say where replicas would go, by driver; without one, nothing is
	// asked again that the plan has foreseen.
	Placers map[string]forecast.Placer
	// Approvals is asked for the turns that must be approved; nil for nobody.
	Approvals record.Approvals
	// By is who rolls, for the journal.
	By record.Author
	// Advise says what to do about a finding, and the flag that accepts it, for
	// the journal; nil for nobody.
	Advise func(assess.Finding) (remedy, accept string)

	// Tick is the least time between two looks, Poll the most. What is tried again
	// without any news has a second at least.
	Tick time.Duration
	Poll time.Duration
	// Renew is how often the lock is renewed.
	Renew time.Duration
	// DeedLimit bounds one deed, commands aside; they have the policy's limit.
	DeedLimit time.Duration
	// WriteLimit bounds one write to the book.
	WriteLimit time.Duration

	again bool // after an outage
}

// Defaults returns the configuration with every unset duration filled.
func (c Config) Defaults() Config {
	set := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	set(&c.Tick, time.Second)
	set(&c.Poll, 30*time.Second)
	set(&c.Renew, 15*time.Second)
	set(&c.DeedLimit, 20*time.Second)
	set(&c.WriteLimit, 20*time.Second)
	if c.Watch == nil {
		c.Watch = func(Report) {}
	}
	return c
}

// Result is how a roll ended.
type Result struct {
	// Decision is a Done or a Halt; nil after an interruption.
	Decision decide.Decision
	// Exit is the exit code.
	Exit   int
	Plan   decide.Plan
	Memory decide.Memory
	// Left is what we changed and did not put back, for the same command to
	// go on from.
	Left []decide.Action
	// Untouchable is what nobody must touch until the roll goes on, after LetGo.
	Untouchable []string
}

// ExitInterrupted is the exit code of a roll that was stopped and can go on.
const ExitInterrupted = 130

// ErrNothing is returned where there is nothing to go on with.
var ErrNothing = errors.New("no roll is in flight")

// ErrOther is returned where another roll has taken the place of the one that
// was to be gone on with, between reading the journal and taking the lock.
var ErrOther = errors.New("the roll in flight has changed: look at it again, then run the same command")

// Run rolls until the plan is fulfilled, a Halt, an interruption (ctx), or an
// error. It takes the book's lock first and gives it back at the end. An
// interruption finishes the deed in hand. Errors say that something is not
// known or not possible; refusals are Results.
//
// An outage that a write to the journal meets ends nothing: as soon as there is an
// answer it is gone on with, as the same command would, for as long as a cluster that
// cannot be read is waited for.
func Run(ctx context.Context, cfg Config) (Result, error) {
	res, err := locked(ctx, cfg, (*runner).run)
	for errors.Is(err, record.ErrOutage) && res.begun() && ctx.Err() == nil {
		again, e, on := afterOutage(ctx, cfg, res, err)
		if !on {
			return res, errors.Join(err, e)
		}
		res, err = again, e
	}
	return res, err
}

// locked takes the lock, keeps it while do works, and gives it back.
func locked(ctx context.Context, cfg Config, do func(*runner, context.Context, record.History) (Result, error)) (Result, error) {
	r := &runner{Config: cfg.Defaults(), fresh: cfg.again}
	h, err := r.Book.Acquire(ctx)
	if err != nil {
		return Result{}, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	// An interruption does not end the keeping: what must not stay is put back
	// after it, under the lock.
	keep, rest := context.WithCancel(context.WithoutCancel(ctx))
	defer rest()
	done := r.keepLock(keep, stop)
	res, err := do(r, ctx, h)
	rest()
	<-done
	r.release(ctx)
	return res, err
}

type runner struct {
	Config
	plan decide.Plan
	mem  decide.Memory
	// judger judges what has changed since the last look.
	judger assess.Judger
	// look is the last snapshot, sight what the journal was told of it.
	look  *cluster.Snapshot
	sight sight
	// listed is the last one in which the nodes could be read.
	listed *cluster.Snapshot
	// phase is the phase of the last wait, waited how long it has lasted.
	phase  decide.Phase
	waited decide.Waited
	// did: something was done or written down since the last wait began. Going
	// to and fro between two waits is one wait.
	did bool
	// noticed counts what others did, as far as it was written down; untold: a full
	// journal does without it.
	noticed int
	untold  bool
	// fresh asks for consistent reads at the next tick; asked is what the last one
	// asked for.
	fresh bool
	asked cluster.Freshness
	// blind is since when nothing could be read, and blinks how often; unlocked
	// since when the lock has not lasted long enough for a deed.
	blind    time.Time
	blinks   int
	unlocked time.Time
	// renewal is what the keeping of the lock tells.
	renewal renewal
	// late: a write has waited for the lock, so what was seen before it is old.
	late bool
}

func (r *runner) run(ctx context.Context, h record.History) (Result, error) {
	if err := r.begin(ctx, h); err != nil {
		return Result{}, err
	}
	for {
		if ctx.Err() != nil {
			return r.interrupted(ctx)
		}
		res, over, err := r.tick(ctx)
		switch {
		case over:
			return res, err
		case errors.Is(err, record.ErrFull) && r.mem.Open == nil:
			res, _, more := r.halt(ctx, r.full())
			if more != nil {
				return res, errors.Join(err, more)
			}
			return res, nil
		case err != nil:
			return r.result(nil, 1), err // it says what is left changed
		}
	}
}

// begin starts a new journal or goes on with the one there is.
func (r *runner) begin(ctx context.Context, h record.History) error {
	r.plan, r.mem = record.Replay(h)
	switch {
	case r.Plan != nil && r.Widen:
		if h.Over() || r.plan.Run != r.Plan.Run {
			return fmt.Errorf("%w: it is not the roll %s any more", ErrOther, r.Plan.Run)
		}
		r.plan = *r.Plan
		r.Watch(Report{Kind: ReportResumed, Plan: &r.plan, Memory: &r.mem})
		again := record.Event{Kind: record.Replanned, Plan: r.Plan, Text: r.inherit(), By: r.by()}
		return r.write(ctx, slices.Concat(r.unknown(), []record.Event{again}, r.ended())...)
	case r.Plan != nil:
		switch t := r.mem.Current(); {
		case h.Over():
		case t != nil:
			return fmt.Errorf("the turn of node %s is not finished", t.Node.Name)
		case len(r.mem.Undo) > 0 || r.mem.Open != nil:
			return fmt.Errorf("the roll %s in flight has changes that must be put back first: kubectl safe-roll abort", r.plan.Run)
		}
		r.plan = *r.Plan
		r.Watch(Report{Kind: ReportStarted, Plan: &r.plan})
		events := []record.Event{{Kind: record.Started, Plan: r.Plan, By: r.by()}}
		for _, n := range r.mem.StillMissing() {
			events = append(events, record.Event{Kind: record.Noted, Note: &n, Text: n.Says})
		}
		return r.write(ctx, events...)
	case h.Over():
		return ErrNothing
	case r.Expect != "" && r.plan.Run != r.Expect:
		return fmt.Errorf("%w: it is not the roll %s any more", ErrOther, r.Expect)
	}
	r.Watch(Report{Kind: ReportResumed, Plan: &r.plan, Memory: &r.mem})
	again := record.Event{Kind: record.Resumed, Text: r.inherit(), By: r.by()}
	return r.write(ctx, slices.Concat(r.unknown(), []record.Event{again}, r.ended())...)
}

// sleep waits for d and reports whether ctx is still good.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// judge judges the snapshot by the cluster's clock, with the machines that the
// journal knows to be gone and the directories that it knows to have been missing. On
// consistent reads rests what cannot be taken back: they are judged from nothing, with
// no part of an earlier judgement kept.
func (r *runner) judge(s *cluster.Snapshot) (*assess.Judgement, time.Time) {
	known := *s
	known.Retired, known.Missing = r.mem.Retired(), r.mem.Missing
	now := time.Now().Add(s.Look.Skew)
	if s.Look.Fresh {
		r.judger = assess.Judger{}
	}
	return r.judger.Judge(&known, r.plan.Policy, now), now
}
