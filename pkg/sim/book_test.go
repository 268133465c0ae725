// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// desk is a world, a process whose calls of one kind go wrong from the second on,
// and its book, of which it has the lock and a journal of one event.
func desk(t *testing.T, what string, f Fault) (*World, record.Book, *book.InMemory) {
	t.Helper()
	w, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	at := func(c Call) Fault {
		if c.What != what {
			return Fault{}
		}
		if n++; n > 1 || what != "append" {
			return f
		}
		return Fault{}
	}
	m := book.NewInMemory(leaseTime, time.Now)
	b := w.Connect(m.Open("one"), decide.Commands{}, Faults{At: at}).Book()
	if _, err := b.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Append(t.Context(), record.Event{Kind: record.Started, Plan: &decide.Plan{Run: "r"}}); err != nil {
		t.Fatal(err)
	}
	return w, b, m
}

func written(t *testing.T, w *World, m *book.InMemory) int {
	t.Helper()
	w.arrivals()
	h, _, err := m.Open("reader").Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(h.Events)
}

func TestBook_WhatIsNotAnsweredLastsUntilItsLimit(t *testing.T) {
	for _, limit := range []time.Duration{7 * time.Second, 20 * time.Second, 0} {
		synctest.Test(t, func(t *testing.T) {
			_, b, _ := desk(t, "append", Fault{Harm: Timeout})
			ctx, began, want := t.Context(), time.Now(), tries
			if limit > 0 {
				c, stop := context.WithTimeout(ctx, limit)
				defer stop()
				ctx, want = c, limit
			}
			if err := b.Append(ctx, record.Event{Kind: record.Waiting}); err == nil {
				t.Error("it was answered")
			}
			if took := time.Since(began); took != want {
				t.Errorf("it took %s, not %s", took, want)
			}
		})
	}
}

func TestBook_WhatIsLateArrivesUnlessSomebodyWroteSince(t *testing.T) {
	late := Fault{Harm: Reset, Late: 25 * time.Second}
	for name, between := range map[string]func(context.Context, record.Book, *book.InMemory) (counts bool){
		"nobody":     func(context.Context, record.Book, *book.InMemory) bool { return true },
		"given back": func(ctx context.Context, b record.Book, _ *book.InMemory) bool { return b.Release(ctx) == nil },
		"a successor": func(ctx context.Context, _ record.Book, m *book.InMemory) bool {
			_, err := m.Open("one").Acquire(ctx)
			return err != nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, b, m := desk(t, "append", late)
				if err := b.Append(t.Context(), record.Event{Kind: record.Waiting}); err == nil {
					t.Fatal("it was answered")
				}
				counts := between(t.Context(), b, m)
				lapse(24 * time.Second)
				if n := written(t, w, m); n != 1 {
					t.Errorf("%d events before it arrives", n)
				}
				lapse(2 * time.Second)
				if n := written(t, w, m); (n == 2) != counts {
					t.Errorf("%d events once it is there", n)
				}
			})
		})
	}
}

func TestBook_ALateRenewalOrReleaseCountsFromWhenItWasSent(t *testing.T) {
	for what, call := range map[string]func(record.Book, context.Context) error{"renew": record.Book.Renew, "release": record.Book.Release} {
		for _, taken := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				w, b, m := desk(t, what, Fault{Harm: Reset, Late: 25 * time.Second})
				lapse(10 * time.Second)
				sent := time.Now()
				if err := call(b, t.Context()); err == nil {
					t.Fatal("it was answered")
				}
				if taken {
					if _, err := m.Open("one").Acquire(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				_, before, _ := m.Open("reader").Read(t.Context())
				lapse(26 * time.Second)
				w.arrivals()
				_, after, _ := m.Open("reader").Read(t.Context())
				switch {
				case taken && after != before:
					t.Errorf("a late %s has changed the lease of another: %+v", what, after)
				case !taken && what == "renew" && !after.Expires.Equal(sent.Add(leaseTime)):
					t.Errorf("it runs out at %s, sent at %s", after.Expires, sent)
				case !taken && what == "release" && after.Identity != "":
					t.Errorf("it is still held: %+v", after)
				}
			})
		}
	}
}

func TestObserve_WhatIsNotAnsweredTakesTheTimeOfARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		p := w.Connect(nil, decide.Commands{}, Faults{At: func(Call) Fault { return Fault{Harm: Timeout} }})
		began := time.Now()
		if _, err := p.Observe(t.Context(), cluster.Fresh); err == nil || time.Since(began) < 10*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}
