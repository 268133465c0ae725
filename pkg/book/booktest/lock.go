// SPDX-License-Identifier: Apache-2.0

package booktest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

func liveLockRefused(t *testing.T, s Shelf) {
	a, b := s.Open("alice@laptop"), s.Open("b")
	acquire(t, a)
	must(t, a.Append(t.Context(), Intended(1)))
	s.Advance(s.Lease / 2)
	_, err := b.Acquire(t.Context())
	wraps(t, err, record.ErrHeld)
	for _, part := range []string{"alice@laptop", "since ", "r1", "cordon", "worker-1", "deed 1"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	must(t, a.Append(t.Context(), Intended(2)))
}

func deadLockTaken(t *testing.T, s Shelf) {
	a, b := s.Open("a"), s.Open("b")
	acquire(t, a)
	must(t, a.Append(t.Context(), Intended(1)))
	s.Advance(s.TakeOver + time.Second)
	h, err := b.Acquire(t.Context())
	must(t, err)
	if Texts(h) != "started, deed 1" {
		t.Fatalf("taken over with %q", Texts(h))
	}
	wraps(t, a.Renew(t.Context()), record.ErrFenced)
	wraps(t, a.Append(t.Context(), Intended(2)), record.ErrFenced)
	wraps(t, a.Guard(0), record.ErrFenced)
	must(t, b.Append(t.Context(), Intended(3)))
	must(t, a.Release(t.Context())) // and takes nothing from b
	must(t, b.Renew(t.Context()))
	h, who, err := a.Read(t.Context())
	must(t, err)
	if Texts(h) != "started, deed 1, deed 3" || who.Identity != "b" {
		t.Fatalf("%q by %s", Texts(h), who.Identity)
	}
	if h.Events[2].Epoch <= h.Events[1].Epoch {
		t.Errorf("the epoch was not raised: %d, %d", h.Events[1].Epoch, h.Events[2].Epoch)
	}
}

func renewKeeps(t *testing.T, s Shelf) {
	a, b := s.Open("a"), s.Open("b")
	acquire(t, a)
	for range 5 {
		s.Advance(s.Lease * 2 / 3)
		must(t, a.Renew(t.Context()))
	}
	_, err := b.Acquire(t.Context())
	wraps(t, err, record.ErrHeld)
	must(t, a.Guard(s.Lease))
	must(t, a.Append(t.Context(), Intended(1)))
}

func expiring(t *testing.T, s Shelf) {
	a := s.Open("a")
	acquire(t, a)
	must(t, a.Guard(s.Lease))
	wraps(t, a.Guard(s.Lease+1), record.ErrExpiring)
	s.Advance(s.Lease)
	wraps(t, a.Guard(1), record.ErrExpiring)
	wraps(t, a.Append(t.Context(), Intended(1)), record.ErrExpiring)
	reads(t, a, "started")
	must(t, a.Renew(t.Context())) // nobody had taken it
	must(t, a.Append(t.Context(), Intended(2)))
	reads(t, a, "started, deed 2")
}

func released(t *testing.T, s Shelf) {
	a, b := s.Open("a"), s.Open("b")
	must(t, a.Release(t.Context()))
	acquire(t, a)
	must(t, a.Release(t.Context()))
	must(t, a.Release(t.Context()))
	_, who, err := a.Read(t.Context())
	must(t, err)
	if who.Identity != "" {
		t.Errorf("still held: %+v", who)
	}
	h, err := b.Acquire(t.Context())
	must(t, err)
	if Texts(h) != "started" {
		t.Errorf("acquired with %q", Texts(h))
	}
	if err := a.Append(t.Context(), Intended(1)); err == nil {
		t.Error("written after the release")
	}
	if err := a.Renew(t.Context()); err == nil {
		t.Error("renewed after the release")
	}
	must(t, b.Append(t.Context(), Intended(2)))
	reads(t, b, "started, deed 2")
}

func notHeld(t *testing.T, s Shelf) {
	a, b := s.Open("a"), s.Open("b")
	for _, err := range []error{a.Append(t.Context(), Started("r1")), a.Renew(t.Context()), a.Guard(0)} {
		if err == nil || errors.Is(err, record.ErrExpiring) {
			t.Errorf("got %v", err)
		}
	}
	acquire(t, b)
	_, err := a.Acquire(t.Context())
	wraps(t, err, record.ErrHeld)
	if err := a.Append(t.Context(), Intended(1)); err == nil {
		t.Error("written without the lock")
	}
	reads(t, a, "started")
}

func sameIdentity(t *testing.T, s Shelf) {
	a, again := s.Open("a"), s.Open("a")
	acquire(t, a)
	h, err := again.Acquire(t.Context())
	must(t, err)
	if Texts(h) != "started" {
		t.Errorf("taken over with %q", Texts(h))
	}
	wraps(t, a.Append(t.Context(), Intended(1)), record.ErrFenced)
	wraps(t, a.Renew(t.Context()), record.ErrFenced)
	must(t, again.Append(t.Context(), Intended(2)))
	reads(t, a, "started, deed 2")
}
