// SPDX-License-Identifier: Apache-2.0

package book_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book/booktest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// step is one call of a process to its book.
type step struct {
	acquire, renew, release bool
	events                  []record.Event
}

// script is what a process does: it crosses segments, writes events larger
// than one, and begins a second roll over the first.
func script() []step {
	deed := booktest.Intended
	large := deed(5)
	large.Text += strings.Repeat(" and on", 300)
	return []step{
		{acquire: true},
		{events: []record.Event{booktest.Started("r1")}},
		{events: []record.Event{deed(1)}},
		{events: []record.Event{deed(2), deed(3)}},
		{renew: true},
		{events: []record.Event{deed(4)}},
		{events: []record.Event{large}},
		{events: []record.Event{booktest.Started("r2"), deed(6)}},
		{events: []record.Event{deed(7)}},
		{release: true},
	}
}

// attempt is an Append and what its caller was told.
type attempt struct {
	events []record.Event
	err    error
}

// play has the book go through the script. It ends early when ctx does, and
// goes on after errors otherwise, as a process does that knows no better.
func play(ctx context.Context, b *book.Book, steps []step) []attempt {
	var log []attempt
	for _, s := range steps {
		if ctx.Err() != nil {
			return log
		}
		switch {
		case s.acquire:
			for range 3 {
				if _, err := b.Acquire(ctx); err == nil {
					break
				}
			}
		case s.renew:
			_ = b.Renew(ctx)
		case s.release:
			_ = b.Release(ctx)
		default:
			log = append(log, attempt{s.events, b.Append(ctx, s.events...)})
		}
	}
	return log
}

// wrote says what is known of an attempt: it counts, it does not, or neither.
// A fenced one may count, if it was the answer to its last request that was
// lost and the successor that was faster.
func (a attempt) wrote() (yes, no bool) {
	refused := errors.Is(a.err, record.ErrExpiring) || errors.Is(a.err, book.ErrNotHeld)
	return a.err == nil, refused || a.err != nil && strings.Contains(a.err.Error(), "no roll has been started")
}

// outcomes returns every journal that the attempts may have led to.
func outcomes(from []string, log []attempt) map[string]bool {
	states := map[string]bool{}
	for _, s := range from {
		states[s] = true
	}
	for _, a := range log {
		yes, no := a.wrote()
		next := map[string]bool{}
		for s := range states {
			if !yes {
				next[s] = true
			}
			if !no {
				next[extend(s, a.events)] = true
			}
		}
		states = next
	}
	return states
}

func extend(journal string, events []record.Event) string {
	said := booktest.Texts(record.History{Events: events})
	if events[0].Kind == record.Started || journal == "" {
		return said
	}
	return journal + ", " + said
}

// read returns the journal as anybody reads it.
func (s *shelf) read(t *testing.T) string {
	t.Helper()
	h, _, err := s.openWith("reader", func(*book.Config) {}).Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return booktest.Texts(h)
}

// among fails unless the journal is one that the attempts may have led to.
func among(t *testing.T, got string, may map[string]bool) {
	t.Helper()
	if may[got] {
		return
	}
	t.Errorf("the journal reads %.200q", got)
	for s := range may {
		t.Logf("it may read %.200q", s)
	}
}

// calls counts the requests of a script without any fault.
func calls(t *testing.T) int {
	t.Helper()
	s := newShelf(t)
	log := play(t.Context(), s.open("a"), script())
	for _, a := range log {
		if a.err != nil {
			t.Fatal(a.err)
		}
	}
	return len(s.Calls())
}
