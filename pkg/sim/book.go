// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// Book returns the process's book, whose calls go wrong like any other.
func (p *Process) Book() record.Book {
	if p.wrap != nil {
		return p.wrap(booked{p})
	}
	return booked{p}
}

type booked struct{ *Process }

// tries is how long a book goes on trying at most where no limit is set to it: a
// request's time, as often as one write is tried.
const tries = 5 * book.DefaultRequestTimeout

// through does a call of the book as its fault says. send, where there is one, is
// the same call on a way that takes long.
func (b booked) through(ctx context.Context, what string, do func() error, send func(book.Underway) (func(), error)) error {
	if b.Dead() {
		return ErrKilled
	}
	f := b.call(what)
	if f.Harm == Doze {
		if f.After {
			defer b.wake()
		} else {
			b.wake()
		}
		f = Fault{}
	}
	if f.Harm == Fine {
		lapse(latency)
		if b.Dead() { // by another call, meanwhile
			return ErrKilled
		}
		b.world.arrivals()
		return do()
	}
	b.world.arrivals()
	if on, ok := b.book.(book.Underway); ok && f.Late > 0 && send != nil {
		arrive, err := send(on)
		if err != nil {
			return err
		}
		b.world.arrives(f.Late, arrive)
	} else if f.After {
		if err := do(); err != nil {
			return err
		}
	}
	if f.Harm == Kill {
		return ErrKilled
	}
	return harmed{f.err(ctx, tries), f.Harm}
}

// harmed is a call of the book that went wrong.
type harmed struct {
	error
	harm Harm
}

// Unwrap is for package errors.
func (h harmed) Unwrap() error { return h.error }

// arrivals has whatever is due arrive: the book is in memory of its own, and is not
// stepped with the world.
func (w *World) arrivals() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.catchUp()
}

// taken notes that a process has taken the lock.
func (w *World) taken(by int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.truth.Takings = append(w.truth.Takings, oracle.Taking{At: time.Now(), By: by})
}

// arrives has something arrive after d.
func (w *World) arrives(d time.Duration, arrive func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.after(d, arrive)
}

// Read implements record.Book.
func (b booked) Read(ctx context.Context) (h record.History, who record.Holder, err error) {
	err = b.through(ctx, "read", func() error {
		h, who, err = b.book.Read(ctx)
		return err
	}, nil)
	return h, who, err
}

// Acquire implements record.Book.
func (b booked) Acquire(ctx context.Context) (h record.History, err error) {
	err = b.through(ctx, "acquire", func() error {
		if h, err = b.book.Acquire(ctx); err == nil {
			b.world.taken(b.number)
		}
		return err
	}, nil)
	return h, err
}

// Renew implements record.Book.
func (b booked) Renew(ctx context.Context) error {
	return b.through(ctx, "renew", func() error { return b.book.Renew(ctx) }, book.Underway.SendRenew)
}

// Append implements record.Book.
func (b booked) Append(ctx context.Context, es ...record.Event) error {
	err := b.through(ctx, "append", func() error { return b.book.Append(ctx, es...) },
		func(on book.Underway) (func(), error) { return on.SendAppend(es...) })
	if h, wrong := errors.AsType[harmed](err); wrong && h.harm.passes() {
		return fmt.Errorf("%w: %w", record.ErrOutage, err)
	}
	return err
}

// Guard implements record.Book; it asks nobody.
func (b booked) Guard(d time.Duration) error {
	b.awake()
	if b.Dead() {
		return ErrKilled
	}
	return b.book.Guard(d)
}

// Release implements record.Book.
func (b booked) Release(ctx context.Context) error {
	return b.through(ctx, "release", func() error { return b.book.Release(ctx) }, book.Underway.SendRelease)
}
