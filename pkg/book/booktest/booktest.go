// SPDX-License-Identifier: Apache-2.0

package booktest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// Shelf is where books are kept: it outlives the processes that open them.
type Shelf struct {
	// Open returns one process's book.
	Open func(identity string) record.Book
	// Advance lets time pass for all of them.
	Advance func(d time.Duration)
	// Lease is how long a renewal holds, TakeOver after how long the lease of
	// a dead process may be taken.
	Lease    time.Duration
	TakeOver time.Duration
}

// Run holds the shelves that open returns, each a new one, to the claims.
func Run(t *testing.T, open func(t *testing.T) Shelf) {
	for name, claim := range map[string]func(*testing.T, Shelf){
		"NothingIsThereAtFirst":                     nothingAtFirst,
		"WhatIsAppendedIsReadByAnybody":             appendedIsRead,
		"ALiveLockIsRefusedWithWhoSinceWhenAndWhat": liveLockRefused,
		"ADeadLockIsTakenOverAndTheDeadIsFenced":    deadLockTaken,
		"RenewingKeepsTheLock":                      renewKeeps,
		"AnExpiringLockWritesNothingUntilRenewed":   expiring,
		"AReleasedLockIsFreeAtOnce":                 released,
		"WithoutTheLockNothingIsWritten":            notHeld,
		"ANewRollReplacesTheJournal":                newRoll,
		"ABatchIsRefusedWholeWhereItMakesNoSense":   senseless,
		"EventsAreKeptAsTheyWere":                   keptAsTheyWere,
		"TheSameIdentityTakesOverFromItself":        sameIdentity,
		"AnyHistoryOfHoldersReadsAsOneJournal":      anyHistory,
	} {
		t.Run(name, func(t *testing.T) { claim(t, open(t)) })
	}
}

// Started returns the event that begins the roll of that name.
func Started(run string) record.Event {
	return record.Event{Kind: record.Started, At: at(0), Plan: &decide.Plan{Run: run, Goal: decide.UntilReplaced}}
}

// Intended returns an event that says n in its text.
func Intended(n int) record.Event {
	a := decide.Action{Verb: decide.Cordon, Node: cluster.NodeRef{Name: "worker-1", UID: "u1"}, Why: fmt.Sprintf("deed %d", n)}
	return record.Event{Kind: record.Intent, Phase: decide.CordonIt, At: at(n), Action: &a, Text: a.Why}
}

func at(n int) time.Time {
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wraps(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

// texts reads the journal and returns the texts of its events.
func texts(t *testing.T, b record.Book) string {
	t.Helper()
	h, _, err := b.Read(t.Context())
	must(t, err)
	return Texts(h)
}

// Texts returns the texts of the events, or their kinds, in order.
func Texts(h record.History) string {
	var s []string
	for _, e := range h.Events {
		if e.Text != "" {
			s = append(s, e.Text)
		} else {
			s = append(s, string(e.Kind))
		}
	}
	return strings.Join(s, ", ")
}

func reads(t *testing.T, b record.Book, want string) {
	t.Helper()
	if got := texts(t, b); got != want {
		t.Fatalf("the journal reads %q, want %q", got, want)
	}
}

// acquire acquires and begins roll r1.
func acquire(t *testing.T, b record.Book) {
	t.Helper()
	_, err := b.Acquire(t.Context())
	must(t, err)
	must(t, b.Append(t.Context(), Started("r1")))
}

func nothingAtFirst(t *testing.T, s Shelf) {
	h, who, err := s.Open("a").Read(t.Context())
	must(t, err)
	if len(h.Events) != 0 || who != (record.Holder{}) {
		t.Errorf("%v %v", h, who)
	}
}

func appendedIsRead(t *testing.T, s Shelf) {
	a := s.Open("a")
	acquire(t, a)
	must(t, a.Append(t.Context(), Intended(1), Intended(2)))
	must(t, a.Append(t.Context()))
	must(t, a.Append(t.Context(), Intended(3)))
	h, who, err := s.Open("b").Read(t.Context())
	must(t, err)
	if got := Texts(h); got != "started, deed 1, deed 2, deed 3" {
		t.Fatalf("the journal reads %q", got)
	}
	for i, e := range h.Events {
		if e.Run != "r1" || e.Seq != int64(i)+1 || e.Epoch != h.Events[0].Epoch || e.Epoch == 0 {
			t.Errorf("event %d: run %q, epoch %d, seq %d", i, e.Run, e.Epoch, e.Seq)
		}
	}
	if who.Identity != "a" || who.Run != "r1" || who.Expires.Sub(who.Renewed) != s.Lease {
		t.Errorf("holder: %+v", who)
	}
}

func newRoll(t *testing.T, s Shelf) {
	a := s.Open("a")
	acquire(t, a)
	must(t, a.Append(t.Context(), Intended(1)))
	must(t, a.Append(t.Context(), Started("r2"), Intended(2)))
	must(t, a.Append(t.Context(), Intended(3)))
	reads(t, a, "started, deed 2, deed 3")
	h, who, err := a.Read(t.Context())
	must(t, err)
	if h.Events[0].Run != "r2" || h.Events[0].Seq != 1 || who.Run != "r2" {
		t.Errorf("%+v %+v", h.Events[0], who)
	}
}

func senseless(t *testing.T, s Shelf) {
	a := s.Open("a")
	_, err := a.Acquire(t.Context())
	must(t, err)
	refused := func(why string, events ...record.Event) {
		t.Helper()
		if err := a.Append(t.Context(), events...); err == nil {
			t.Errorf("written: %s", why)
		}
	}
	refused("an event of no roll", Intended(1))
	refused("a roll without a name", record.Event{Kind: record.Started})
	refused("a roll that cannot name a ConfigMap", Started("Roll 1"))
	must(t, a.Append(t.Context(), Started("r1")))
	refused("a roll that begins in the middle", Intended(1), Started("r2"))
	refused("the same roll again", Started("r1"))
	reads(t, a, "started")
}

func keptAsTheyWere(t *testing.T, s Shelf) {
	a := s.Open("a")
	acquire(t, a)
	long := strings.Repeat("größer \U0001F9CA\n", 100_000) // larger than any one object may be
	e := Intended(1)
	e.Text = long
	batch := []record.Event{e, Intended(2)}
	must(t, a.Append(t.Context(), batch...))
	if batch[0].Seq != 0 || batch[0].Run != "" {
		t.Error("the caller's events were changed")
	}
	batch[0].Action.Why = "changed later"
	must(t, a.Append(t.Context(), Intended(3)))
	h, _, err := s.Open("b").Read(t.Context())
	must(t, err)
	if len(h.Events) != 4 {
		t.Fatalf("%d events", len(h.Events))
	}
	want := Intended(1)
	want.Text, want.Run, want.Seq, want.Epoch = long, "r1", 2, h.Events[0].Epoch
	got, _ := json.Marshal(h.Events[1])
	wanted, _ := json.Marshal(want)
	if string(got) != string(wanted) {
		t.Errorf("got %.200s\nwant %.200s", got, wanted)
	}
}
