// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"io"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// Result is how a roll ended well.
type Result struct {
	Done   decide.Done
	Plan   decide.Plan
	Memory decide.Memory
	// Judgement is the last one; nil where nothing was looked at.
	Judgement *assess.Judgement
	// Replicas is how many replicas lay on each node, by UID, when its turn
	// opened; a turn that an earlier run of the program opened has none.
	Replicas map[cluster.UID]int
	// Took is how long this run of the program took.
	Took time.Duration
}

// Text writes what was done: per node the strategy, the replacement and how
// long after the turn's opening it was drained, gone, and every volume whole
// again; then how the volumes stand.
func (r Result) Text(to io.Writer, style Style) error {
	p := &printer{to: to, style: style}
	p.para("", style.paint(green, "Done")+" in "+short(r.Took)+": "+sentence(r.Done.Says))
	if rows := r.turns(); len(rows) > 1 {
		p.line("")
		p.table(rows)
		p.line("(times since the turn of that node began)")
	}
	if r.Judgement != nil {
		c := count(r.Judgement)
		p.line("")
		p.linef("%s, %d of %s good; %s.", decide.Many(c.volumes, "volume"), c.good, decide.Many(c.replicas, "replica"), troubled(c))
	}
	p.left(r.left())
	if d := r.Done.Rebootable; d != nil {
		p.line("")
		p.line(style.paint(bold, "Now"))
		p.para("  ", fmt.Sprintf("reboot the machine of %s; kubectl safe-roll run %s waits for it, puts the node back to use and sees to its replicas.", d.Name, d.Name))
		p.para("  ", "This held when it was looked at; run drain again if you come back later.")
	}
	if d := r.Done.Deletable; d != nil {
		p.line("")
		p.line(style.paint(bold, "Now"))
		p.para("  ", fmt.Sprintf("delete %s and its machine, or have it replaced: kubectl safe-roll run %s --retire-command=... --create-command=...", d.Name, d.Name))
		p.para("  ", "This held when it was looked at; run verify again if you come back later.")
	}
	return p.done()
}

// left is what stays changed after a plan that ends with an open turn.
func (r Result) left() []decide.Action {
	if r.Done.Deletable == nil && r.Done.Rebootable == nil {
		return nil
	}
	return r.Memory.Undo
}

func troubled(c counts) string {
	if c.problems == 0 {
		return "every volume is whole"
	}
	return c.breakdown()
}

// turns are the rows of the turns that were opened; a drain ends before there
// is a replacement.
func (r Result) turns() [][]string {
	rows := [][]string{{"NODE", "STRATEGY", "REPLICAS", "DRAINED", "GONE", "WHOLE", "REPLACED BY"}}
	switch {
	case r.Plan.Goal.StaysOpen():
		rows[0] = rows[0][:4]
	case r.Plan.Goal.Reboots():
		rows[0] = []string{"NODE", "STRATEGY", "REPLICAS", "DRAINED", "BACK", "WHOLE"}
	}
	for _, t := range r.Plan.Turns {
		m := r.Memory.TurnOf(t.Node)
		if m == nil {
			continue
		}
		replicas, joined := "-", "-"
		if n, ok := r.Replicas[t.Node.UID]; ok {
			replicas = fmt.Sprint(n)
		}
		if m.Joined.Name != "" {
			joined = named(m.Joined)
		}
		out := m.RetiredAt
		if r.Plan.Goal.Reboots() {
			out = m.BootedAt
		}
		row := []string{
			named(t.Node), string(t.Strategy), replicas, between(m.OpenedAt, m.Emptied()),
			between(m.OpenedAt, out), between(m.OpenedAt, m.ClosedAt), joined,
		}
		rows = append(rows, row[:len(rows[0])])
	}
	return rows
}

// named is a node with the beginning of its UID: a name alone is no identity.
func named(n cluster.NodeRef) string { return fmt.Sprintf("%s (%.8s)", n.Name, n.UID) }

func between(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return "-"
	}
	return short(to.Sub(from))
}

// Interrupted is a roll that was stopped and can go on.
type Interrupted struct {
	// Again is the command that goes on.
	Again string
	Left  []decide.Action
}

// Text writes that, and what is still changed.
func (i Interrupted) Text(to io.Writer, style Style) error {
	p := &printer{to: to, style: style}
	p.para("", "Interrupted at a safe point. Go on with: "+i.Again+"; or give it up: kubectl safe-roll abort")
	p.left(i.Left)
	return p.done()
}

// Broken is a roll that an error ended.
type Broken struct {
	// Again is the command that goes on.
	Again string
	Left  []decide.Action
	// Deleted: the journal or the lock was deleted, so that nobody may be able to
	// go on, and to put back what is changed.
	Deleted bool
}

// Text writes what is still changed, and how to go on.
func (b Broken) Text(to io.Writer, style Style) error {
	p := &printer{to: to, style: style}
	if b.Deleted {
		p.byHand(b.Left)
		p.para("", "Where the journal is still there, "+b.Again+" goes on, and kubectl safe-roll abort gives it up and puts all of that back. Where they say that no roll is in flight, put it back by hand.")
		return p.done()
	}
	p.left(b.Left)
	p.para("", "When what the error says is mended, go on with: "+b.Again+"; or give it up: kubectl safe-roll abort")
	return p.done()
}

// Untouchable is what nobody must touch while a roll that is in flight rests.
type Untouchable struct {
	Left  []decide.Action
	Lines []string
	// Again is the command that goes on.
	Again string
}

// Text writes that.
func (u Untouchable) Text(to io.Writer, style Style) error {
	p := &printer{to: to, style: style}
	p.left(u.Left)
	p.section("Do not touch", u.Lines)
	p.line("")
	p.line("Go on with: " + u.Again)
	return p.done()
}

// Confirm writes a plan in short, for the question before the first change.
func Confirm(to io.Writer, plan decide.Plan, style Style) error {
	p := &printer{to: to, style: style}
	after := ""
	if len(plan.Turns) > 1 {
		after = ", one after the other"
	}
	what := "replaced"
	switch {
	case plan.Goal.StaysOpen():
		what = "drained"
	case plan.Goal.Reboots():
		what = "rebooted"
	}
	p.linef("%s will be %s%s:", decide.Many(len(plan.Turns), "node"), what, after)
	rows := [][]string{{"  NODE", "STRATEGY", "WHY"}}
	for _, t := range plan.Turns {
		rows = append(rows, []string{"  " + named(t.Node), string(t.Strategy), t.Why})
	}
	p.table(rows)
	for _, how := range ways(plan) {
		p.para("  ", how)
	}
	return p.done()
}

func ways(plan decide.Plan) []string {
	c := plan.Commands
	switch {
	case plan.Goal == decide.UntilDeletable:
		return []string{"it ends when the node may be deleted; the turn stays open, for run or abort"}
	case plan.Goal == decide.UntilRebootable:
		return []string{"it ends when the node may be rebooted; the turn stays open, for run or abort"}
	case plan.Goal.Reboots():
		if c.Reboot == "" {
			return []string{"safe-roll says when a machine may be rebooted, and waits for you to do it"}
		}
		return []string{"each is rebooted by: " + c.Reboot}
	}
	var out []string
	if c.Replace != "" {
		out = append(out, "each is replaced by: "+c.Replace)
	}
	if c.Retire != "" {
		out = append(out, "each is retired by: "+c.Retire)
	}
	if c.DeleteNode {
		out = append(out, "each Node object is deleted by safe-roll; its machine is yours to end")
	}
	if c.Create != "" {
		out = append(out, "each replacement is made by: "+c.Create)
	}
	if len(out) == 0 {
		out = append(out, "safe-roll says when a machine may go, and waits for you to replace it")
	}
	return out
}
