// SPDX-License-Identifier: Apache-2.0

package book

import (
	"fmt"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// hold is what we know of our own lock without asking.
type hold struct {
	held bool
	// lost: it was held, and then another took over.
	lost error
	// token names this holding; a second one by the same identity has another.
	token string
	// renewed is when the last renewal that was answered had been sent.
	renewed  time.Time
	duration time.Duration
	// former held it before, and its time had run out; empty for nobody.
	former record.Holder
}

// guard says whether the lock lasts for d from now.
func (h hold) guard(now time.Time, d time.Duration) error {
	switch {
	case h.lost != nil:
		return h.lost
	case !h.held:
		return ErrNotHeld
	}
	if left := h.duration - elapsed(h.renewed, now); left < d {
		return fmt.Errorf("%w: %s left of %s, %s needed", record.ErrExpiring, max(left, 0).Round(time.Millisecond), h.duration, d)
	}
	return nil
}

// elapsed is the longer of what the two clocks say. While a laptop sleeps the
// monotonic one may stand still (Linux), and the wall clock may be set back;
// others judge the lease by the wall clock.
func elapsed(from, to time.Time) time.Duration {
	return max(to.Sub(from), to.Round(0).Sub(from.Round(0)))
}

// lose notes that the lock is another's. Everything fails from now on.
func (b *Book) lose(why string) error {
	b.state.Lock()
	defer b.state.Unlock()
	if b.hold.lost == nil {
		b.hold.lost = fmt.Errorf("%w: %s", record.ErrFenced, why)
	}
	return b.hold.lost
}

// deleted notes that what is ours was deleted. Everything fails from now on.
func (b *Book) deleted(what error, why string) error {
	b.state.Lock()
	defer b.state.Unlock()
	if b.hold.lost == nil {
		b.hold.lost = gone{fmt.Errorf("%w: %s", what, why)}
	}
	return b.hold.lost
}

// gone is a fence that nobody is behind.
type gone struct{ error }

func (g gone) Unwrap() error { return g.error }

// Is has it be a fence for whoever asks only whether the lock is lost.
func (g gone) Is(target error) bool { return target == record.ErrFenced }

// Former returns whose lock had run out when it was taken by the last Acquire; empty
// where it had been given back, or there was none.
func (b *Book) Former() record.Holder { return b.holding().former }

func (b *Book) holding() hold {
	b.state.Lock()
	defer b.state.Unlock()
	return b.hold
}

func (b *Book) setHold(h hold) {
	b.state.Lock()
	defer b.state.Unlock()
	b.hold = h
}

// renewed notes that the holding of that token was renewed, by a request of that
// time. Whoever found meanwhile that the lock is lost is not contradicted.
func (b *Book) renewed(token string, at time.Time) error {
	b.state.Lock()
	defer b.state.Unlock()
	switch {
	case b.hold.lost != nil:
		return b.hold.lost
	case !b.hold.held || b.hold.token != token:
		return ErrNotHeld
	}
	b.hold.renewed = at
	return nil
}

func (b *Book) currentRun() string {
	b.state.Lock()
	defer b.state.Unlock()
	return b.run
}

func (b *Book) setRun(run string) {
	b.state.Lock()
	defer b.state.Unlock()
	b.run = run
}
