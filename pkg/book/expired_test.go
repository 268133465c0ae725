// SPDX-License-Identifier: Apache-2.0

package book_test

import (
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book/booktest"
)

// long is a shelf with a journal of several pages, and what it reads.
func long(t *testing.T) (*shelf, string) {
	t.Helper()
	s := newShelf(t)
	b := held(t, s, "a")
	for n := range 40 {
		e := booktest.Intended(n)
		e.Text += strings.Repeat(" and on", 60)
		if err := b.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, s.read(t)
}

// forget has the server forget the lists that it began, so often, and returns how
// often one was begun.
func (s *shelf) forget(times int) *int {
	begun := new(int)
	s.Meddle(func(c fakeapi.Call) fakeapi.Fault {
		if c.Method != http.MethodGet || c.Path+"/" != mapsPath {
			return fakeapi.Fault{}
		}
		if c.Query.Get("continue") == "" {
			*begun++
			return fakeapi.Fault{}
		}
		if *begun > times {
			return fakeapi.Fault{}
		}
		return fakeapi.Fault{Status: fakeapi.Refusal(http.StatusGone, metav1.StatusReasonExpired, "the provided continue parameter is too old")}
	})
	return begun
}

// A server may forget the moment of a list between two of its pages: the journal is
// read from the beginning then, and is whole.
func TestAcquire_AListThatTheServerForgetsIsBegunAnew(t *testing.T) {
	s, want := long(t)
	begun := s.forget(2)
	h, err := s.open("b").Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := booktest.Texts(h); got != want {
		t.Errorf("the journal reads %.200q, want %.200q", got, want)
	}
	if *begun != 3 {
		t.Errorf("the list was begun %d times, want 3", *begun)
	}
}

func TestAcquire_AListThatTheServerAlwaysForgetsIsGivenUp(t *testing.T) {
	s, _ := long(t)
	begun := s.forget(1000)
	_, err := s.open("b").Acquire(t.Context())
	if err == nil || !strings.Contains(err.Error(), "too old") {
		t.Errorf("ended with %v", err)
	}
	if *begun != 5 {
		t.Errorf("the list was begun %d times, want 5", *begun)
	}
}

// What was read of a list that was forgotten is of no moment, and does not count.
func TestSweep_NothingOfAForgottenListIsKept(t *testing.T) {
	s, _ := long(t)
	b := s.open("b")
	if _, err := b.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	before, begun := len(s.Calls()), s.forget(1)
	if err := b.Append(t.Context(), booktest.Started("r2")); err != nil {
		t.Fatal(err)
	}
	deleted := map[string]int{}
	for _, c := range s.Calls()[before:] {
		if c.Method == http.MethodDelete {
			deleted[c.Path]++
		}
	}
	for path, n := range deleted {
		if n != 1 {
			t.Errorf("%s was deleted %d times", path, n)
		}
	}
	if *begun != 2 || len(deleted) < 11 {
		t.Errorf("of a list that was begun %d times %d segments were deleted", *begun, len(deleted))
	}
}
