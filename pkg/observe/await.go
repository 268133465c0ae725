// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"context"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

const (
	// settle is how long after an event more of them are waited for: one change
	// of a volume is a handful of events.
	settle = 100 * time.Millisecond
	// unwatchedPause is how often everything is read anew where a kind may not
	// be watched.
	unwatchedPause = 5 * time.Second
)

// Await returns when a later Observe may differ from the one of that revision:
// an event changed a fact, a watch was lost, or the last reading has become
// old. It returns ctx's error when ctx ends first. A heartbeat wakes nobody,
// and where nothing can be waited for it lets some time pass, so that whoever
// calls it in turn with Observe does not ask all the time.
func (c *Cluster) Await(ctx context.Context, since cluster.Revision) error {
	w, wait, err := c.prepare(ctx, since)
	if err != nil {
		return err
	}
	if w == nil {
		if !pause(ctx, wait) {
			return ctx.Err()
		}
		return nil
	}
	old := time.NewTimer(wait)
	defer old.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-old.C:
			return nil
		case <-w.wake:
		}
		if !pause(ctx, c.settle()) {
			return ctx.Err()
		}
		if w.lost() {
			if !pause(ctx, c.rest(w)) {
				return ctx.Err()
			}
			return nil
		}
		if c.differs(w) {
			return nil
		}
	}
}

// prepare returns the watches to wait for, and for how long; or no watches,
// where it is enough to let that much time pass.
func (c *Cluster) prepare(ctx context.Context, since cluster.Revision) (*watches, time.Duration, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, 0, errClosed
	case c.state == nil:
		return nil, c.cfg.Pause - time.Since(c.asked), nil
	case since < c.revision:
		return nil, 0, nil
	}
	if c.watches == nil {
		c.watches = c.clients.follow(ctx, c.state)
	}
	wait := max(c.relist()-c.age(), c.cfg.Pause-time.Since(c.asked))
	if c.watches.lost() {
		return nil, c.restLocked(c.watches), nil
	}
	if changed, _ := c.watches.peek(); changed {
		return nil, 0, nil
	}
	return c.watches, max(wait, 0), nil
}

// rest is how long to wait before everything may be read anew.
func (c *Cluster) rest(w *watches) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.restLocked(w)
}

func (c *Cluster) restLocked(w *watches) time.Duration {
	least := c.cfg.Pause
	if w.unwatchable() {
		least = max(least, unwatchedPause)
	}
	return least - time.Since(c.asked)
}

// settle is how long to gather events: longer where joining them takes long,
// so that a stream of events costs a fraction of one processor.
func (c *Cluster) settle() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(settle, 5*c.joined)
}

// differs reports whether the events changed a fact since the last snapshot.
func (c *Cluster) differs(w *watches) bool {
	changed, touched := w.peek()
	if changed || !touched {
		return changed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil || c.state != w.state {
		return true
	}
	w.state.mu.Lock()
	defer w.state.mu.Unlock()
	for i, r := range w.state.readers {
		now, _ := r.Storage()
		now.See(w.state.sightings)
		if i >= len(c.last.Storages) || !sameStorage(&now, &c.last.Storages[i]) {
			return true
		}
	}
	w.settled()
	return false
}
