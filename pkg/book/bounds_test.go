// SPDX-License-Identifier: Apache-2.0

package book_test

import (
	"errors"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book/booktest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// small are books whose journals have most segments of 400 bytes: two deeds in each.
func small(most int) map[string]func(*testing.T) record.Book {
	return map[string]func(*testing.T) record.Book{
		"Book": func(t *testing.T) record.Book {
			return newShelf(t, func(c *book.Config) { c.SegmentBytes, c.MaxSegments = 400, most }).open("a")
		},
		"InMemory": func(*testing.T) record.Book {
			m := book.NewInMemory(time.Minute, func() time.Time { return time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC) })
			m.Bound(400, most)
			return m.Open("a")
		},
	}
}

func begun(t *testing.T, b record.Book) {
	t.Helper()
	acquired(t, b)
	if err := b.Append(t.Context(), booktest.Started("r1")); err != nil {
		t.Fatal(err)
	}
}

func acquired(t *testing.T, b record.Book) {
	t.Helper()
	if _, err := b.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// fill appends the event until the journal is full for it, and says how often it was.
func fill(t *testing.T, b record.Book, e record.Event) int {
	t.Helper()
	for n := range 200 {
		if err := b.Append(t.Context(), e); errors.Is(err, record.ErrFull) {
			return n
		} else if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatalf("%s has no bound", e.Kind)
	return 0
}

func opened() record.Event {
	return record.Event{Kind: record.Noted, Phase: decide.Preflight, Note: &decide.Note{Kind: decide.TurnOpened}}
}

func undoing() record.Event {
	e := booktest.Intended(1)
	e.Phase = decide.Undo
	return e
}

func TestAppend_AFullJournalStillTakesTheWayBack(t *testing.T) {
	for name, open := range small(32) {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			begun(t, b)
			if n := fill(t, b, booktest.Intended(1)); n < 40 {
				t.Errorf("full after %d events", n)
			}
			for _, e := range []record.Event{{Kind: record.Looked, Phase: decide.Undo}, {Kind: record.Noticed}, {Kind: record.Waiting}, opened()} {
				e.Text = "this is as long as any deed is, so that it needs a segment of its own, and there is no room for it but in what is kept" // a wait may tell for hours
				e.Left = []string{e.Text, e.Text}
				if n := fill(t, b, e); n > 0 {
					t.Errorf("%s uses what is kept for the way back", e.Kind)
				}
			}
			for _, e := range []record.Event{{Kind: record.Halted, Text: "full"}, undoing()} {
				if err := b.Append(t.Context(), e); err != nil {
					t.Errorf("%s: %v", e.Kind, err)
				}
			}
			fill(t, b, undoing()) // it has a bound
			// A new roll is a way on, where nothing is out.
			if err := b.Append(t.Context(), booktest.Started("r2")); err != nil {
				t.Error(err)
			}
			if n := fill(t, b, booktest.Intended(1)); n < 40 || n > 64 {
				t.Errorf("the next journal is full after %d events", n)
			}
		})
	}
}

// Whatever a full journal has left open can be ended by whoever takes the lock.
func TestAppend_WhoeverTakesTheLockHasRoomForATurn(t *testing.T) {
	for _, most := range []int{1, 2, 3, 32} {
		for name, open := range small(most) {
			t.Run(name, func(t *testing.T) {
				b := open(t)
				begun(t, b)
				for again := range 3 {
					if again > 0 {
						acquired(t, b)
					}
					deeds, back := fill(t, b, booktest.Intended(1)), fill(t, b, undoing())
					if again > 0 && (deeds < max(2, most/2) || deeds > 2*most) || most > 1 && (back < 1 || back > 2*most) {
						t.Errorf("of %d, the %d. time: %d deeds and %d ways back", most, again, deeds, back)
					}
					for _, e := range []record.Event{opened(), {Kind: record.Looked}} {
						if most > 3 && fill(t, b, e) > 0 {
							t.Errorf("%s is written to a full journal", e.Kind)
						}
					}
				}
				if h, _, err := b.Read(t.Context()); err != nil || len(h.Events) < most {
					t.Errorf("%d events, %v", len(h.Events), err)
				}
				if err := b.Append(t.Context(), booktest.Started("r2")); err != nil {
					t.Fatal(err)
				}
				if n := fill(t, b, booktest.Intended(1)); n > 2*most {
					t.Errorf("of %d, the next journal is full after %d events", most, n)
				}
			})
		}
	}
}

func TestAppend_ATurnIsBegunOnlyWithRoomToEndAndWhatOnlyTellsStopsThere(t *testing.T) {
	for _, e := range []record.Event{opened(), {Kind: record.Looked}, {Kind: record.Noticed}} {
		for name, open := range small(32) {
			t.Run(name, func(t *testing.T) {
				b := open(t)
				begun(t, b)
				n := fill(t, b, e)
				if n < 20 {
					t.Errorf("%s was written %d times", e.Kind, n)
				}
				if room := fill(t, b, booktest.Intended(1)); room < 32/2 {
					t.Errorf("%s leaves room for %d deeds", e.Kind, room)
				}
			})
		}
	}
}
