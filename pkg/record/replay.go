// SPDX-License-Identifier: Apache-2.0

package record

import (
	"maps"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// Replay rebuilds the plan and the memory from a journal. It is pure: the same
// events give the same memory. The plan is empty where nothing was started.
func Replay(h History) (decide.Plan, decide.Memory) {
	var p decide.Plan
	m := empty()
	for _, e := range h.Events {
		if e.Plan != nil {
			p = *e.Plan
		}
		Apply(&m, e)
	}
	return p, m
}

// Over reports whether the journal's roll needs nothing more: it fulfilled its
// plan and put back what must not stay, was aborted, or stopped before it had
// done anything. A drain leaves its turn open; once the node was replaced all
// the same, nothing is left of it that could be gone on with.
func (h History) Over() bool {
	n := len(h.Events)
	if n == 0 {
		return true
	}
	p, m := Replay(h)
	if p.Goal.StaysOpen() && len(m.Turns) > 0 && m.Current() == nil && len(m.Undo) == 0 && m.Open == nil {
		return true
	}
	switch h.Events[n-1].Kind {
	case Aborted:
		return true
	case Finished:
		return !p.Goal.StaysOpen() && len(decide.TakeBack(m, decide.StopInterrupted)) == 0
	default:
		// Healing before the first turn is worth going on with.
		return len(m.Turns) == 0 && len(m.Undo) == 0 && m.Open == nil && m.Last == nil
	}
}

func empty() decide.Memory {
	return decide.Memory{
		Looks:  map[decide.Gate]decide.Look{},
		Passed: map[decide.Gate]decide.Look{},
	}
}

// Apply adds one event to the memory.
func Apply(m *decide.Memory, e Event) {
	switch e.Kind {
	case Started:
		*m = empty()
	case Resumed, Replanned:
		// Looks are not carried over a restart: nobody watched in between.
		clear(m.Looks)
		clear(m.Passed)
		m.Refusals, m.Refused = 0, nil
	case Intent:
		intend(m, e)
	case Done:
		if m.Open != nil && e.Outcome != nil {
			finish(m, *m.Open, *e.Outcome, e.At)
		}
		m.Open = nil
	case Noted:
		note(m, *e.Note, e.At)
		permit(m, *e.Note)
	case Waiting:
		waiting(m, e.Phase)
	}
}

// intend registers the way back before the deed is done, so that a crash in
// between cannot lose it.
func intend(m *decide.Memory, e Event) {
	a, at := *e.Action, e.At
	m.Open, m.OpenAt = &a, at
	// A deed that is tried again after an unknown outcome has its way back
	// registered already, and a way back has none of its own.
	m.OpenBack = false
	if back, ok := decide.Inverse(a); ok && e.Phase != decide.Undo && !undoes(m, a) && !undoes(m, back) {
		m.Undo, m.OpenBack = append([]decide.Action{back}, m.Undo...), true
	}
	m.OpenFirst = false
	if t := m.Current(); t != nil && a.Node == t.Node {
		restart(t, a, at)
		m.OpenFirst = begin(t, a, at)
	}
	void(m, a)
}

// void ends the looks from before the deed: a look begins after our last
// change. Only a gate that was passed outlives the deeds that it permits.
func void(m *decide.Memory, a decide.Action) {
	clear(m.Looks)
	for g := range m.Passed {
		permits := g == decide.GatePrune && a.Verb == decide.Prune ||
			g == decide.GateDelete && (a.Verb == decide.DeleteNode || a.Verb == decide.RunCommand) ||
			g == decide.GateReboot && a.Verb == decide.RunCommand
		if !permits {
			delete(m.Passed, g)
		}
	}
}

// undoes reports whether the deed is registered as a way back.
func undoes(m *decide.Memory, a decide.Action) bool {
	for _, u := range m.Undo {
		if sameWayBack(u, a) {
			return true
		}
	}
	return false
}

// sameWayBack compares deeds; a hold is the same whichever turn takes it back.
func sameWayBack(u, a decide.Action) bool {
	if u.Verb == decide.Sleep && a.Verb == decide.Sleep {
		return u.Volume == a.Volume && u.Hold == a.Hold
	}
	return u.Same(a)
}

func finish(m *decide.Memory, a decide.Action, o decide.Outcome, at time.Time) {
	m.Asked = o.After
	if m.Refused == nil || !m.Refused.Same(a) {
		m.Conflicts = 0
	}
	if o.Result == decide.Conflict {
		m.Conflicts++
	}
	again := o.Result == decide.Performed && m.Last != nil && m.Last.Same(a)
	switch {
	case again:
		m.Refusals, m.RefusedAt, m.Refusal = m.Refusals+1, at, "it was done, and nothing shows it yet"
	case o.Result != decide.Performed:
		// Of unknown fate, too: a server that cannot answer is not asked all
		// the time.
		m.Refusals, m.RefusedAt, m.Refusal = m.Refusals+1, at, o.Detail
		m.Refused = &a
	default:
		m.Refusals, m.Refused = 0, nil
	}
	if o.Result == decide.Performed {
		m.Last = &a
	}
	if t := m.Current(); t != nil && a.Node == t.Node && a.Verb == decide.RunCommand {
		t.Astray, t.AstrayAt = "", time.Time{}
		if o.Unseen {
			t.Astray, t.AstrayAt = a.Command, m.OpenAt
		}
	}
	switch o.Result {
	case decide.Performed:
		drop(m, a)
		if a.Verb == decide.Forget {
			forgetStorageNode(m, a.Driver, a.StorageNode)
		}
		if t := m.Current(); t != nil && a.Node == t.Node {
			performed(t, a, at)
		}
	case decide.Refused, decide.Conflict:
		// It had no effect: there is nothing to put back, unless an earlier try
		// had one: that the object is so already may then be our own doing. A
		// way back that has met enough conflicts is over too.
		if back, ok := decide.Inverse(a); ok && m.OpenBack {
			drop(m, back)
		}
		if t := m.Current(); t != nil && m.OpenFirst {
			t.Begun = maps.Clone(t.Begun)
			delete(t.Begun, a.Ends())
		}
		if o.Result == decide.Conflict && m.Conflicts >= decide.ConflictTries {
			drop(m, a)
		}
	}
}

// drop removes the entry of the undo register that is this deed.
func drop(m *decide.Memory, a decide.Action) {
	for i, u := range m.Undo {
		if sameWayBack(u, a) {
			m.Undo = append(append([]decide.Action{}, m.Undo[:i]...), m.Undo[i+1:]...)
			return
		}
	}
}

func note(m *decide.Memory, n decide.Note, at time.Time) {
	switch n.Kind {
	case decide.TurnOpened:
		t := decide.Turn{Node: n.Node, OpenedAt: at, Proved: map[cluster.UID]time.Time{}}
		if n.Turn != nil {
			t.Open = *n.Turn
		}
		if t.Open.Cordoned {
			t.CordonedAt = at
		}
		m.Turns = append(m.Turns, t)
	case decide.Approved:
		m.Approved = n.Node
	case decide.DirectoriesMissing:
		known := maps.Clone(m.Missing)
		if known == nil {
			known = map[cluster.UID]cluster.Missing{}
		}
		for _, x := range n.Missing {
			known[x.Replica] = x
		}
		m.Missing = known
	case decide.LookTaken:
		m.Looks[n.Gate] = *n.Look
	case decide.LookVoided:
		delete(m.Looks, n.Gate)
		delete(m.Passed, n.Gate)
	case decide.GatePassed:
		delete(m.Looks, n.Gate)
		m.Passed[n.Gate] = *n.Look
	default:
		noteTurn(m, n, at)
	}
}
