// SPDX-License-Identifier: Apache-2.0

package view

import (
	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// phaseStopped is what a span says of the time in which nobody rolled.
const phaseStopped = "stopped"

// spans cuts the time of a journal by turn and phase. What an event tells
// begins with it; the time between the last word of one process and the first
// of the next belongs to none.
func spans(events []record.Event) []v1alpha1.Span {
	out := []v1alpha1.Span{}
	var at turnAt
	for i, e := range events {
		at.pass(e)
		if i+1 == len(events) {
			break
		}
		next := events[i+1]
		s := v1alpha1.Span{Turn: at.turn, Node: at.node, Phase: at.phase, From: e.At.UTC(), To: next.At.UTC()}
		if resumes(next) || i+2 < len(events) && resumes(events[i+2]) && events[i+2].At.Equal(next.At) {
			s.Phase = phaseStopped
		}
		if s.Phase == "" || !s.To.After(s.From) {
			continue
		}
		if n := len(out); n > 0 && out[n-1].Turn == s.Turn && out[n-1].Phase == s.Phase && out[n-1].To.Equal(s.From) {
			out[n-1].To = s.To
			continue
		}
		out = append(out, s)
	}
	return out
}

// resumes reports whether another process speaks for the first time. In the
// same breath it says before that the outcome of an open deed is not known.
func resumes(e record.Event) bool { return e.Kind == record.Resumed || e.Kind == record.Replanned }

// turnAt is where in the roll an event stands.
type turnAt struct {
	turn  int
	node  string
	phase string
	opens int
}

func (a *turnAt) pass(e record.Event) {
	if e.Phase != "" {
		a.phase = string(e.Phase)
	} else if e.Kind == record.Started || resumes(e) {
		a.phase = string(decide.Preflight)
	}
	if e.Note == nil {
		return
	}
	switch e.Note.Kind {
	case decide.TurnOpened:
		a.opens++
		a.turn, a.node = a.opens, e.Note.Node.Name
	case decide.TurnClosed:
		a.turn, a.node = 0, ""
	default:
	}
}

// waits are the waits of a journal. A look does not end one, nor what others do.
func waits(events []record.Event) []v1alpha1.Waited {
	out := []v1alpha1.Waited{}
	var at turnAt
	open := false
	for _, e := range events {
		at.pass(e)
		if open && e.Kind != record.Looked && e.Kind != record.Noticed {
			out[len(out)-1].To, open = e.At.UTC(), false
		}
		if e.Kind == record.Waiting {
			out = append(out, v1alpha1.Waited{
				Node: at.node, Phase: string(e.Phase), For: e.Text, Left: e.Left, From: e.At.UTC(), To: e.At.UTC(),
			})
			open = true
		}
	}
	if n := len(out); open && n > 0 {
		out[n-1].To = events[len(events)-1].At.UTC()
	}
	return out
}

// deeds are the deeds of a journal, each with what came of it.
func deeds(events []record.Event) []v1alpha1.Deed {
	out := []v1alpha1.Deed{}
	open := false
	for _, e := range events {
		switch {
		case e.Kind == record.Intent && e.Action != nil:
			out = append(out, v1alpha1.Deed{
				At: e.At.UTC(), Node: e.Action.Node.Name, Phase: string(e.Phase), Verb: string(e.Action.Verb), Says: e.Action.Why,
			})
			open = true
		case e.Kind == record.Done && open && e.Outcome != nil:
			d := &out[len(out)-1]
			d.Outcome, d.Detail, d.Seconds = string(e.Outcome.Result), e.Outcome.Detail, seconds(d.At, e.At)
			open = false
		}
	}
	return out
}
