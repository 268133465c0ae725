// SPDX-License-Identifier: Apache-2.0

package view

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// Refusal is a no before anything was changed.
type Refusal struct {
	// What was asked for, such as "drain worker-1".
	What      string
	Findings  []assess.Finding
	Catalogue Catalogue
}

// Text writes what is refused, why, on what evidence, and what to do.
func (r Refusal) Text(to io.Writer, style Style) error {
	p := &printer{to: to, style: style}
	p.linef("%s: %s; nothing was changed.", style.paint(red, "Refused"), r.What)
	p.grouped("Why", serious(r.Findings))
	p.remedies(r.Catalogue, serious(r.Findings))
	return p.done()
}

// Halted writes why a roll stopped, on what evidence, what became of its
// changes, and what to do.
type Halted struct {
	Halt decide.Halt
	// Left are the deeds that would put back what is still changed.
	Left      []decide.Action
	Catalogue Catalogue
}

// Text writes it for people.
func (h Halted) Text(to io.Writer, style Style) error {
	p := &printer{to: to, style: style}
	word := "Stopped"
	if h.Halt.Exit == decide.ExitUnsafe || h.Halt.Exit == decide.ExitUnknown {
		word = "Refused to go on"
	}
	where := ""
	if h.Halt.Phase != "" {
		where = " (" + string(h.Halt.Phase) + ")"
	}
	p.para("", style.paint(red, word)+where+": "+sentence(h.Halt.Reason))
	p.grouped("Why", h.Halt.Findings)
	p.missing(h.Halt.Missing)
	if h.Halt.Remedy != "" {
		p.line("")
		p.line(style.paint(bold, "Now"))
		p.para("  ", sentence(h.Halt.Remedy))
	}
	p.remedies(h.Catalogue, h.Halt.Findings)
	p.left(h.Left)
	return p.done()
}

// missing says what a wait was still without.
func (p *printer) missing(lines []string) {
	if len(lines) == 0 {
		return
	}
	p.line("")
	p.line(p.style.paint(bold, "Still missing"))
	for _, l := range lines[:min(len(lines), shownVolumes)] {
		p.para("  ", sentence(l))
	}
	if more := len(lines) - shownVolumes; more > 0 {
		p.linef("  and %d more.", more)
	}
}

// sentence ends with a full stop.
func sentence(s string) string { return strings.TrimRight(s, ". ") + "." }

// left says what is still changed in the cluster.
func (p *printer) left(undo []decide.Action) {
	if len(undo) == 0 {
		return
	}
	p.line("")
	p.line(p.style.paint(bold, "Still changed, for the same command to go on from"))
	for _, a := range undo {
		p.para("  ", changed(a))
	}
}

// byHand says what is still changed, and how people put it back.
func (p *printer) byHand(undo []decide.Action) {
	p.line("")
	p.line(p.style.paint(bold, "Still changed, and how to put it back by hand"))
	for _, a := range undo {
		p.para("  ", changed(a)+": "+back(a))
	}
	p.line("")
}

// back says how people do what the deed would do.
func back(a decide.Action) string {
	switch a.Verb {
	case decide.Uncordon:
		return "kubectl uncordon " + a.Node.Name + ", unless its machine is on its way out"
	case decide.Place:
		return fmt.Sprintf("in the storage, set its node %s to accept replicas: %t, and to be evacuated: %t", a.StorageNode.Name, a.To.Accept, a.To.Evacuate)
	case decide.Sleep:
		return "in the storage, take the hold " + a.Hold + " off the volume, or begin another roll, which does so"
	case decide.PutBack:
		of := ""
		if a.Volume.Name != "" {
			of = " of volume " + a.Volume.Name
		}
		return fmt.Sprintf("in the storage, set %s%s from %q to %q", a.Knob.Name, of, a.From, a.Into)
	default:
		return "put it back as it was"
	}
}

// changed says in what state the deed that a would undo has left something.
func changed(a decide.Action) string {
	switch a.Verb {
	case decide.Uncordon:
		return "node " + a.Node.Name + " is cordoned"
	case decide.Place:
		return "the storage on " + a.StorageNode.Name + " takes no new replicas" + evacuating(a)
	case decide.Sleep:
		return "volume " + a.Volume.Name + " is held awake"
	default:
		return strings.TrimPrefix(a.Why, "put back: ")
	}
}

func evacuating(a decide.Action) string {
	if a.Was.Evacuate && !a.To.Evacuate {
		return " and moves its own away"
	}
	return ""
}

// Exit is the exit code: 3 where something is unsafe, else 4.
func (r Refusal) Exit() int {
	for _, f := range r.Findings {
		if f.Severity == assess.Danger {
			return decide.ExitUnsafe
		}
	}
	return decide.ExitUnknown
}

// JSON writes it as one event, as a roll that halted before it began.
func (r Refusal) JSON(to io.Writer) error {
	return json.NewEncoder(to).Encode(v1alpha1.Event{
		APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindEvent, At: time.Now().UTC(),
		Type: string(roll.ReportHalted), Says: r.What + " is refused; nothing was changed",
		Exit: r.Exit(), Findings: r.Catalogue.Findings(r.Findings),
	})
}
