// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// place is where in the plan the roll is.
type place struct {
	turn, turns int
	node        string
	phase       decide.Phase
}

// waiting is the wait in hand; what is empty while something is being done.
type waiting struct {
	phase    decide.Phase
	what     string
	left     []string
	progress string
	since    time.Time
	limit    string
	atMost   time.Duration
	doing    string
	// pace is what is left to copy, and how fast it goes; brief the same for
	// the line that moves.
	pace, brief string
	// told: a line has said so already.
	told bool
}

func (w *waiting) set(d decide.Wait) {
	w.what, w.left, w.progress = d.For, d.Left, d.Progress
	if d.Limit > 0 {
		w.limit, w.atMost = d.LimitName+" "+short(d.Limit), d.Limit
	}
}

func (l *place) locate(r roll.Report) {
	l.turns = len(r.Plan.Turns)
	l.turn, l.node = 0, ""
	if r.Memory == nil {
		return
	}
	for i, t := range r.Plan.Turns {
		if m := r.Memory.TurnOf(t.Node); m == nil || m.ClosedAt.IsZero() {
			l.turn, l.node = i+1, t.Node.Name
			break
		}
	}
	switch d := r.Decision.(type) {
	case decide.Act:
		l.phase = d.Phase
	case decide.Wait:
		l.phase = d.Phase
	case decide.Remember:
		l.phase = d.Phase
	case decide.Halt:
		l.phase = d.Phase
	}
}

func (l place) String() string {
	if l.node == "" {
		return ""
	}
	s := l.node
	if l.turns > 1 {
		s = fmt.Sprintf("%d/%d %s", l.turn, l.turns, l.node)
	}
	if l.phase != "" {
		s += " · " + string(l.phase)
	}
	return s + "  "
}

// worthTelling is how long a wait is before its length is worth telling.
const worthTelling = 5 * time.Second

// shownLeft is how many of what is left are named in a line.
const shownLeft = 3

func (w waiting) text(now time.Time) string {
	switch {
	case w.doing != "":
		return "still: " + w.doing + " (" + short(now.Sub(w.since)) + ")"
	case w.what == "":
		return ""
	}
	s := "waiting for " + w.what
	about := w.aside(&s)
	if d := now.Sub(w.since); d >= worthTelling {
		took := short(d)
		if w.limit != "" {
			took += ", " + w.limit
		}
		about = append(about, took)
	}
	if w.pace != "" {
		about = append(about, w.pace)
	}
	if len(about) > 0 {
		s += " (" + strings.Join(about, "; ") + ")"
	}
	if len(w.left) > 0 {
		s += ": " + strings.Join(w.left[:min(len(w.left), shownLeft)], "; ")
		if n := len(w.left) - shownLeft; n > 0 {
			s += fmt.Sprintf("; and %d more", n)
		}
	}
	return s
}

// aside takes the words in brackets off the end of what is waited for: more is
// said there.
func (w waiting) aside(s *string) []string {
	head, words, ok := strings.Cut(*s, " (")
	words, closed := strings.CutSuffix(words, ")")
	if !ok || !closed {
		return nil
	}
	*s = head
	return []string{words}
}

// glance is the wait for the line that moves, which is cut where the terminal
// ends: the numbers come first, and what is waited for, which a line above has
// told, last.
func (w waiting) glance(now time.Time) string {
	took := short(now.Sub(w.since))
	switch {
	case w.doing != "":
		return took + ", " + w.doing
	case w.what == "":
		return ""
	}
	if w.atMost > 0 {
		took += " of " + short(w.atMost)
	}
	what := w.what
	facts := w.aside(&what)
	if n := len(w.left); n > 0 && facts == nil {
		facts = append(facts, fmt.Sprintf("%d left", n))
	}
	if w.brief != "" {
		facts = append(facts, w.brief)
	}
	return strings.Join(append(facts, took), ", ") + ", for " + what
}

// route is a plan in a line.
func route(p *decide.Plan) string {
	parts := make([]string, 0, len(p.Turns))
	for _, t := range p.Turns {
		parts = append(parts, fmt.Sprintf("%s (%s: %s)", t.Node.Name, t.Strategy, t.Why))
	}
	return strings.Join(parts, ", then ")
}

// short is a duration without what nobody reads.
func short(d time.Duration) string {
	d = max(d, 0).Round(time.Second) // another clock may be ahead
	s := d.String()
	if d >= time.Minute && strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if d >= time.Hour && strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
