// SPDX-License-Identifier: Apache-2.0

package record

import (
	"maps"
	"slices"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// restart takes back the turn's credit with a deed that shows that it is not
// earned any more. A node that must be cordoned again has been in use since:
// what failed on it meanwhile did not fail because of the drain, and what was
// proven without it was proven before the drain that is to come. Pods that must
// go once more mean that the drain had not ended either.
func restart(t *decide.Turn, a decide.Action, at time.Time) {
	switch a.Verb {
	case decide.Cordon:
		t.CordonedAt, t.DrainedAt, t.Permitted = at, time.Time{}, false
	case decide.EvictPods:
		t.DrainedAt, t.Permitted = time.Time{}, false
		if t.CordonedAt.IsZero() { // somebody else has cordoned it since
			t.CordonedAt = at
		}
	}
}

// begin tells the turn of a deed that ends its machine, before anybody knows what
// came of it, and returns whether it is the first of its kind.
func begin(t *decide.Turn, a decide.Action, at time.Time) bool {
	k := a.Ends()
	if _, again := t.Begun[k]; k == "" || again {
		return false
	}
	begun := maps.Clone(t.Begun)
	if begun == nil {
		begun = map[decide.CommandKind]time.Time{}
	}
	begun[k] = at
	t.Begun = begun
	return true
}

// performed tells the turn of a deed that was done on its node.
func performed(t *decide.Turn, a decide.Action, at time.Time) {
	switch a.Verb {
	case decide.Uncordon:
		t.CordonedAt, t.DrainedAt, t.Permitted = time.Time{}, time.Time{}, false
	case decide.RunCommand:
		ran := maps.Clone(t.Ran)
		if ran == nil {
			ran = map[decide.CommandKind]time.Time{}
		}
		ran[a.Command] = at
		t.Ran = ran
	}
}

func noteTurn(m *decide.Memory, n decide.Note, at time.Time) {
	t := m.Current()
	if t == nil {
		return
	}
	switch n.Kind {
	case decide.Drained:
		t.DrainedAt, t.EmptiedAt = at, at
	case decide.Proved:
		// The journal's order says what came after the drain; the clock of
		// another machine, or one that was set back, does not.
		at = latest(at, t.DrainedAt, t.BootedAt)
		for _, uid := range n.Replicas {
			t.Proved[uid] = at
		}
	case decide.CommandEnded:
		t.Astray, t.AstrayAt = "", time.Time{}
	case decide.Rebooted:
		t.Boot, t.BootedAt = n.Boot, at
	case decide.Retired:
		t.RetiredAt = at
		forgetNode(m, t.Node, !n.Gone)
	case decide.Joined:
		t.Joined = n.Node
		forgetNode(m, t.Node, false)
	case decide.TurnClosed:
		t.ClosedAt = at
		clear(m.Looks)
		clear(m.Passed)
	}
}

func latest(at time.Time, others ...time.Time) time.Time {
	for _, o := range others {
		if at.Before(o) {
			at = o
		}
	}
	return at
}

// permit keeps what the gate before the deletion said last, beyond the looks
// themselves, which end with a restart: whoever was told that the node may go
// takes it away in between. A gate that is void by a change, while it held all the
// same, takes nothing back; journals that do not tell are read as if it did.
func permit(m *decide.Memory, n decide.Note) {
	t := m.Current()
	if t == nil || n.Gate != decide.GateDelete {
		return
	}
	switch n.Kind {
	case decide.GatePassed:
		t.Permitted = true
	case decide.LookVoided:
		t.Permitted = t.Permitted && n.Holds
	}
}

// waiting tells the turn where it waits: before the gate nobody asks what it would
// say, and behind it, it is passed.
func waiting(m *decide.Memory, p decide.Phase) {
	t := m.Current()
	if t == nil || !t.RetiredAt.IsZero() {
		return
	}
	switch p {
	case decide.Preflight, decide.Bar, decide.Evacuate, decide.CordonIt, decide.Drain, decide.Prove:
		t.Permitted = false
	case decide.Retire:
		_, passed := m.Passed[decide.GateDelete]
		t.Permitted = t.Permitted || passed
	default:
	}
}

// forgetNode drops the ways back that lead to a machine that is gone. What its
// storage was told about it stays to be put back where the storage keeps that: a
// machine of its name takes it up. Journals that do not tell are read so.
func forgetNode(m *decide.Memory, ref cluster.NodeRef, kept bool) {
	var keep []decide.Action
	for _, u := range m.Undo {
		if u.Node != ref || u.Verb == decide.Sleep || kept && u.Verb == decide.Place {
			keep = append(keep, u)
		}
	}
	m.Undo = keep
}

// forgetStorageNode drops the ways back that lead to an object of a storage that
// was deleted.
func forgetStorageNode(m *decide.Memory, driver string, o decide.ObjectRef) {
	m.Undo = slices.DeleteFunc(slices.Clone(m.Undo), func(u decide.Action) bool {
		return u.Verb == decide.Place && u.Driver == driver && u.StorageNode == o
	})
}
