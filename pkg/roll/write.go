// SPDX-License-Identifier: Apache-2.0

package roll

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// write appends to the journal what has happened. Where the lock does not last for
// it, nothing was written: its renewal is waited for, as before a deed, and what
// happened is written then. What was only decided is not kept so long: see append.
func (r *runner) write(ctx context.Context, events ...record.Event) error {
	err := r.append(ctx, events...)
	if !errors.Is(err, record.ErrExpiring) {
		return err
	}
	r.late = true
	if err := r.lasting(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("%w: %w", errUnwritten, err)
	}
	return r.append(ctx, events...)
}

var errUnwritten = errors.New("the journal cannot be written, so nothing more is done")

// append appends to the journal and only then to the memory. It is not cut off
// by an interruption. What happened is told by the cluster's clock, by which
// Next goes and the storage writes, and not by that of whichever machine runs
// the roll today.
func (r *runner) append(ctx context.Context, events ...record.Event) error {
	now := time.Now()
	if r.look != nil {
		now = now.Add(r.look.Look.Skew)
	}
	for i := range events {
		if events[i].At.IsZero() { // where it had to wait, it happened before
			events[i].At = now
		}
	}
	events[0].Seen = r.sight.news()
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), r.WriteLimit, errors.New("journal write limit"))
	defer cancel()
	if err := r.Book.Append(ctx, events...); err != nil {
		return fmt.Errorf("%w: %w", errUnwritten, err)
	}
	r.sight.tell(time.Now())
	for _, e := range events {
		record.Apply(&r.mem, e)
	}
	return nil
}
