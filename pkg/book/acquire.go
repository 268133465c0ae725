// SPDX-License-Identifier: Apache-2.0

package book

import (
	"context"
	"errors"
	"fmt"

	coordinationv1 "k8s.io/api/coordination/v1"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// Acquire takes the lease, then raises the epoch in the head, then reads the
// journal: from the second step on nobody else can add to it. Where the lease
// is another's and live it returns an error that wraps record.ErrHeld. If a
// later step fails the lease is given back, as far as that goes.
func (b *Book) Acquire(ctx context.Context) (record.History, error) {
	b.leasing.Lock()
	defer b.leasing.Unlock()
	b.writing.Lock()
	defer b.writing.Unlock()
	b.setHold(hold{})
	b.desk = desk{}
	if err := b.takeLease(ctx); err != nil {
		return record.History{}, err
	}
	history, err := b.open(ctx)
	if err != nil {
		return record.History{}, errors.Join(err, b.giveBack(ctx))
	}
	return history, nil
}

// open raises the epoch and reads the journal.
func (b *Book) open(ctx context.Context) (record.History, error) {
	h, err := b.raise(ctx, b.holding().token)
	if err != nil {
		return record.History{}, err
	}
	c, err := b.load(ctx, h)
	if err != nil {
		return record.History{}, err
	}
	b.desk = desk{head: h, tail: c.tail, version: c.version, had: c.tail.n, sweeps: sweepTries}
	b.setRun(h.run)
	return record.History{Events: c.events}, nil
}

// raise writes the head with the next epoch and our token. Whoever wrote it
// before has a version that is old from now on.
//
// The head is read before the lease is seen to be ours: who takes the lease
// after that raises the head as well, and then the version that we hold is
// old. So a process that was stalled here does not fence its successor.
func (b *Book) raise(ctx context.Context, token string) (head, error) {
	var last error
	for try := range attempts {
		h, err := b.readHead(ctx)
		if err != nil {
			return head{}, err
		}
		if h.writer == token {
			return h, nil // the answer to an earlier try was lost
		}
		if _, err := b.ownLease(ctx, token); err != nil {
			return head{}, err
		}
		isNew := h.cm == nil
		h.epoch++
		h.writer, h.holder, h.barrier = token, b.cfg.Identity, 0
		h, last = b.swap(ctx, h)
		switch {
		case last == nil:
			return h, nil
		case classify(last) == fatal, classify(last) == absent && isNew: // no such namespace
			return head{}, fmt.Errorf("write the ConfigMap %s/%s: %w", b.cfg.Namespace, Name, explain(last))
		case classify(last) == unknown:
			if err := b.pause(ctx, try); err != nil {
				return head{}, fmt.Errorf("write the ConfigMap %s/%s: %w (%w)", b.cfg.Namespace, Name, last, err)
			}
		}
	}
	return head{}, fmt.Errorf("write the ConfigMap %s/%s: no success in %d tries: %w", b.cfg.Namespace, Name, attempts, last)
}

// Release gives the lock back. A lock that is not ours any more needs nothing.
// The Lease object stays, without a holder: it counts the transitions.
func (b *Book) Release(ctx context.Context) error {
	b.leasing.Lock()
	defer b.leasing.Unlock()
	return b.giveBack(ctx)
}

// giveBack is Release for who has the lease's turn already.
func (b *Book) giveBack(ctx context.Context) error {
	h := b.holding()
	if h.lost != nil || !h.held {
		return nil
	}
	err := b.editLease(ctx, h.token, func(l *coordinationv1.Lease) {
		l.Spec.HolderIdentity = nil
		delete(l.Annotations, tokenKey)
	})
	if errors.Is(err, record.ErrFenced) {
		// Another's, or an earlier try of ours took effect: free either way.
		err = nil
	}
	b.setHold(hold{})
	return err
}
