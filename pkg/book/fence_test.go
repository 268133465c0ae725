// SPDX-License-Identifier: Apache-2.0

package book_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book/booktest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// heirs are what a process may write that takes over.
func heirs() map[string][]record.Event {
	large := booktest.Intended(201)
	large.Text += strings.Repeat(" and on", 400)
	return map[string][]record.Event{
		"little": {booktest.Intended(201)},
		"much":   {large, booktest.Intended(202)},
		"anew":   {booktest.Started("r9"), booktest.Intended(201), booktest.Intended(202), booktest.Intended(203)},
	}
}

// A process is stopped in the middle of each of its calls, another takes over
// and writes, and then the first goes on as if nothing had been. Before that
// it may have lost an answer, which has it look at what it wrote.
func TestFence_AStalledWriterChangesNothingOfTheOnesWhoTookOver(t *testing.T) {
	n := calls(t)
	for name, events := range heirs() {
		t.Run(name, func(t *testing.T) {
			for at := 1; at <= n; at++ {
				stallAt(t, at, 0, fakeapi.Fault{}, events)
				for before := 1; before <= 2 && before < at; before++ {
					stallAt(t, at, at-before, fakeapi.Fault{Lost: true}, events)
					stallAt(t, at, at-before, fakeapi.Fault{Lost: true, Late: true}, events)
				}
			}
		})
	}
}

func stallAt(t *testing.T, at, faulty int, f fakeapi.Fault, events []record.Event) {
	t.Helper()
	s := newShelf(t)
	reached, resume := make(chan struct{}), make(chan struct{})
	s.Meddle(func(c fakeapi.Call) fakeapi.Fault {
		switch c.N {
		case at:
			close(reached)
			return fakeapi.Fault{Delay: resume}
		case faulty:
			return f
		}
		return fakeapi.Fault{}
	})
	var log []attempt
	var a sync.WaitGroup
	a.Go(func() { log = play(t.Context(), s.open("a"), script()) })
	<-reached
	s.advance(forever)
	b := s.open("b")
	h, err := b.Acquire(t.Context())
	if err != nil {
		t.Fatalf("call %d: %v", at, err)
	}
	found := booktest.Texts(h)
	if found == "" && events[0].Kind != record.Started {
		events = append([]record.Event{booktest.Started("r8")}, events...)
	}
	if err := b.Append(t.Context(), events...); err != nil {
		t.Fatalf("call %d: %v", at, err)
	}
	want := extend(found, events)
	close(resume)
	a.Wait()
	if got := s.read(t); got != want {
		t.Fatalf("call %d, fault at %d: after the stalled one went on the journal reads %.300q, want %.300q", at, faulty, got, want)
	}
	among(t, found, outcomes([]string{""}, log))
	next := []record.Event{booktest.Intended(300)}
	if err := b.Append(t.Context(), next...); err != nil {
		t.Fatalf("call %d: the new holder: %v", at, err)
	}
	if got := s.read(t); got != extend(want, next) {
		t.Fatalf("call %d: the journal reads %.300q, want %.300q", at, got, extend(want, next))
	}
}

// A write whose answer came too late for its sender arrives in the middle of
// what the sender does next.
func TestFence_AWriteOfOursThatArrivesLateDoesNoHarm(t *testing.T) {
	n := calls(t)
	room := make(chan struct{}, 8) // most of the time they wait for answers
	var all sync.WaitGroup
	for at := 1; at <= n; at++ {
		for _, after := range []int{1, 2, 3, 4, 7} {
			all.Go(func() {
				room <- struct{}{}
				defer func() { <-room }()
				t.Run(fmt.Sprintf("%d after %d", at, after), func(t *testing.T) { lateBy(t, at, after) })
			})
		}
	}
	all.Wait()
}

func lateBy(t *testing.T, at, after int) {
	s := newShelf(t, func(c *book.Config) { c.SegmentBytes = 700; c.RequestTimeout = 60 * time.Millisecond })
	arrive := make(chan struct{})
	var once sync.Once
	land := func() { once.Do(func() { close(arrive) }) }
	s.Meddle(func(c fakeapi.Call) fakeapi.Fault {
		if c.N == at {
			return fakeapi.Fault{Delay: arrive}
		}
		if c.N >= at+after {
			land()
		}
		return fakeapi.Fault{}
	})
	// Every append is followed by others although it may have failed.
	log := play(t.Context(), s.open("a"), script())
	land()
	among(t, s.read(t), outcomes([]string{""}, log))
}

// The head of one batch arrives when the next one is half written. Without the
// barrier it would come to count the next one's bytes.
func TestFence_ALateHeadOfAFailedAppendNeverCountsTheBytesOfTheNext(t *testing.T) {
	s := newShelf(t, func(c *book.Config) { c.SegmentBytes = 100_000; c.RequestTimeout = 200 * time.Millisecond })
	b := s.open("a")
	if _, err := b.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Append(t.Context(), booktest.Started("r1")); err != nil {
		t.Fatal(err)
	}
	arrive, landed := make(chan struct{}), make(chan struct{})
	var sent atomic.Bool
	s.Meddle(func(c fakeapi.Call) fakeapi.Fault {
		switch {
		case c.Path == headPath && c.Method == http.MethodPut && sent.CompareAndSwap(false, true):
			return fakeapi.Fault{Delay: arrive}
		case sent.Load():
			return fakeapi.Fault{Lost: true} // the connection is gone
		default:
			return fakeapi.Fault{}
		}
	})
	lost := booktest.Intended(1)
	lost.Text += " with more to say than the next one"
	if err := b.Append(t.Context(), lost); err == nil {
		t.Fatal("the append did not fail")
	}
	s.Meddle(func(c fakeapi.Call) fakeapi.Fault {
		if c.Path == headPath && c.Method == http.MethodPut && strings.Contains(string(c.Body), "deed 2") {
			close(arrive) // the next batch's segment is written, its head is on the way
			time.Sleep(200 * time.Millisecond)
			close(landed)
		}
		return fakeapi.Fault{}
	})
	if err := b.Append(t.Context(), booktest.Intended(2)); err != nil {
		t.Fatal(err)
	}
	<-landed
	if got := s.read(t); got != "started, deed 2" {
		t.Errorf("the journal reads %q", got)
	}
}

func TestFence_ADeletedHeadOrLeaseStopsTheWriter(t *testing.T) {
	for path, which := range map[string]error{headPath: record.ErrJournalGone, leasePath: record.ErrLockGone} {
		s := newShelf(t)
		b := s.open("a")
		if _, err := b.Acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := b.Append(t.Context(), booktest.Started("r1")); err != nil {
			t.Fatal(err)
		}
		s.Remove(path)
		var err error
		if path == headPath {
			err = b.Append(t.Context(), booktest.Intended(1))
		} else {
			err = b.Renew(t.Context())
		}
		if !errors.Is(err, record.ErrFenced) || !errors.Is(err, which) || strings.Contains(err.Error(), "another process") {
			t.Errorf("%s: %v", path, err)
		}
		if err := b.Guard(0); !errors.Is(err, record.ErrFenced) {
			t.Errorf("a deed would still be done: %v", err)
		}
	}
}

func TestFence_ASweepSparesTheJournalOfWhoeverTookOver(t *testing.T) {
	s := newShelf(t)
	a, b := s.open("a"), s.open("b")
	if _, err := a.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, run := range []string{"r1", "r2"} {
		// While a lists old segments, b takes over and begins a roll.
		s.Meddle(func(c fakeapi.Call) fakeapi.Fault {
			if run == "r2" && c.Method == http.MethodGet && c.Path == strings.TrimSuffix(mapsPath, "/") {
				s.Meddle(nil)
				s.advance(forever)
				if _, err := b.Acquire(t.Context()); err != nil {
					t.Error(err)
				}
				if err := b.Append(t.Context(), booktest.Started("r3")); err != nil {
					t.Error(err)
				}
			}
			return fakeapi.Fault{}
		})
		if err := a.Append(t.Context(), booktest.Started(run)); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.read(t); got != "started" {
		t.Errorf("the journal reads %q", got)
	}
	if _, who, err := b.Read(t.Context()); err != nil || who.Run != "r3" {
		t.Errorf("%v %v", who, err)
	}
}
