// SPDX-License-Identifier: Apache-2.0

package oracle

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// Invariant is one of the numbered invariants of package roll.
type Invariant string

// The invariants.
const (
	I1  Invariant = "I1"
	I2  Invariant = "I2"
	I3  Invariant = "I3"
	I4  Invariant = "I4"
	I5  Invariant = "I5"
	I6  Invariant = "I6"
	I7  Invariant = "I7"
	I8  Invariant = "I8"
	I9  Invariant = "I9"
	I10 Invariant = "I10"
)

// Violation is one broken invariant and where it broke.
type Violation struct {
	Invariant Invariant `json:"invariant"`
	// Seq is the journal's event at which it shows; 0 where none does.
	Seq  int64     `json:"seq,omitempty"`
	At   time.Time `json:"at"`
	Says string    `json:"says"`
}

// String returns the violation in one line.
func (v Violation) String() string {
	return fmt.Sprintf("%s at %s (event %d): %s", v.Invariant, v.At.UTC().Format("15:04:05.000"), v.Seq, v.Says)
}

// NotJudged is an invariant, or a part of one, that what was given cannot show.
type NotJudged struct {
	Invariant Invariant `json:"invariant"`
	Why       string    `json:"why"`
}

// Report is what came of a Check. No violation means nothing more than that
// none was found in what was judged.
type Report struct {
	Violations []Violation `json:"violations,omitempty"`
	NotJudged  []NotJudged `json:"notJudged,omitempty"`
}

// Check judges one roll: its events in order, beginning with Started, and the
// truth of the world that it happened in; nil where nobody knows it, as in a
// real cluster.
func Check(events []record.Event, t *Truth) Report {
	c := &court{events: events, truth: t}
	if len(events) == 0 || events[0].Kind != record.Started || events[0].Plan == nil {
		c.unjudged(I1, "the journal does not begin with the start of a roll, so nothing can be told from it")
		return c.report
	}
	for _, rule := range []func(*court){
		sequence, intents, named, oneTurn, permitted, undone, waits, strangers,
	} {
		rule(c)
	}
	c.witnesses()
	c.unjudged(I10, "it takes the same inputs twice; the simulator runs every kept seed twice and compares the bytes")
	slices.SortStableFunc(c.report.Violations, func(a, b Violation) int { return cmp.Compare(a.Seq, b.Seq) })
	return c.report
}

// court is one judging.
type court struct {
	events []record.Event
	truth  *Truth
	report Report

	intents map[string]time.Time // see announced
}

func (c *court) broke(i Invariant, e record.Event, format string, args ...any) {
	c.report.Violations = append(c.report.Violations, Violation{
		Invariant: i, Seq: e.Seq, At: e.At, Says: fmt.Sprintf(format, args...),
	})
}

func (c *court) unjudged(i Invariant, why string) {
	c.report.NotJudged = append(c.report.NotJudged, NotJudged{Invariant: i, Why: why})
}
