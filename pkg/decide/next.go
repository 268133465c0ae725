// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"
	"slices"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// Next says what to do now. It takes the plan, the judgement of one snapshot,
// what memory holds, and the time; the same arguments give the same decision.
// Nothing is assumed of earlier steps: every phase whose goal the facts meet
// is passed, and the first one that they do not meet decides.
func Next(p Plan, j *assess.Judgement, m Memory, now time.Time) Decision {
	t := &tick{plan: p, j: j, s: j.Snapshot, m: m, now: now}
	if d := t.noteMissing(); d != nil {
		return d
	}
	if d := t.readable(); d != nil {
		return d
	}
	for i := range p.Turns {
		t.planned = p.Turns[i]
		t.turn = m.TurnOf(t.planned.Node)
		if t.turn != nil && !t.turn.ClosedAt.IsZero() {
			continue
		}
		return t.nextOfTurn()
	}
	switch {
	case p.Goal == UntilDeletable && len(p.Turns) > 0:
		return replacedAlready(p.Turns[len(p.Turns)-1].Node)
	case p.Goal.Reboots():
		return Done{Says: "every node was rebooted, and every volume has its replicas on live nodes"}
	}
	return Done{Says: "every node was replaced, and every volume has its replicas on live nodes"}
}

// replacedAlready ends a drain whose node went and was replaced before it could
// be deletable. It is no success: whoever asked for the drain means the machine
// that bears the name now, and that one was not drained.
func replacedAlready(node cluster.NodeRef) Decision {
	return Halt{
		Phase: Finished, Exit: ExitUnsafe,
		Reason: fmt.Sprintf("the machine that was drained as node %s (UID %s) is gone, and its turn is over; "+
			"a machine of that name that is there now was not drained", node.Name, node.UID),
		Remedy: "run the same command again to drain the machine that is there now",
	}
}

// tick is one asking of Next: its arguments and the turn in hand.
type tick struct {
	plan    Plan
	j       *assess.Judgement
	s       *cluster.Snapshot
	m       Memory
	now     time.Time
	planned PlannedTurn
	// turn is nil until the turn is opened.
	turn *Turn
	// counted are answers that are the same for every volume; nil until asked for.
	counted *counted
}

// step is one phase: next returns nil where the facts meet the phase's goal.
type step struct {
	phase Phase
	next  func(*tick) Decision
}

// opening, before and after are the phases of a turn, in order. The node's own
// existence, not memory, says on which side of its deletion a turn is. A node
// that comes back with its disks has a table of its own: reboot.go.
func opening() []step {
	return []step{
		{Undo, (*tick).yield},
		{Pause, (*tick).approval},
		{Preflight, (*tick).leftovers},
		{Preflight, (*tick).preflight},
		{Preflight, (*tick).bootKnown},
		{Preflight, (*tick).holdNothingBack},
		{Heal, (*tick).heal},
		{Verify, (*tick).verifyWhole},
		{Preflight, (*tick).keepsFloor},
		{Preflight, (*tick).open},
	}
}

func before() []step {
	return []step{
		{Undo, (*tick).yield},
		{Preflight, (*tick).holdNothingBack},
		{Preflight, (*tick).onlyOneOut},
		{Bar, (*tick).bar},
		{Evacuate, (*tick).evacuate},
		{Evacuate, (*tick).keepWhole},
		{CordonIt, (*tick).mineToTake},
		{CordonIt, (*tick).cordon},
		{Drain, (*tick).drain},
		{Prove, (*tick).prove},
		{Retire, (*tick).astray},
		{MayDelete, (*tick).mayDelete},
		{Retire, (*tick).mineToEnd},
		{Retire, (*tick).retire},
	}
}

func after() []step {
	return []step{
		{Undo, (*tick).yield},
		{Retire, (*tick).noteRetired},
		{PruneIt, (*tick).holdNothingBack},
		{PruneIt, (*tick).prune},
		{PruneIt, (*tick).forget},
		{Create, (*tick).create},
		{Join, (*tick).join},
		{Restore, (*tick).restore},
		{Rebuild, (*tick).rebuild},
		{Settle, (*tick).settle},
	}
}

func (t *tick) nextOfTurn() Decision {
	steps := after()
	switch {
	case t.turn == nil:
		steps = opening()
	case t.plan.Goal.Reboots():
		steps = t.rebooting()
	case t.s.NodeByUID(t.planned.Node.UID) != nil:
		steps = before()
	}
	for _, s := range steps {
		if d := s.next(t); d != nil {
			return inPhase(d, s.phase)
		}
	}
	return Halt{
		Phase: Finished, Exit: ExitUnknown,
		Reason: "no phase of the turn of " + t.node() + " knows what to do",
	}
}

// inPhase stamps the phase onto a decision.
func inPhase(d Decision, p Phase) Decision {
	switch d := d.(type) {
	case Act:
		d.Phase = p
		return d
	case Remember:
		d.Phase = p
		return d
	case Wait:
		d.Phase = p
		return d
	case Halt:
		d.Phase = p
		return d
	default:
		return d
	}
}

func (t *tick) node() string { return t.planned.Node.Name }

func (t *tick) policy() policy.Policy { return t.plan.Policy }

// readAgain is how long after the last consistent look a kind is asked for again that
// could not be read then. It is not counted from now: every event would put it off.
const readAgain = 5 * time.Second

// readable halts on what will not become readable by waiting, and waits for
// the rest: with a needed kind missing, nothing may be decided (I3). Every kind is
// waited for where reading it failed just now: a storage's others say which volumes
// we hold, leases who is live, and DaemonSets whose pods may stay. While we hold
// any, none of the storage's may be missing: a hold that nobody sees is not taken
// back.
func (t *tick) readable() Decision {
	for _, g := range t.s.Gaps {
		passes := g.Reason == cluster.GapFailed || g.Reason == cluster.GapTruncated
		if !g.Needed && !g.ForDrain && !passes && !(g.OfStorage && t.m.Holds()) {
			continue
		}
		if passes {
			return Wait{
				Phase: Verify, For: "the API server to answer for " + g.Kind, Left: []string{g.Detail},
				Progress: g.Kind, Fresh: true, Until: t.s.Look.Ended.Add(readAgain + t.s.Look.Skew),
				Limit: t.policy().SettleLimit, LimitName: "settle limit",
				Stuck: "find out why " + g.Kind + " cannot be read: " + g.Detail,
			}
		}
		return Halt{
			Phase: Verify, Exit: ExitUnknown,
			Reason:   g.Kind + " cannot be read: " + g.Detail,
			Findings: worst(t.j.Findings),
			Remedy:   "make it readable (kubectl auth can-i list " + g.Kind + " -A), then run the same command again",
		}
	}
	return nil
}

// Holds reports whether a volume may be held awake by us.
func (m *Memory) Holds() bool {
	return slices.ContainsFunc(m.Undo, func(a Action) bool { return a.Verb == Sleep })
}

// worst returns the findings that stand against a verdict of Safe.
func worst(all []assess.Finding) []assess.Finding {
	var out []assess.Finding
	for _, f := range all {
		if f.Severity != assess.Note {
			out = append(out, f)
		}
	}
	return out
}

// exitOf is the exit code of a refusal for these findings.
func exitOf(fs []assess.Finding) int {
	for _, f := range fs {
		if f.Severity == assess.Danger {
			return ExitUnsafe
		}
	}
	return ExitUnknown
}

// messages are what findings say, as clauses for what a Wait still misses.
func messages(fs []assess.Finding) []string {
	out := make([]string, 0, len(fs))
	for _, f := range fs {
		out = append(out, clause(f.Message))
	}
	return out
}
