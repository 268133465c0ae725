// SPDX-License-Identifier: Apache-2.0

package roll

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// renewal is what came of the last renewal of the lock: noted beside the loop, and
// told in it.
type renewal struct {
	mu   sync.Mutex
	err  error
	told string
}

// note takes in how a renewal ended.
func (n *renewal) note(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.err = err
	if err == nil {
		n.told = ""
	}
}

// last is why the last renewal failed; nil where it did not.
func (n *renewal) last() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.err
}

// news is why renewals fail, once for each reason.
func (n *renewal) news() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.err == nil || n.err.Error() == n.told {
		return ""
	}
	n.told = n.err.Error()
	return n.told
}

// unrenewed says that the lock is not renewed, and why. Deeds wait for it.
func (r *runner) unrenewed() {
	if why := r.renewal.news(); why != "" {
		r.Watch(Report{Kind: ReportTrouble, Text: "the lock could not be renewed: " + why})
	}
}

// keepLock renews the lock until ctx ends, and stops everything when it is
// another's.
func (r *runner) keepLock(ctx context.Context, stop context.CancelCauseFunc) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for sleep(ctx, r.Renew) {
			c, cancel := context.WithTimeoutCause(ctx, r.WriteLimit, errors.New("lock renewal limit"))
			err := r.Book.Renew(c)
			cancel()
			r.renewal.note(err)
			if errors.Is(err, record.ErrFenced) || errors.Is(err, record.ErrHeld) {
				stop(err)
				return
			}
		}
	}()
	return done
}

// release gives the lock back. Where that fails nothing is lost: it runs out.
func (r *runner) release(ctx context.Context) {
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), r.WriteLimit, errors.New("lock release limit"))
	defer cancel()
	if err := r.Book.Release(ctx); err != nil && !errors.Is(err, record.ErrFenced) {
		r.Watch(Report{Kind: ReportTrouble, Text: "the lock was not given back and runs out by itself: " + err.Error()})
	}
}

// expiring waits for the renewal of the lock, which is on its way, or finds out
// that it does not come: for a limited time (I7).
func (r *runner) expiring(ctx context.Context, err error) error {
	if !errors.Is(err, record.ErrExpiring) {
		return err
	}
	now := time.Now()
	if r.unlocked.IsZero() {
		r.unlocked = now
	}
	if idle := now.Sub(r.unlocked); idle > r.plan.Policy.SettleLimit {
		err = fmt.Errorf("the lock was not renewed for %s (settle limit): %w", idle.Round(time.Second), err)
		if why := r.renewal.last(); why != nil {
			err = fmt.Errorf("%w; why: %w", err, why)
		}
		return err
	}
	r.unrenewed()
	sleep(ctx, r.retry())
	return nil
}
