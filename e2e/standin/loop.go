// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"context"
	"errors"
	"time"
)

const (
	// idle is how long the loop rests when nothing happens. Machines that are
	// switched off tell nobody.
	idle = 300 * time.Millisecond
	// breath keeps a burst of events from being a turn each.
	breath = 15 * time.Millisecond
	// passes bounds how often the model is stepped at one moment. It comes to
	// rest after a few.
	passes = 100
)

// errRestless means that the model changes its mind without end.
var errRestless = errors.New("the model does not come to rest")

// loop turns until ctx ends.
func (s *Standin) loop(ctx context.Context) {
	defer close(s.done)
	next := time.Now()
	for ctx.Err() == nil {
		wait := min(max(time.Until(next), breath), idle)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-s.wake:
			timer.Reset(breath)
			<-timer.C
		}
		timer.Stop()
		var err error
		if next, err = s.turnAt(ctx, time.Now()); err != nil && ctx.Err() == nil {
			s.opts.Log.Error("a turn failed", "error", err)
		}
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
	}
}

func (s *Standin) turn(ctx context.Context) error {
	_, err := s.turnAt(ctx, time.Now())
	return err
}

// turnAt looks, steps and writes once. It returns when the next turn is due if
// nothing else happens.
func (s *Standin) turnAt(ctx context.Context, now time.Time) (time.Time, error) {
	s.mu.Lock()
	s.absorb()
	s.tellFacts()
	s.askForVolumes()
	next, err := s.step(now)
	refs, revision := s.model.Changed(s.revision)
	s.revision = revision
	for _, r := range refs {
		s.retry[r] = true
	}
	s.mu.Unlock()
	err = errors.Join(err, s.flush(ctx), s.flushPods(ctx), s.flushBudgets(ctx), s.flushAttachments(ctx))
	s.mu.Lock()
	again := len(s.retry) > 0
	s.mu.Unlock()
	switch {
	case err != nil:
		return now.Add(idle), err // the server may be down
	case again:
		return now, nil
	}
	return next, nil
}

// step steps the model until it rests.
func (s *Standin) step(now time.Time) (time.Time, error) {
	for range passes {
		p := s.model.Step(now)
		if p.Changed {
			continue
		}
		if p.Next.IsZero() {
			return now.Add(idle), nil
		}
		return p.Next, nil
	}
	return now.Add(idle), errRestless
}
