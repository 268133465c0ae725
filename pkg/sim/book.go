// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// Book returns the process's book, whose calls go wrong like any other.
func (p *Process) Book() record.Book { return booked{p} }

type booked struct{ *Process }

// through does a call of the book as its fault says.
func (b booked) through(what string, do func() error) error {
	if b.Dead() {
		return ErrKilled
	}
	f := b.call(what)
	if f.Harm == Fine {
		lapse(latency)
		if b.Dead() { // by another call, meanwhile
			return ErrKilled
		}
		return do()
	}
	if f.After {
		if err := do(); err != nil {
			return err
		}
	}
	if f.Harm == Kill {
		return ErrKilled
	}
	return f.err()
}

// Read implements record.Book.
func (b booked) Read(ctx context.Context) (h record.History, who record.Holder, err error) {
	err = b.through("read", func() error {
		h, who, err = b.book.Read(ctx)
		return err
	})
	return h, who, err
}

// Acquire implements record.Book.
func (b booked) Acquire(ctx context.Context) (h record.History, err error) {
	err = b.through("acquire", func() error {
		h, err = b.book.Acquire(ctx)
		return err
	})
	return h, err
}

// Renew implements record.Book.
func (b booked) Renew(ctx context.Context) error {
	return b.through("renew", func() error { return b.book.Renew(ctx) })
}

// Append implements record.Book.
func (b booked) Append(ctx context.Context, es ...record.Event) error {
	return b.through("append", func() error { return b.book.Append(ctx, es...) })
}

// Guard implements record.Book; it asks nobody.
func (b booked) Guard(d time.Duration) error {
	if b.Dead() {
		return ErrKilled
	}
	return b.book.Guard(d)
}

// Release implements record.Book.
func (b booked) Release(ctx context.Context) error {
	return b.through("release", func() error { return b.book.Release(ctx) })
}
