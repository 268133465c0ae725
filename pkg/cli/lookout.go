// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// How often whoever follows a roll looks at the cluster at least and at most:
// the journal tells what a roll does, only the cluster how much is left.
const (
	lookEvery = 15 * time.Second
	lookLeast = 5 * time.Second
)

// lookOut looks at the cluster until the context ends. Whoever may read the
// journal and not the cluster sees no more than the journal: then the channel
// is closed.
func (c *connection) lookOut(ctx context.Context) <-chan *assess.Judgement {
	seen := make(chan *assess.Judgement)
	go func() {
		defer close(seen)
		o, err := c.observer()
		if err != nil {
			return
		}
		defer o.Close()
		for {
			s, err := o.Observe(ctx, cluster.Cached)
			if err != nil {
				return
			}
			select {
			case seen <- judge(s, policy.Default()):
			case <-ctx.Done():
				return
			}
			wait, cancel := context.WithTimeout(ctx, lookEvery)
			err = o.Await(wait, s.Revision)
			late := wait.Err() != nil
			cancel()
			if err != nil && !late {
				return
			}
			select {
			case <-time.After(lookLeast):
			case <-ctx.Done():
				return
			}
		}
	}()
	return seen
}
