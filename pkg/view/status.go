// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"io"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// Status is the latest roll, as its journal tells it.
type Status struct {
	History record.History
	Holder  record.Holder
	Now     time.Time
	// Judgement is of the cluster now; nil where it was not looked at.
	Judgement *assess.Judgement
}

// The states of a roll.
const (
	stateNone      = "None"
	stateRunning   = "Running"
	stateStopped   = "Stopped"
	stateHalted    = "Halted"
	stateDeletable = "Deletable"
	stateMayReboot = "Rebootable"
	stateFinished  = "Finished"
	stateAborted   = "Aborted"
)

// Object returns it as the public type.
func (s Status) Object() v1alpha1.Status {
	out := v1alpha1.Status{
		APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindStatus, State: stateNone, Turns: []v1alpha1.Turn{},
	}
	if s.held() {
		out.Holder = &v1alpha1.Holder{
			Identity: s.Holder.Identity, Since: stamp(s.Holder.Since),
			Renewed: stamp(s.Holder.Renewed), Expires: stamp(s.Holder.Expires),
		}
	}
	if len(s.History.Events) == 0 {
		return out
	}
	plan, mem := record.Replay(s.History)
	last := lastWord(s.History.Events)
	out.Run, out.Goal, out.State = plan.Run, string(plan.Goal), s.state(plan, last)
	out.At, out.Says = stamp(last.At), says(last)
	if last.Kind == record.Halted {
		out.Exit = last.Exit
	}
	for _, e := range s.History.Events {
		if e.Phase != "" {
			out.Phase = string(e.Phase)
		}
	}
	for _, t := range plan.Turns {
		turned := turn(t, mem.TurnOf(t.Node))
		if out.State == stateAborted && turned.State == "Open" {
			turned.State = "GivenUp"
		}
		out.Turns = append(out.Turns, turned)
	}
	return out
}

func (s Status) held() bool {
	return s.Holder.Identity != "" && s.Holder.Expires.After(s.Now)
}

func (s Status) state(plan decide.Plan, last record.Event) string {
	switch {
	case s.held():
		return stateRunning
	case last.Kind == record.Finished && plan.Goal == decide.UntilDeletable:
		return stateDeletable
	case last.Kind == record.Finished && plan.Goal == decide.UntilRebootable:
		return stateMayReboot
	case last.Kind == record.Finished:
		return stateFinished
	case last.Kind == record.Aborted:
		return stateAborted
	case last.Kind == record.Halted:
		return stateHalted
	default:
		return stateStopped
	}
}

// lastWord is the last event that says something; that the volumes stand
// differently does not.
func lastWord(events []record.Event) record.Event {
	for i := len(events) - 1; i > 0; i-- {
		if events[i].Kind != record.Looked {
			return events[i]
		}
	}
	return events[0]
}

func says(e record.Event) string {
	switch {
	case e.Text != "":
		return e.Text
	case e.Action != nil:
		return e.Action.Why
	case e.Note != nil:
		return e.Note.Says
	default:
		return string(e.Kind)
	}
}

func turn(t decide.PlannedTurn, m *decide.Turn) v1alpha1.Turn {
	out := v1alpha1.Turn{
		Node: t.Node.Name, UID: string(t.Node.UID), Strategy: string(t.Strategy), Why: t.Why, State: "Waiting",
	}
	if m == nil {
		return out
	}
	out.Replacement, out.ReplacementUID = m.Joined.Name, string(m.Joined.UID)
	out.OpenedAt, out.DrainedAt = stamp(m.OpenedAt), stamp(m.Emptied())
	out.RetiredAt, out.RebootedAt, out.ClosedAt = stamp(m.RetiredAt), stamp(m.BootedAt), stamp(m.ClosedAt)
	switch {
	case !m.ClosedAt.IsZero():
		out.State = "Closed"
	case m.Joined.UID != "":
		out.State = "Joined"
	case m.Boot != "":
		out.State = "Rebooted"
	case !m.RetiredAt.IsZero():
		out.State = "Retired"
	default:
		out.State = "Open"
	}
	return out
}

// Text writes it for people.
func (s Status) Text(to io.Writer, style Style) error {
	p := &printer{to: to, style: style}
	o := s.Object()
	if o.State == stateNone {
		p.line("No roll was ever begun here.")
		return p.done()
	}
	p.linef("%s: run %s", style.paint(bold, o.State), o.Run)
	if o.At != nil {
		says := o.Says
		if lastWord(s.History.Events).Kind == record.Waiting {
			says = "waiting for " + says
		}
		p.para("  ", o.Phase+": "+says+" ("+short(s.Now.Sub(*o.At))+" ago)")
	}
	if left := s.left(o); left != "" {
		p.para("  ", left)
	}
	if o.Holder != nil {
		p.para("  ", "held by "+o.Holder.Identity+", heard of "+short(s.Now.Sub(s.Holder.Renewed))+" ago")
	}
	p.line("")
	p.table(turnRows(o.Turns, decide.Goal(o.Goal), func(_, at *time.Time) string { return clock(at) }))
	if next := goOn(o); next != "" {
		p.line("")
		p.para("  ", next)
	}
	return p.done()
}

// left says how the volumes stand and how much is still to be copied; empty
// where nobody looked.
func (s Status) left(o v1alpha1.Status) string {
	if s.Judgement == nil {
		return ""
	}
	c := count(s.Judgement)
	says := fmt.Sprintf("%d of %s whole", c.volumes-c.problems, decide.Many(c.volumes, "volume"))
	at := place{phase: decide.Phase(o.Phase)}
	for _, t := range o.Turns {
		if t.OpenedAt != nil && t.ClosedAt == nil {
			at.node = t.Node
		}
	}
	if left, copies := bytesLeft(s.Judgement, at); copies {
		says += ", " + amount(left) + " left to copy"
	}
	return says
}

// drainAgain is the command that goes on with a drain.
func drainAgain(goal decide.Goal, node string) string {
	if goal.Reboots() {
		return "kubectl safe-roll drain " + node + " --for=reboot"
	}
	return "kubectl safe-roll drain " + node
}

// turnRows are the turns with their times, as when tells them from the turn's
// opening and the time itself. What is rebooted is replaced by nothing.
func turnRows(turns []v1alpha1.Turn, goal decide.Goal, when func(opened, at *time.Time) string) [][]string {
	rows := [][]string{{"  NODE", "STRATEGY", "STATE", "REPLACED BY", "DRAINED", "GONE", "WHOLE AGAIN"}}
	if goal.Reboots() {
		rows[0] = []string{"  NODE", "STRATEGY", "STATE", "DRAINED", "BACK", "WHOLE AGAIN"}
	}
	for _, t := range turns {
		row := []string{"  " + t.Node, t.Strategy, t.State}
		out := t.RebootedAt
		if !goal.Reboots() {
			row, out = append(row, or(t.Replacement, "-")), t.RetiredAt
		}
		rows = append(rows, append(row, when(t.OpenedAt, t.DrainedAt), when(t.OpenedAt, out), when(t.OpenedAt, t.ClosedAt)))
	}
	return rows
}

func clock(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.Format("15:04:05Z")
}

func goOn(o v1alpha1.Status) string {
	switch o.State {
	case stateStopped, stateHalted:
		if goal := decide.Goal(o.Goal); goal.StaysOpen() && len(o.Turns) > 0 {
			return "Go on with: " + drainAgain(goal, o.Turns[0].Node)
		}
		return "Go on with: kubectl safe-roll run; or give it up: kubectl safe-roll abort"
	case stateDeletable, stateMayReboot:
		return "Go on with: kubectl safe-roll run " + o.Turns[0].Node
	default:
		return ""
	}
}
