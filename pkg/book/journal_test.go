// SPDX-License-Identifier: Apache-2.0

package book_test

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book/booktest"
)

func TestAppend_TakesTwoWrites(t *testing.T) {
	s := newShelf(t, func(c *book.Config) { c.SegmentBytes = 10_000 })
	b := held(t, s, "a")
	before := len(s.Calls())
	for n := range 3 {
		if err := b.Append(t.Context(), booktest.Intended(n)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.Calls()) - before; n != 6 {
		t.Errorf("three appends took %d requests", n)
	}
}

func TestAppend_AFullSegmentIsNeverWrittenAgain(t *testing.T) {
	s := newShelf(t)
	b := held(t, s, "a")
	for n := range 20 {
		if err := b.Append(t.Context(), booktest.Intended(n), booktest.Intended(n+100)); err != nil {
			t.Fatal(err)
		}
	}
	last := ""
	seen := map[string]bool{}
	for _, c := range s.Calls() {
		if c.Method == http.MethodGet || !strings.HasPrefix(c.Path, mapsPath) || c.Path == headPath {
			continue
		}
		name := c.Path
		if c.Method == http.MethodPost {
			name = mapsPath + regexp.MustCompile(`safe-roll-r1-\d+`).FindString(string(c.Body))
		}
		if seen[name] && name != last {
			t.Errorf("%s was written after %s", name, last)
		}
		last, seen[name] = name, true
	}
	for _, p := range s.Paths() {
		if n := len(fmt.Sprint(text(s.Get(p), "data", "events"))); n > 700 {
			t.Errorf("%s has %d bytes", p, n)
		}
		l := text(s.Get(p), "metadata", "labels")
		if text(s.Get(p), "metadata", "labels", "app.kubernetes.io/name") != "kubectl-safe-roll" {
			t.Errorf("%s: labels %v", p, l)
		}
		if p != leasePath && text(s.Get(p), "metadata", "labels", "safe-roll.io/run") != "r1" {
			t.Errorf("%s: labels %v", p, l)
		}
	}
	if len(seen) < 10 {
		t.Errorf("only %d segments", len(seen))
	}
}

func TestAppend_LeavesWhatOthersPutIntoTheHead(t *testing.T) {
	s := newShelf(t)
	b := held(t, s, "a")
	s.Edit(headPath, func(o fakeapi.Object) {
		o["data"].(fakeapi.Object)["approved"] = "worker-1"
		o["metadata"].(fakeapi.Object)["annotations"] = fakeapi.Object{"note": "hands off"}
	})
	if err := b.Append(t.Context(), booktest.Intended(1)); err != nil {
		t.Fatal(err)
	}
	h := s.Get(headPath)
	if text(h, "data", "approved") != "worker-1" || text(h, "metadata", "annotations", "note") != "hands off" {
		t.Errorf("lost: %v", h)
	}
	for key, want := range map[string]string{"run": "r1", "phase": "cordon", "node": "worker-1", "text": "deed 1", "holder": "a", "seq": "2"} {
		if text(h, "data", key) != want {
			t.Errorf("%s is %v, want %s", key, text(h, "data", key), want)
		}
	}
	if got := s.read(t); got != "started, deed 1" {
		t.Errorf("the journal reads %q", got)
	}
}

func TestRead_ADamagedJournalIsSaid(t *testing.T) {
	for want, harm := range map[string]func(*shelf){
		"segment 1 of":       func(s *shelf) { s.Remove(mapsPath + "safe-roll-r1-1") },
		"is missing":         func(s *shelf) { s.Remove(mapsPath + "safe-roll-r1-2") },
		"begins at":          func(s *shelf) { s.Edit(mapsPath+"safe-roll-r1-2", setData("from", "7")) },
		"should reach":       func(s *shelf) { s.Edit(mapsPath+"safe-roll-r1-1", setData("events", "")) },
		`its format is "9"`:  func(s *shelf) { s.Edit(headPath, setData("format", "9")) },
		`seq is "many"`:      func(s *shelf) { s.Edit(headPath, setData("seq", "many")) },
		"and not at 70":      func(s *shelf) { s.Edit(headPath, setData("seq", "70")) },
		"line after event 0": func(s *shelf) { s.Edit(mapsPath+"safe-roll-r1-1", setData("events", strings.Repeat("x", 700))) },
	} {
		s := newShelf(t)
		b := held(t, s, "a")
		for n := range 8 {
			if err := b.Append(t.Context(), booktest.Intended(n)); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		harm(s)
		if _, _, err := b.Read(t.Context()); !errors.Is(err, book.ErrDamaged) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: read: %v", want, err)
		}
		if _, err := s.open("b").Acquire(t.Context()); !errors.Is(err, book.ErrDamaged) {
			t.Errorf("%s: acquire: %v", want, err)
		}
	}
}

func setData(key, value string) func(fakeapi.Object) {
	return func(o fakeapi.Object) { o["data"].(fakeapi.Object)[key] = value }
}

func TestAppend_ALastSegmentThatWasDeletedIsWrittenAgain(t *testing.T) {
	s := newShelf(t, func(c *book.Config) { c.SegmentBytes = 10_000 })
	b := held(t, s, "a")
	s.Remove(mapsPath + "safe-roll-r1-1")
	if err := b.Append(t.Context(), booktest.Intended(1)); err != nil {
		t.Fatal(err)
	}
	if got := s.read(t); got != "started, deed 1" {
		t.Errorf("the journal reads %q", got)
	}
}

func TestAppend_WhatTheServerForbidsIsAnErrorAndCountsNothing(t *testing.T) {
	for _, path := range []string{headPath, mapsPath + "safe-roll-r1-1"} {
		s := newShelf(t, func(c *book.Config) { c.SegmentBytes = 10_000 })
		b := held(t, s, "a")
		s.Meddle(func(c fakeapi.Call) fakeapi.Fault {
			if c.Path == path {
				return fakeapi.Fault{Status: fakeapi.Refusal(403, metav1.StatusReasonForbidden, "cannot update configmaps")}
			}
			return fakeapi.Fault{}
		})
		err := b.Append(t.Context(), booktest.Intended(1))
		if err == nil || !strings.Contains(err.Error(), "a right is missing") {
			t.Errorf("got %v", err)
		}
		s.Meddle(nil)
		if err := b.Append(t.Context(), booktest.Intended(2)); err != nil {
			t.Fatal(err)
		}
		if got := s.read(t); got != "started, deed 2" {
			t.Errorf("the journal reads %q", got)
		}
	}
}
