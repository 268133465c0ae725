// SPDX-License-Identifier: Apache-2.0

package roll_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// unrenewed is a book whose renewals are refused from one moment to another.
type unrenewed struct {
	record.Book
	from, to time.Time
	expired  int // writes that met a lock that had run out
}

func (b *unrenewed) Renew(ctx context.Context) error {
	if now := time.Now(); !now.Before(b.from) && now.Before(b.to) {
		return errors.New("a hook says no")
	}
	return b.Book.Renew(ctx)
}

func (b *unrenewed) Append(ctx context.Context, es ...record.Event) error {
	err := b.Book.Append(ctx, es...)
	if errors.Is(err, record.ErrExpiring) {
		b.expired++
	}
	return err
}

// changing is a world in which somebody changes a setting every other second while
// the lock is not renewed: that is written down, whatever is to be done. Deeds
// without a lock are counted.
type changing struct {
	*toy
	book    *unrenewed
	without int
}

func (w *changing) Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error) {
	s, err := w.toy.Observe(ctx, f)
	if err == nil {
		at := time.Now()
		if at.After(w.book.to) {
			at = w.book.to
		}
		s.Storages[0].Settings = []cluster.Fact{{Name: "colour", Value: fmt.Sprint(at.Unix() / 2)}}
	}
	return s, err
}

func (w *changing) Perform(ctx context.Context, a decide.Action) (decide.Outcome, error) {
	if w.book.Guard(time.Second) != nil {
		w.without++
	}
	return w.toy.Perform(ctx, a)
}

// The reads come back before the lock is renewed, and what others did is written
// down at once: that is waited for like a deed.
func TestRun_AWriteWaitsForTheLockLikeADeed(t *testing.T) {
	waited := 0
	for from := range 40 {
		synctest.Test(t, func(t *testing.T) {
			w, c := worlds()["refill, retire and create"]()
			p := propose(t, w, c)
			began := time.Now().Add(time.Duration(from) * 3 / 2 * time.Second)
			away := []time.Duration{35 * time.Second, time.Minute}[from%2]
			b := &unrenewed{Book: book.NewInMemory(30*time.Second, time.Now).Open("a"), from: began, to: began.Add(away)}
			cfg := config(w, &shelf{}, &p)
			world := &changing{toy: w, book: b}
			var said []string
			cfg.World, cfg.Book, cfg.Renew = world, b, 7*time.Second
			old := 0
			cfg.Watch = func(r roll.Report) {
				switch {
				case r.Kind == roll.ReportTrouble:
					said = append(said, r.Text)
				case r.Kind == roll.ReportDecided && time.Since(r.Judgement.Snapshot.Look.Ended) > 0:
					old++ // this clock stands still but for waits
				}
			}
			res, err := roll.Run(t.Context(), cfg)
			if err != nil {
				t.Fatalf("not renewed for %s from %s on: %v", away, began, err)
			}
			check(t, w, res)
			if world.without > 0 || old > 0 {
				t.Errorf("%d deeds without a lock, %d decisions by old looks", world.without, old)
			}
			if b.expired > 0 && (len(said) != 1 || !strings.Contains(said[0], "a hook says no")) {
				t.Errorf("it said %q", said)
			}
			waited += b.expired
		})
	}
	if waited == 0 {
		t.Error("no write met a lock that had run out")
	}
}

func TestRun_ALockThatIsRefusedForGoodEndsTheRollAndSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := worlds()["refill, retire and create"]()
		p := propose(t, w, c)
		b := &unrenewed{Book: book.NewInMemory(30*time.Second, time.Now).Open("a"), to: time.Now().Add(1000 * time.Hour)}
		cfg := config(w, &shelf{}, &p)
		cfg.World, cfg.Book, cfg.Renew = &changing{toy: w, book: b}, b, 7*time.Second
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		_, err := roll.Run(ctx, cfg)
		if !errors.Is(err, record.ErrExpiring) || !strings.Contains(err.Error(), "a hook says no") {
			t.Errorf("ended with %v", err)
		}
		if limit := int(p.Policy.SettleLimit/time.Second) + 10; b.expired > limit {
			t.Errorf("%d writes without a lock", b.expired)
		}
	})
}
