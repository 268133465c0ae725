// SPDX-License-Identifier: Apache-2.0

package book_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book/booktest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

const forever = book.DefaultLeaseDuration + book.DefaultSkewMargin + time.Second

func TestCrash_AtEveryCallTheNextProcessFindsAWholeJournal(t *testing.T) {
	n := calls(t)
	t.Logf("%d calls, each stopped before and after its effect", n)
	for at := 1; at <= n; at++ {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d late %v", at, late), func(t *testing.T) { crashAt(t, at, late) })
		}
	}
}

func crashAt(t *testing.T, at int, late bool) {
	s := newShelf(t)
	ctx, kill := context.WithCancel(t.Context())
	s.Meddle(func(c fakeapi.Call) fakeapi.Fault {
		switch {
		case c.N < at:
			return fakeapi.Fault{}
		case c.N == at:
			kill()
			return fakeapi.Fault{Lost: true, Late: late}
		default:
			return fakeapi.Fault{Lost: true}
		}
	})
	dead := s.open("a")
	log := play(ctx, dead, script())
	if ctx.Err() == nil {
		t.Fatalf("call %d never came", at)
	}
	s.Meddle(nil)
	may := outcomes([]string{""}, log)
	among(t, s.read(t), may)

	s.advance(forever)
	b := s.open("b")
	h, err := b.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := booktest.Texts(h)
	among(t, before, may)
	// The dead process was only asleep: it may not write any more.
	err = dead.Append(t.Context(), booktest.Intended(100))
	if !errors.Is(err, record.ErrFenced) && !errors.Is(err, record.ErrExpiring) && !errors.Is(err, book.ErrNotHeld) {
		t.Errorf("the old process: %v", err)
	}
	if err := dead.Renew(t.Context()); !errors.Is(err, record.ErrFenced) && !errors.Is(err, book.ErrNotHeld) {
		t.Errorf("the old process renews: %v", err)
	}
	more := []attempt{{events: []record.Event{booktest.Intended(101)}}, {events: []record.Event{booktest.Started("r3"), booktest.Intended(102)}}}
	if before == "" {
		more = more[1:]
	}
	for _, a := range more {
		if err := b.Append(t.Context(), a.events...); err != nil {
			t.Fatal(err)
		}
		before = extend(before, a.events)
		if got := s.read(t); got != before {
			t.Fatalf("the journal reads %q, want %q", got, before)
		}
	}
	// Nothing of the former rolls stays behind.
	for _, p := range s.Paths() {
		if p != leasePath && p != headPath && text(s.Get(p), "metadata", "labels", "safe-roll.io/run") != "r3" {
			t.Errorf("%s was left", p)
		}
	}
}

func faults() map[string]fakeapi.Fault {
	return map[string]fakeapi.Fault{
		"lost":        {Lost: true},
		"lost late":   {Lost: true, Late: true},
		"500":         {Status: fakeapi.Refusal(500, metav1.StatusReasonInternalError, "etcd is gone")},
		"504 late":    {Status: fakeapi.Refusal(504, metav1.StatusReasonTimeout, "timed out"), Late: true},
		"429":         {Status: fakeapi.Refusal(429, metav1.StatusReasonTooManyRequests, "slow down")},
		"409":         {Status: fakeapi.Refusal(409, metav1.StatusReasonConflict, "modified")},
		"503 unready": {Status: fakeapi.Refusal(503, metav1.StatusReasonServiceUnavailable, "starting")},
	}
}

func TestFault_EveryAppendOutlivesAnySingleFault(t *testing.T) {
	n := calls(t)
	for name, f := range faults() {
		t.Run(name, func(t *testing.T) {
			for at := 1; at <= n; at++ {
				s := newShelf(t)
				s.Meddle(func(c fakeapi.Call) fakeapi.Fault {
					if c.N == at {
						return f
					}
					return fakeapi.Fault{}
				})
				log := play(t.Context(), s.open("a"), script())
				for i, a := range log {
					if a.err != nil {
						t.Errorf("call %d: append %d: %v", at, i, a.err)
					}
				}
				among(t, s.read(t), outcomes([]string{""}, log))
			}
		})
	}
}

func TestFault_NoneOfSeveralLosesOrDoublesAnEvent(t *testing.T) {
	n, kinds := calls(t), faults()
	r := rand.New(rand.NewPCG(7, 7))
	names := []string{"lost", "lost late", "500", "504 late", "429", "409", "503 unready"}
	failed := 0
	for round := range 250 {
		at := map[int]fakeapi.Fault{}
		for range 2 + r.IntN(6) {
			first := 1 + r.IntN(n+5)
			for i := range 1 + r.IntN(12) { // a run of faults outlasts the tries of one write
				at[first+i] = kinds[names[r.IntN(len(names))]]
			}
		}
		s := newShelf(t)
		s.Meddle(func(c fakeapi.Call) fakeapi.Fault { return at[c.N] })
		log := play(t.Context(), s.open("a"), script())
		s.Meddle(nil)
		for _, a := range log {
			if yes, no := a.wrote(); !yes && !no {
				failed++
			}
		}
		among(t, s.read(t), outcomes([]string{""}, log))
		if t.Failed() {
			t.Fatalf("round %d: %v", round, at)
		}
	}
	if failed < 20 {
		t.Errorf("only %d appends were left in doubt: the faults are too tame", failed)
	}
}

func text(o fakeapi.Object, keys ...string) any {
	var v any = o
	for _, k := range keys {
		m, ok := v.(fakeapi.Object)
		if !ok {
			return nil
		}
		v = m[k]
	}
	return v
}
