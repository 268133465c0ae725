// SPDX-License-Identifier: Apache-2.0

package book_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book/booktest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// scaled is a book whose pauses are a hundredth of those that it has by default.
func scaled(c *book.Config) { c.RetryPause = book.DefaultRetryPause / 100 }

const scaledOutage = 3 * time.Second / 100

// An API server that restarts answers neither the write nor the question what came
// of it. What was written before it went away counts once.
func TestOutage_AnAppendOutlivesAServerThatIsAwayForSeconds(t *testing.T) {
	for _, late := range []bool{false, true} {
		for at := 1; ; at++ {
			s := newShelf(t, scaled)
			b := s.open("a")
			if _, err := b.Acquire(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := b.Append(t.Context(), booktest.Started("r1")); err != nil {
				t.Fatal(err)
			}
			before := len(s.Calls())
			var away time.Time
			s.Meddle(func(c fakeapi.Call) fakeapi.Fault {
				switch {
				case c.N == before+at:
					away = time.Now()
					return fakeapi.Fault{Lost: true, Late: late}
				case c.N > before+at && time.Since(away) < scaledOutage:
					return fakeapi.Fault{Lost: true}
				}
				return fakeapi.Fault{}
			})
			for n := range 2 {
				if err := b.Append(t.Context(), booktest.Intended(n)); err != nil {
					t.Errorf("away from call %d on (late %v): append %d: %v", at, late, n, err)
				}
			}
			s.Meddle(nil)
			if got := s.read(t); got != "started, deed 0, deed 1" {
				t.Errorf("away from call %d on (late %v): the journal reads %q", at, late, got)
			}
			if away.IsZero() {
				break // all calls were gone through
			}
		}
	}
}

// What an append left in doubt is found out in spite of another outage.
func TestOutage_TheQuestionWhatCameOfAWriteOutlivesItToo(t *testing.T) {
	s := newShelf(t, scaled)
	b := s.open("a")
	if _, err := b.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Append(t.Context(), booktest.Started("r1")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.Meddle(func(c fakeapi.Call) fakeapi.Fault {
		if c.Method == http.MethodPut && c.Path == headPath {
			cancel()
			return fakeapi.Fault{Lost: true, Late: true}
		}
		return fakeapi.Fault{}
	})
	if err := b.Append(ctx, booktest.Intended(1)); err == nil {
		t.Fatal("the append did not fail")
	}
	away := time.Now()
	s.Meddle(func(fakeapi.Call) fakeapi.Fault { return fakeapi.Fault{Lost: time.Since(away) < scaledOutage} })
	if err := b.Append(t.Context(), booktest.Intended(2)); err != nil {
		t.Error(err)
	}
	if got := s.read(t); got != "started, deed 1, deed 2" {
		t.Errorf("the journal reads %q", got)
	}
}

// What does not pass by itself is not tried again, and nothing goes on for ever.
func TestOutage_ItEnds(t *testing.T) {
	for name, c := range map[string]struct {
		look fakeapi.Fault
		most int
	}{
		"away for good":       {fakeapi.Fault{Lost: true}, 60},
		"the look is refused": {fakeapi.Fault{Status: fakeapi.Refusal(403, metav1.StatusReasonForbidden, "no")}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t)
			b := s.open("a")
			if _, err := b.Acquire(t.Context()); err != nil {
				t.Fatal(err)
			}
			before := len(s.Calls())
			s.Meddle(func(call fakeapi.Call) fakeapi.Fault {
				if call.Method == http.MethodGet {
					return c.look
				}
				return fakeapi.Fault{Lost: true}
			})
			if err := b.Append(t.Context(), booktest.Started("r1")); err == nil || errors.Is(err, record.ErrFull) {
				t.Errorf("ended with %v", err)
			} else if passes := c.look.Lost; errors.Is(err, record.ErrOutage) != passes {
				t.Errorf("that it passes by itself: want %t: %v", passes, err)
			}
			if n := len(s.Calls()) - before; n > c.most {
				t.Errorf("%d calls", n)
			}
		})
	}
}
