// SPDX-License-Identifier: Apache-2.0

package book_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book/booktest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

func TestCopy_HoldsWhatCountsInOrder(t *testing.T) {
	var copied bytes.Buffer
	s := newShelf(t, func(c *book.Config) { c.Copy = &copied })
	b := s.open("a")
	if _, err := b.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	write := func(es ...record.Event) error { return b.Append(t.Context(), es...) }
	if err := write(booktest.Started("r1"), booktest.Intended(1)); err != nil {
		t.Fatal(err)
	}
	// One batch counts although nobody is told so, and one is refused.
	s.Meddle(func(c fakeapi.Call) fakeapi.Fault {
		return fakeapi.Fault{Lost: c.Method != http.MethodGet && c.Path == headPath, Late: true}
	})
	lost := write(booktest.Intended(2))
	s.Meddle(func(c fakeapi.Call) fakeapi.Fault {
		if c.Method == http.MethodGet {
			return fakeapi.Fault{}
		}
		return fakeapi.Fault{Status: fakeapi.Refusal(http.StatusForbidden, metav1.StatusReasonForbidden, "no")}
	})
	if err := write(booktest.Intended(3)); err == nil {
		t.Error("written without the right to")
	}
	s.Meddle(nil)
	if err := write(booktest.Intended(4)); err != nil {
		t.Fatal(err, lost)
	}
	h, _, err := b.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []record.Event
	for line := range strings.Lines(copied.String()) {
		var e record.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if d := cmp.Diff(h.Events, got); d != "" {
		t.Error(d)
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestCopy_ACopyThatCannotBeWrittenStopsTheNextDeed(t *testing.T) {
	s := newShelf(t, func(c *book.Config) { c.Copy = full{} })
	b := s.open("a")
	if _, err := b.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Append(t.Context(), booktest.Started("r1")); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("got %v", err)
	}
}
