// SPDX-License-Identifier: Apache-2.0

package roll_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// slow is a book over which the machine falls asleep when the nth intent has been
// written, for a time. Others may come meanwhile.
type slow struct {
	record.Book
	at, seen  int
	sleep     time.Duration
	meanwhile func()
	// woken: the machine is awake again.
	woken bool
}

func (b *slow) Append(ctx context.Context, es ...record.Event) error {
	if err := b.Book.Append(ctx, es...); err != nil {
		return err
	}
	for _, e := range es {
		if e.Kind != record.Intent {
			continue
		}
		if b.seen++; b.seen == b.at {
			time.Sleep(b.sleep)
			if b.meanwhile != nil {
				b.meanwhile()
			}
			b.woken = true
		}
	}
	return nil
}

// Renew stands still while the machine sleeps.
func (b *slow) Renew(ctx context.Context) error {
	if b.seen == b.at && !b.woken {
		return errors.New("asleep")
	}
	return b.Book.Renew(ctx)
}

// counted is a world that counts the deeds that were begun after the sleep, and
// without a lock.
type counted struct {
	*toy
	book    *slow
	without int
}

func (w *counted) Perform(ctx context.Context, a decide.Action) (decide.Outcome, error) {
	if w.book.woken && w.book.Guard(time.Second) != nil {
		w.without++
	}
	return w.toy.Perform(ctx, a)
}

func TestRun_NoDeedAfterTheLockHasRunOutOverItsIntent(t *testing.T) {
	for at := 1; at <= 12; at++ {
		synctest.Test(t, func(t *testing.T) {
			w, c := worlds()["refill, retire and create"]()
			p := propose(t, w, c)
			on := book.NewInMemory(30*time.Second, time.Now)
			b := &slow{Book: on.Open("a"), at: at, sleep: time.Hour}
			cfg := config(w, &shelf{}, &p)
			world := &counted{toy: w, book: b}
			cfg.World, cfg.Book, cfg.Renew = world, b, 7*time.Second
			res, err := roll.Run(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			check(t, w, res)
			if !b.woken || world.without > 0 {
				t.Errorf("intent %d: %d deeds without a lock", at, world.without)
			}
		})
	}
}

func TestRun_NoDeedAfterAnotherHasTakenOverDuringItsIntent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := worlds()["refill, retire and create"]()
		p := propose(t, w, c)
		on := book.NewInMemory(30*time.Second, time.Now)
		calls := 0
		b := &slow{Book: on.Open("a"), at: 4, sleep: time.Hour, meanwhile: func() {
			if _, err := on.Open("b").Acquire(t.Context()); err != nil {
				t.Error(err)
			}
			calls = w.calls
		}}
		cfg := config(w, &shelf{}, &p)
		cfg.Book, cfg.Renew = b, 7*time.Second
		if _, err := roll.Run(t.Context(), cfg); !errors.Is(err, record.ErrFenced) {
			t.Errorf("ended with %v", err)
		}
		if w.calls != calls {
			t.Errorf("%d deeds under another's lock", w.calls-calls)
		}
	})
}
