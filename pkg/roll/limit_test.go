// SPDX-License-Identifier: Apache-2.0

package roll_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// tardy is a shelf on which it takes a while to write an intent.
type tardy struct {
	*shelf
	intended time.Time
}

func (b *tardy) Append(ctx context.Context, es ...record.Event) error {
	if err := b.shelf.Append(ctx, es...); err != nil {
		return err
	}
	if es[0].Kind == record.Intent {
		b.intended = es[0].At
		time.Sleep(15 * time.Second)
	}
	return nil
}

// dated is a world that notes when its commands must have ended, by the intent.
type dated struct {
	*toy
	book    *tardy
	longest time.Duration
}

func (w *dated) Perform(ctx context.Context, a decide.Action) (decide.Outcome, error) {
	if at, ok := ctx.Deadline(); ok && a.Verb == decide.RunCommand {
		w.longest = max(w.longest, at.Sub(w.book.intended))
	}
	return w.toy.Perform(ctx, a)
}

// Whoever takes over waits from the intent on.
func TestRun_TheCommandLimitIsCountedFromTheIntent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := worlds()["refill, retire and create"]()
		p := propose(t, w, c)
		b := &tardy{shelf: &shelf{}}
		cfg := config(w, b.shelf, &p)
		world := &dated{toy: w, book: b}
		cfg.World, cfg.Book = world, b
		res, err := roll.Run(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		check(t, w, res)
		if world.longest == 0 || world.longest > p.Policy.CommandLimit {
			t.Errorf("a command may run until %s after its intent; the limit is %s", world.longest, p.Policy.CommandLimit)
		}
	})
}
