// SPDX-License-Identifier: Apache-2.0

package roll_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// forgetful is a world in which holds are taken back, and nobody is told, nor can
// they be taken back again.
type forgetful struct {
	*toy
	mended bool
	asked  int
}

func (w *forgetful) Perform(ctx context.Context, a decide.Action) (decide.Outcome, error) {
	o, err := w.toy.Perform(ctx, a)
	if a.Verb != decide.Sleep || w.mended {
		return o, err
	}
	if w.asked++; w.asked == 1 {
		return decide.Outcome{Result: decide.Uncertain, Detail: "no answer"}, nil
	}
	return decide.Outcome{Result: decide.Refused, Detail: "nothing is known of the hold"}, nil
}

// As long as a volume may be held awake by us, no roll says that it has ended.
func TestRun_DoesNotFinishWhileAVolumeMayBeHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		toy, c := worlds()["refill, retire and create"]()
		p := propose(t, toy, c)
		w, journal := &forgetful{toy: toy}, &shelf{}
		cfg := config(toy, journal, &p)
		cfg.World = w
		res, err := roll.Run(t.Context(), cfg)
		if err == nil || res.Exit != 1 || len(res.Left) == 0 {
			t.Fatalf("exit %d, left %v, error %v, after %d times", res.Exit, res.Left, err, w.asked)
		}
		w.mended = true
		cfg = config(toy, journal, nil)
		cfg.World = w
		if res, err = roll.Run(t.Context(), cfg); err != nil || res.Exit != 0 || len(res.Left) > 0 {
			t.Errorf("exit %d, left %v, error %v", res.Exit, res.Left, err)
		}
	})
}
