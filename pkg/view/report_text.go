// SPDX-License-Identifier: Apache-2.0

package view

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// shownWaits is how many waits a report names; the longest ones.
const shownWaits = 8

// Text writes the report for people.
func (r Report) Text(to io.Writer, style Style) error {
	p := &printer{to: to, style: style}
	o := r.Object()
	p.linef("%s: run %s", style.paint(bold, o.State), o.Run)
	for _, l := range headlines(o) {
		p.para("  ", l)
	}
	p.line("")
	p.line(style.paint(bold, "Turns"))
	p.table(turnRows(plainTurns(o.Turns), decide.Goal(o.Goal), since))
	if len(o.Redundancy) > 0 {
		p.line("")
		p.line(style.paint(bold, "The fewest good replicas that any volume had"))
		for _, h := range o.Redundancy {
			p.para("  ", classLine(h))
		}
		if o.Unjudged > 0 {
			p.para("  ", unjudged(o))
		}
	}
	p.section("What took longest", longest(o))
	p.grouped("Why", unsaid(o.Findings))
	if o.Remedy != "" {
		p.section("Now", []string{sentence(o.Remedy)})
	}
	p.section("What to do", remedyLines(o.Findings))
	p.check(o.Check)
	return p.done()
}

// headlines say how it went, who ran it, and with what.
func headlines(o v1alpha1.Report) []string {
	out := []string{lastSaid(o)}
	if o.Begun != nil && o.Ended != nil {
		out = append(out, fmt.Sprintf("From %s to %s (%s): %s.", moment(*o.Begun), moment(*o.Ended),
			short(o.Ended.Sub(*o.Begun)), decide.Many(len(o.Deeds), "change")))
	}
	for _, a := range o.Authors {
		line := a.Did + " " + moment(a.At) + " by " + or(a.Who, "somebody")
		if a.Program != "" {
			line += ", safe-roll " + a.Program
		}
		if a.Server != "" {
			line += ", Kubernetes " + a.Server
		}
		out = append(out, line)
	}
	if len(o.Storages) > 0 {
		out = append(out, "storage: "+strings.Join(o.Storages, ", "))
	}
	if len(o.AcceptedRisks) > 0 {
		out = append(out, "accepted risks: "+strings.Join(o.AcceptedRisks, ", "))
	} else {
		out = append(out, "accepted risks: none")
	}
	return out
}

// lastSaid is the last that the roll said, and, where it did not end with that,
// how it stands.
func lastSaid(o v1alpha1.Report) string {
	switch o.State {
	case stateRunning:
		return "under way; the last that it said: " + sentence(o.Says)
	case stateStopped:
		return "nobody goes on with it now; the last that it said: " + sentence(o.Says)
	default:
		return sentence(o.Says)
	}
}

func plainTurns(turns []v1alpha1.ReportTurn) []v1alpha1.Turn {
	out := make([]v1alpha1.Turn, 0, len(turns))
	for _, t := range turns {
		out = append(out, t.Turn)
	}
	return out
}

func since(from, to *time.Time) string {
	if from == nil || to == nil {
		return "-"
	}
	return "+" + short(to.Sub(*from))
}

// className says which volumes are meant.
func className(h v1alpha1.ClassHistory) string {
	state := "detached"
	if h.Attached {
		state = "attached"
	}
	return fmt.Sprintf("%s volumes of %s", state, decide.Many(h.Want, "replica"))
}

func classLine(h v1alpha1.ClassHistory) string {
	s := className(h) + ": "
	switch {
	case h.Lowest >= h.Want:
		return s + fmt.Sprintf("%d; redundancy never dipped", h.Lowest)
	case h.Lowest >= h.Floor:
		return s + fmt.Sprintf("%d; never below the floor of %d", h.Lowest, h.Floor)
	case foundSo(h):
		return s + fmt.Sprintf("%d at the first look, below the floor of %d", h.Lowest, h.Floor) + atLast(h)
	default:
		return s + fmt.Sprintf("%d, below the floor of %d", h.Lowest, h.Floor)
	}
}

// foundSo reports whether the roll found the class as low as it ever was: what it
// heals it did not break.
func foundSo(h v1alpha1.ClassHistory) bool { return h.Points[0].Least <= h.Lowest }

func atLast(h v1alpha1.ClassHistory) string {
	for _, p := range slices.Backward(h.Points) {
		if p.Volumes > 0 {
			return fmt.Sprintf("; %d at the last", p.Least)
		}
	}
	return ""
}

// byLength puts the longest waits first.
func byLength(ws []v1alpha1.Waited) []v1alpha1.Waited {
	ws = slices.Clone(ws)
	slices.SortStableFunc(ws, func(a, b v1alpha1.Waited) int { return cmp.Compare(b.To.Sub(b.From), a.To.Sub(a.From)) })
	return ws
}

// unjudged says what the counts leave out.
func unjudged(o v1alpha1.Report) string {
	return "at one moment " + decide.Many(o.Unjudged, "volume") + " could not be judged, being busy or not known; such moments are not counted"
}

// longest are the longest waits.
func longest(o v1alpha1.Report) []string {
	ws := byLength(o.Waits)
	var out []string
	for _, w := range ws[:min(len(ws), shownWaits)] {
		where := w.Phase
		if w.Node != "" {
			where = w.Node + " · " + w.Phase
		}
		out = append(out, short(w.To.Sub(w.From))+"  "+where+"  "+w.For)
	}
	return out
}

// unsaid are findings of the public type as they were before.
func unsaid(fs []v1alpha1.Finding) []assess.Finding {
	out := make([]assess.Finding, 0, len(fs))
	for _, f := range fs {
		out = append(out, assess.Finding{
			Code: f.Code, Message: f.Message, Evidence: read(f.Evidence),
			Subject: assess.Subject{Kind: f.Subject.Kind, Namespace: f.Subject.Namespace, Name: f.Subject.Name},
		})
	}
	return out
}

// check writes what the journal proves.
func (p *printer) check(c *v1alpha1.Check) {
	if c == nil {
		return
	}
	p.line("")
	p.line(p.style.paint(bold, "What this journal proves"))
	for _, i := range c.Invariants {
		p.para("  ", fmt.Sprintf("%-4s%-12s %s", i.ID, resultWord(i.Result), i.Means))
		for _, d := range i.Details {
			p.para("      ", d)
		}
	}
}

func resultWord(r string) string {
	if r == "CannotJudge" {
		return "cannot tell"
	}
	return strings.ToLower(r)
}

// phaseGroup puts a phase under the head of its colour.
func phaseGroup(phase string) string {
	switch decide.Phase(phase) {
	case decide.Bar, decide.Evacuate:
		return "move"
	case decide.CordonIt, decide.Drain, decide.Prove, decide.MayDelete, decide.MayReboot:
		return "drain"
	case decide.Retire, decide.Create, decide.Join, decide.Reboot, decide.Return:
		return "machine"
	case decide.PruneIt, decide.Rebuild, decide.Heal:
		return "rebuild"
	case decide.Undo:
		return "undo"
	default:
		if phase == phaseStopped {
			return "stopped"
		}
		return "look"
	}
}
