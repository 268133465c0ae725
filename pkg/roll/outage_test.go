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

// dark is a world and a book behind an API server that goes away at the nth write to
// the book, before or after that write has taken effect.
type dark struct {
	*toy
	record.Book
	nth   int
	after bool
	lasts time.Duration
	gone  chan struct{} // closed when the server goes away

	writes int
	until  atomic.Int64 // in Unix nanoseconds: the lock is renewed beside the loop
	deeds  int          // done while nobody can have answered
}

var errAway = errors.New("connection refused")

func (d *dark) away() bool { return time.Now().UnixNano() < d.until.Load() }

// call is a request that is not answered while the server is away.
func (d *dark) call() error {
	if !d.away() {
		return nil
	}
	time.Sleep(3 * time.Second)
	return errAway
}

func (d *dark) Append(ctx context.Context, es ...record.Event) error {
	if d.writes++; d.writes == d.nth {
		if d.after {
			if err := d.Book.Append(ctx, es...); err != nil {
				return err
			}
		}
		d.until.Store(time.Now().Add(d.lasts).UnixNano())
		close(d.gone)
	}
	if err := d.call(); err != nil {
		<-ctx.Done() // the whole limit of a write
		return fmt.Errorf("%w: %w", record.ErrOutage, err)
	}
	return d.Book.Append(ctx, es...)
}

func (d *dark) Acquire(ctx context.Context) (record.History, error) {
	if err := d.call(); err != nil {
		return record.History{}, err
	}
	return d.Book.Acquire(ctx)
}

func (d *dark) Renew(ctx context.Context) error {
	if err := d.call(); err != nil {
		return err
	}
	return d.Book.Renew(ctx)
}

func (d *dark) Release(ctx context.Context) error {
	if err := d.call(); err != nil {
		return err
	}
	return d.Book.Release(ctx)
}

func (d *dark) Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error) {
	if err := d.call(); err != nil {
		return nil, err
	}
	return d.toy.Observe(ctx, f)
}

func (d *dark) Perform(ctx context.Context, a decide.Action) (decide.Outcome, error) {
	if d.away() {
		d.deeds++
	}
	return d.toy.Perform(ctx, a)
}

// darkened runs a roll through an outage.
func darkened(t *testing.T, nth int, after bool, lasts time.Duration, change ...func(*roll.Config)) (d *dark, again roll.Config, said string, res roll.Result, err error) {
	w, c := worlds()["refill, retire and create"]()
	p := propose(t, w, c)
	d = &dark{toy: w, Book: book.NewInMemory(time.Minute, time.Now).Open("a"), nth: nth, after: after, lasts: lasts, gone: make(chan struct{})}
	cfg := config(w, &shelf{}, &p)
	cfg.World, cfg.Book, cfg.WriteLimit = d, d, 20*time.Second
	cfg.Watch = func(r roll.Report) {
		if r.Kind == roll.ReportTrouble {
			said += r.Text + "\n"
		}
	}
	for _, f := range change {
		f(&cfg)
	}
	res, err = roll.Run(t.Context(), cfg)
	cfg.Plan = nil
	return d, cfg, said, res, err
}

// untouched reports whether the journal has no intent, and no note.
func untouched(t *testing.T, d *dark) bool {
	h, _, err := d.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range h.Events {
		if e.Kind == record.Intent || e.Kind == record.Noted {
			return false
		}
	}
	return true
}

func TestRun_OutlivesAnOutageThatAnyWriteMeets(t *testing.T) {
	for _, after := range []bool{false, true} {
		met := 0
		for nth, more := 2, true; more; nth++ {
			synctest.Test(t, func(t *testing.T) {
				d, _, said, res, err := darkened(t, nth, after, 4*time.Minute)
				if more = d.writes >= nth; !more {
					return
				}
				met++
				if errors.Is(err, record.ErrOutage) && untouched(t, d) {
					return // nothing was begun that could be gone on with
				}
				if err != nil {
					t.Fatalf("write %d, after %t: %v", nth, after, err)
				}
				check(t, d.toy, res)
				if d.deeds > 0 {
					t.Errorf("write %d, after %t: %d deeds while nobody answered", nth, after, d.deeds)
				}
				if !strings.Contains(said, errAway.Error()+"; it is tried again for 15m0s") {
					t.Errorf("write %d, after %t: it said %q", nth, after, said)
				}
			})
		}
		if met < 40 {
			t.Errorf("only %d writes met an outage", met)
		}
	}
}

func TestRun_AnOutageThatLastsEndsTheRollAndTheSameCommandGoesOn(t *testing.T) {
	for nth := 2; nth < 60; nth += 7 {
		synctest.Test(t, func(t *testing.T) {
			d, again, _, res, err := darkened(t, nth, nth%2 == 0, time.Hour)
			if !errors.Is(err, record.ErrOutage) || !strings.Contains(err.Error(), "(settle limit)") || res.Exit != 1 {
				t.Fatalf("write %d: exit %d, %v", nth, res.Exit, err)
			}
			time.Sleep(time.Hour)
			if res, err = roll.Run(t.Context(), again); err != nil {
				t.Fatalf("write %d, again: %v", nth, err)
			}
			check(t, d.toy, res)
		})
	}
}

// Of what was never begun nobody knows whether it was written: whoever runs the
// command sees it and decides.
func TestRun_AnOutageAtTheVeryFirstWriteIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _, said, _, err := darkened(t, 1, false, time.Minute)
		if !errors.Is(err, record.ErrOutage) || d.writes != 1 || strings.Contains(said, "tried again") {
			t.Errorf("%d writes, it said %q and ended with %v", d.writes, said, err)
		}
	})
}

// That a command has ended was said of one that a program before had begun, and not of
// one whose outcome could not be written since.
func TestRun_AfterAnOutageNobodyHasSaidThatACommandEnded(t *testing.T) {
	for nth, more := 2, true; more; nth++ {
		synctest.Test(t, func(t *testing.T) {
			d, _, _, _, _ := darkened(t, nth, false, 4*time.Minute, func(c *roll.Config) { c.CommandEnded = true })
			if more = d.writes >= nth; !more {
				return
			}
			h, _, err := d.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range h.Events {
				if e.Note != nil && e.Note.Kind == decide.CommandEnded {
					t.Errorf("write %d: %s", nth, e.Text)
				}
			}
		})
	}
}

// Who has the lock by then has it.
func TestRun_AfterAnOutageAnotherMayHaveTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := worlds()["refill, retire and create"]()
		p := propose(t, w, c)
		m := book.NewInMemory(time.Minute, time.Now)
		d := &dark{toy: w, Book: m.Open("a"), nth: 9, lasts: 4 * time.Minute, gone: make(chan struct{})}
		cfg := config(w, &shelf{}, &p)
		cfg.World, cfg.Book, cfg.WriteLimit = d, d, 20*time.Second
		stop := make(chan struct{})
		go func() {
			defer close(stop)
			<-d.gone
			time.Sleep(3 * time.Minute)
			other := m.Open("b")
			if _, err := other.Acquire(t.Context()); err != nil {
				t.Error(err)
			}
			for range 20 {
				time.Sleep(20 * time.Second)
				if err := other.Renew(t.Context()); err != nil {
					t.Error(err)
				}
			}
		}()
		_, err := roll.Run(t.Context(), cfg)
		if !errors.Is(err, record.ErrHeld) || !strings.Contains(err.Error(), "b") {
			t.Errorf("ended with %v", err)
		}
		<-stop
	})
}
