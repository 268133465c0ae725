// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// Follower tells a roll from its journal while somebody else rolls, in the
// lines in which it tells itself.
type Follower struct {
	to    io.Writer
	style Style
	place turnAt
	turns int
	run   string
	seq   int64
	// spoke is when a line was written last, and waits what it waits for.
	spoke time.Time
	waits string
	pace  pace
	err   error
}

// NewFollower returns a Follower that writes to to.
func NewFollower(to io.Writer, style Style) *Follower { return &Follower{to: to, style: style} }

// Skip takes in what was told already.
func (f *Follower) Skip(h record.History, now time.Time) {
	f.spoke = now
	f.each(h, func(record.Event) {})
}

// See takes in a look at the cluster, for what is left and how fast it goes;
// nil for none.
func (f *Follower) See(j *assess.Judgement, now time.Time) {
	if j != nil {
		f.pace.see(j, place{node: f.place.node, phase: decide.Phase(f.place.phase)}, now)
	}
}

// Tell writes the events that it has not told, and, when there was none for
// long, what is waited for. It returns the first error of its writer.
func (f *Follower) Tell(h record.History, holder record.Holder, now time.Time) error {
	f.each(h, func(e record.Event) {
		if e.Kind == record.Looked || e.Kind == record.Intent && e.Action != nil && e.Phase == "" || wentWell(e) {
			return
		}
		f.say(e.At, eventLine(e))
		f.spoke = now
	})
	if f.waits != "" && now.Sub(f.spoke) >= silence {
		text := "still waiting for " + f.waits
		if left := f.pace.text(); left != "" {
			text += "; " + left
		}
		if !holder.Renewed.IsZero() {
			text += " (the roll was heard of " + short(now.Sub(holder.Renewed)) + " ago)"
		}
		f.say(now, text)
		f.spoke = now
	}
	return f.err
}

// wentWell reports whether the event only says that what was announced was
// done. How a command ended is told.
func wentWell(e record.Event) bool {
	return e.Kind == record.Done && e.Outcome != nil && e.Outcome.Result == decide.Performed &&
		e.Action != nil && e.Action.Verb != decide.RunCommand
}

func (f *Follower) each(h record.History, tell func(record.Event)) {
	for _, e := range h.Events {
		if e.Run != f.run { // a new roll began meanwhile
			f.run, f.seq, f.place = e.Run, 0, turnAt{}
		}
		if e.Seq <= f.seq {
			continue
		}
		f.seq = e.Seq
		if e.Plan != nil {
			f.turns = len(e.Plan.Turns)
		}
		f.place.pass(e)
		switch e.Kind {
		case record.Looked, record.Noticed:
		case record.Waiting:
			f.waits = e.Text
		default:
			f.waits = ""
		}
		tell(e)
	}
}

func (f *Follower) say(at time.Time, text string) {
	where := f.place.node
	if where != "" && f.turns > 1 {
		where = fmt.Sprintf("%d/%d %s", f.place.turn, f.turns, where)
	}
	if f.place.phase != "" {
		where = strings.TrimPrefix(where+" · "+f.place.phase, " · ")
	}
	line := at.Local().Format("15:04:05") + "  " + where + "  " + text
	if f.err == nil {
		_, f.err = fmt.Fprintln(f.to, f.style.hang(line))
	}
}

// eventLine is an event in a line.
func eventLine(e record.Event) string {
	switch e.Kind {
	case record.Started:
		return "begun" + by(e)
	case record.Resumed, record.Replanned:
		return "going on" + by(e)
	case record.Waiting:
		return "waiting for " + e.Text
	case record.Done:
		if e.Outcome != nil && e.Outcome.Result == decide.Performed {
			return or(e.Outcome.Detail, e.Text)
		}
		if e.Outcome != nil {
			return string(e.Outcome.Result) + ": " + or(e.Outcome.Detail, e.Text)
		}
	case record.Halted:
		return "halted: " + sentence(e.Text)
	case record.Interrupted:
		return "interrupted at a safe point"
	default:
	}
	return says(e)
}

func by(e record.Event) string {
	if e.By == nil || e.By.Who == "" {
		return ""
	}
	return " by " + e.By.Who
}
