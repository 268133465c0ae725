// SPDX-License-Identifier: Apache-2.0

package view

import (
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// typeRehearsed is the type of the one event that a dry run prints.
const typeRehearsed = "rehearsed"

// Rehearsal is what a roll would do first.
type Rehearsal struct {
	Plan     decide.Plan
	Decision decide.Decision
	// Outcome is the server's answer; nil where it was not asked.
	Outcome   *decide.Outcome
	Catalogue Catalogue
}

// Text writes the plan and what would be done first.
func (r Rehearsal) Text(to io.Writer, style Style) error {
	if err := Confirm(to, r.Plan, style); err != nil {
		return err
	}
	p := &printer{to: to, style: style}
	p.line("")
	e := r.event()
	p.para("", style.paint(bold, "Dry run: ")+e.Says)
	for _, l := range e.Left[:min(len(e.Left), shownVolumes)] {
		p.para("  ", l)
	}
	if r.Outcome != nil {
		p.para("", "The server says: "+string(r.Outcome.Result)+". "+sentence(or(r.Outcome.Detail, "it would be done")))
	}
	p.line("Nothing was changed.")
	return p.done()
}

// JSON writes it as one event.
func (r Rehearsal) JSON(to io.Writer) error {
	enc := json.NewEncoder(to)
	enc.SetEscapeHTML(false)
	return enc.Encode(r.event())
}

func (r Rehearsal) event() v1alpha1.Event {
	e := v1alpha1.Event{
		APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindEvent, At: time.Now().UTC(), Run: r.Plan.Run,
		Type: typeRehearsed, Turns: len(r.Plan.Turns),
	}
	switch d := r.Decision.(type) {
	case decide.Act:
		e.Phase, e.Verb, e.Node = string(d.Phase), string(d.Action.Verb), d.Action.Node.Name
		e.Says = sentence("first would come, on " + d.Action.Node.Name + " (" + string(d.Phase) + "): " + d.Action.Why)
	case decide.Wait:
		e.Phase, e.Left = string(d.Phase), d.Left
		e.Says = sentence("it would first wait (" + string(d.Phase) + ") for " + d.For)
	case decide.Halt:
		e.Phase, e.Exit, e.Findings, e.Remedy = string(d.Phase), d.Exit, r.Catalogue.Findings(d.Findings), d.Remedy
		e.Says = sentence(strings.TrimSpace("it would be refused: " + d.Reason + "; " + d.Remedy))
	case decide.Done:
		e.Says = sentence("nothing is left to be done: " + d.Says)
	case decide.Remember:
		e.Phase, e.Says = string(d.Phase), d.Note.Says
	}
	if r.Outcome != nil {
		e.Outcome = string(r.Outcome.Result)
	}
	return e
}
