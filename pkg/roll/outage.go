// SPDX-License-Identifier: Apache-2.0

package roll

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// begun reports whether the roll that ended so was begun or gone on with: its journal
// has it.
func (r Result) begun() bool { return r.Plan.Run != "" }

// afterOutage goes on with a roll whose write to the journal nobody answered. What was
// written, and what of it counts, the journal tells: so it is read again, as by whoever
// runs the same command. It returns on as false where that could not be done.
func afterOutage(ctx context.Context, cfg Config, cut Result, why error) (res Result, err error, on bool) {
	cfg = cfg.Defaults()
	cfg.Plan, cfg.Widen, cfg.Expect, cfg.again = nil, false, cut.Plan.Run, true
	cfg.CommandEnded = false // that was said of a command before this program
	limit := cut.Plan.Policy.SettleLimit
	cfg.Watch(Report{Kind: ReportTrouble, Text: fmt.Sprintf("%v; it is tried again for %s", why, limit)})
	began, pause := time.Now(), 2*time.Second
	for sleep(ctx, pause) {
		res, err := locked(ctx, cfg, (*runner).run)
		switch {
		case res.begun():
			return res, err, true
		case errors.Is(err, ErrNothing):
			if _, done := cut.Decision.(decide.Done); done {
				return cut, nil, true // its end was written after all
			}
			return Result{}, nil, false // nothing was done yet: the same command begins anew
		case errors.Is(err, record.ErrHeld), errors.Is(err, record.ErrFenced), errors.Is(err, ErrOther):
			return Result{}, err, false
		case time.Since(began) > limit:
			return Result{}, fmt.Errorf("tried again for %s (settle limit): %w", time.Since(began).Round(time.Second), err), false
		}
		pause = min(2*pause, 30*time.Second)
	}
	return Result{}, nil, false
}
