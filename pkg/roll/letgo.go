// SPDX-License-Identifier: Apache-2.0

package roll

import (
	"context"
	"errors"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// LetGo takes back the holds of the roll in flight on volumes, so that their pods
// can start, and nothing else. The roll stays in flight, also after its node is
// gone; the Result says what must not be touched until it goes on.
func LetGo(ctx context.Context, cfg Config) (Result, error) {
	return locked(ctx, cfg, (*runner).letGo)
}

func (r *runner) letGo(ctx context.Context, h record.History) (Result, error) {
	r.plan, r.mem = record.Replay(h)
	if h.Over() {
		return Result{}, ErrNothing
	}
	s, err := r.World.Observe(ctx, cluster.Fresh)
	if err != nil {
		return Result{}, err
	}
	r.look = s
	r.inherit()
	if err := r.write(ctx, append(r.unknown(), record.Event{Kind: record.Resumed, Text: "to let go of the volumes", By: r.by()})...); err != nil {
		return Result{}, err
	}
	var left error
	for _, a := range decide.Holds(r.mem) {
		not, err := r.takeBackOne(ctx, a)
		if left = errors.Join(left, not); err != nil {
			return r.result(nil, 1), err
		}
	}
	says := "every volume that the roll held awake is let go; the roll is still in flight"
	if err := r.write(ctx, record.Event{Kind: record.Interrupted, Phase: r.phase, Text: says}); err != nil {
		return r.result(nil, 1), err
	}
	if left != nil {
		return r.result(nil, 1), left
	}
	if s, err = r.rested(ctx); err != nil {
		return r.result(nil, 1), err
	}
	res := r.result(decide.Done{Says: says}, 0)
	j, _ := r.judge(s)
	res.Untouchable = decide.Untouchable(r.plan, j, r.mem)
	return res, nil
}

// rests bounds how often is looked until what was let go is at rest.
const rests = 30

// rested looks until no volume is on its way any more: what is opened or closed at
// this moment cannot be judged. Where that takes long, the last look must do.
func (r *runner) rested(ctx context.Context) (s *cluster.Snapshot, err error) {
	for range rests {
		if s, err = r.World.Observe(ctx, cluster.Fresh); err != nil || !moving(s) || !sleep(ctx, r.retry()) {
			return s, err
		}
	}
	return s, nil
}

func moving(s *cluster.Snapshot) bool {
	for i := range s.Storages {
		for k := range s.Storages[i].Volumes {
			if v := &s.Storages[i].Volumes[k]; v.State == cluster.Detaching || v.State == cluster.Attaching {
				return true
			}
		}
	}
	return false
}
