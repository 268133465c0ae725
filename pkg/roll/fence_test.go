// SPDX-License-Identifier: Apache-2.0

package roll_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
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
	// asleep: the machine sleeps; woken: it is awake again.
	asleep, woken atomic.Bool
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
			b.asleep.Store(true)
			time.Sleep(b.sleep)
			if b.meanwhile != nil {
				b.meanwhile()
			}
			b.asleep.Store(false)
			b.woken.Store(true)
		}
	}
	return nil
}

// Renew stands still while the machine sleeps.
func (b *slow) Renew(ctx context.Context) error {
	if b.asleep.Load() {
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
	if w.book.woken.Load() && w.book.Guard(time.Second) != nil {
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
			if !b.woken.Load() || world.without > 0 {
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

// inheritor is a book whose lock was another's.
type inheritor struct{ *shelf }

func (inheritor) Former() record.Holder {
	return record.Holder{Identity: "ada@laptop", Expires: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

func TestRun_ATakeOverIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newToy(3, 1, 2)
		n := w.node("worker-1")
		b := &shelf{events: retiring(cluster.NodeRef{Name: n.name, UID: n.uid})}
		last := b.events[len(b.events)-1].Action
		last.Why = "run the retire command"
		var said []string
		cfg := config(w, b, nil)
		cfg.Book = inheritor{b}
		cfg.Watch = func(r roll.Report) { said = append(said, r.Text) }
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if _, err := roll.Run(ctx, cfg); err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"taken over from ada@laptop, whose lock ran out at 2026-01-02T03:04:05Z", "nobody knows how it ended: run the retire command"} {
			if !strings.Contains(strings.Join(said, "\n"), part) {
				t.Errorf("not said: %s\n%q", part, said)
			}
		}
		if e := b.events[len(b.events)-2]; e.Kind != record.Resumed || !strings.Contains(e.Text, "ada@laptop") {
			t.Errorf("the journal says %+v", e)
		}
	})
}

// refusing is a shelf that cannot be written any more after so many intents.
type refusing struct {
	*shelf
	intents int
}

func (b *refusing) Append(ctx context.Context, es ...record.Event) error {
	if b.intents <= 0 {
		return errors.New("the credentials have expired")
	}
	for _, e := range es {
		if e.Kind == record.Intent {
			b.intents--
		}
	}
	return b.shelf.Append(ctx, es...)
}

func TestRun_AnErrorSaysWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := worlds()["refill, retire and create"]()
		p, b := propose(t, w, c), &shelf{}
		cfg := config(w, b, &p)
		cfg.Book = &refusing{shelf: b, intents: 3}
		res, err := roll.Run(t.Context(), cfg)
		if err == nil || res.Exit != 1 || len(res.Left) == 0 {
			t.Errorf("exit %d, left %+v, %v", res.Exit, res.Left, err)
		}
	})
}

// The program was killed before its create command took effect. Nobody who goes on
// can know that: the command may be running where that program was.
func TestRun_ACommandThatNobodySawEndIsWaitedForUnlessSomebodySaysThatItHas(t *testing.T) {
	for _, says := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			for at := 1; at < 100; at++ {
				w, c := worlds()["refill, retire and create"]()
				p := propose(t, w, c)
				b := &shelf{}
				w.dieAt = at
				if _, err := roll.Run(t.Context(), config(w, b, &p)); !errors.Is(err, errDied) {
					t.Fatalf("no deed %d is the create command: %v", at, err)
				}
				last := b.events[len(b.events)-1]
				if last.Action == nil || last.Action.Command != decide.CreateCommand {
					continue
				}
				w.dead, w.dieAt = false, -1
				cfg := config(w, b, nil)
				cfg.CommandEnded = says
				began := time.Now()
				res, err := roll.Run(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				check(t, w, res)
				if waited := time.Since(began) >= p.Policy.CommandLimit; waited == says {
					t.Errorf("somebody says that it has ended: %v; it took %s, the command limit is %s", says, time.Since(began), p.Policy.CommandLimit)
				}
				return
			}
		})
	}
}

// lost is a book whose journal somebody deletes while a roll is under way.
type lost struct {
	record.Book
	left int
}

func (b *lost) Append(ctx context.Context, es ...record.Event) error {
	if b.left--; b.left < 0 {
		return fmt.Errorf("%w: not there", record.ErrJournalGone)
	}
	return b.Book.Append(ctx, es...)
}

func TestRun_WhoseJournalIsDeletedTellsWhatItLeavesChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := worlds()["refill, retire and create"]()
		p := propose(t, w, c)
		cfg := config(w, &shelf{}, &p)
		cfg.Book = &lost{cfg.Book, 9}
		res, err := roll.Run(t.Context(), cfg)
		if !errors.Is(err, record.ErrJournalGone) || len(res.Left) == 0 {
			t.Errorf("ended with %v, and tells of %v", err, res.Left)
		}
	})
}
