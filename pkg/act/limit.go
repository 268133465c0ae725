// SPDX-License-Identifier: Apache-2.0

package act

import (
	"context"
	"fmt"
	"time"
)

// wall tells the time by the clock that goes on while the machine sleeps.
func wall() time.Time { return time.Now().Round(0) }

// limited is the context of a command: it ends at the command's limit alone, or at
// the deed's, which began before it. It ends by either clock. That by which contexts
// wait stands still while the machine sleeps (Linux); whoever took over meanwhile
// has waited by the other one, and may have begun the command anew.
func (a *Actor) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	why := fmt.Errorf("the command limit of %s passed", a.cfg.CommandLimit)
	limit := a.cfg.CommandLimit
	if at, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(at))
	}
	ctx, stop := context.WithTimeoutCause(context.WithoutCancel(ctx), limit, why)
	ctx, end := context.WithCancelCause(ctx)
	until := a.wall().Add(limit)
	done := make(chan struct{})
	go func() {
		defer close(done)
		t := time.NewTicker(a.glance)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				if a.wall().After(until) {
					end(fmt.Errorf("%w while the machine slept", why))
				}
			}
		}
	}()
	return ctx, func() { stop(); <-done }
}
