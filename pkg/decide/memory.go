// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// NoteKind is what a Note says.
type NoteKind string

// The notes.
const (
	// Approved: somebody has approved the turn of Node.
	Approved NoteKind = "approved"
	// TurnOpened: the turn of Turn began.
	TurnOpened NoteKind = "turn-opened"
	// Drained: nothing that must go is left on the node.
	Drained NoteKind = "drained"
	// LookTaken: a gate's first look agreed.
	LookTaken NoteKind = "look-taken"
	// LookVoided: what the look rested on changed.
	LookVoided NoteKind = "look-voided"
	// GatePassed: a gate's second look agreed.
	GatePassed NoteKind = "gate-passed"
	// Proved: Replicas were seen read-write.
	Proved NoteKind = "proved"
	// Rebooted: the turn's node came up as Boot.
	Rebooted NoteKind = "rebooted"
	// DirectoriesMissing: a look found the directories in Missing missing.
	DirectoriesMissing NoteKind = "directories-missing"
	// CommandEnded: somebody says that the command which went astray has ended.
	CommandEnded NoteKind = "command-ended"
	// Retired: the turn's node is gone.
	Retired NoteKind = "retired"
	// Joined: Node is the replacement.
	Joined NoteKind = "joined"
	// TurnClosed: the node was replaced and every volume is whole.
	TurnClosed NoteKind = "turn-closed"
)

// Gate is a place where two looks are needed.
type Gate string

// The gates.
const (
	GateDelete Gate = "may-be-deleted"
	GateReboot Gate = "may-be-rebooted"
	GatePrune  Gate = "may-be-pruned"
	GateSettle Gate = "settled"
)

// Note is something that facts will not tell later.
type Note struct {
	Kind NoteKind        `json:"kind"`
	Node cluster.NodeRef `json:"node,omitzero"`
	// Turn is what is known of the node when its turn opens.
	Turn *OpenTurn `json:"turn,omitempty"`
	Gate Gate      `json:"gate,omitempty"`
	Look *Look     `json:"look,omitempty"`
	// Replicas that were proved, for Proved.
	Replicas []cluster.UID `json:"replicas,omitempty"`
	// Missing are some directories, for DirectoriesMissing.
	Missing []cluster.Missing `json:"missing,omitempty"`
	// Boot is the node's, for Rebooted.
	Boot string `json:"boot,omitempty"`
	// Holds: what the gate permits still held when the look became void, for
	// LookVoided.
	Holds bool `json:"holds,omitempty"`
	// Gone: no storage keeps what it was told about the node, for Retired.
	Gone bool `json:"gone,omitempty"`
	// Says is one line for people.
	Says string `json:"says"`
}

// OpenTurn is what must be known of a node after it is gone.
type OpenTurn struct {
	// Seen are the UIDs of all nodes when the turn opened: none of them is a
	// replacement.
	Seen []cluster.UID `json:"seen"`
	// Names are those of all other nodes: a new machine that bears one of them
	// takes the place of that node, and not of this one.
	Names []string `json:"names,omitempty"`
	// Disks are the UUIDs of the node's disks: none of them is a new disk.
	Disks []string `json:"disks,omitempty"`
	// Boot identifies the boot of the machine that a reboot shall end.
	Boot string `json:"boot,omitempty"`
	// Cordoned: it was cordoned before we came.
	Cordoned bool `json:"cordoned,omitempty"`
	// Had is what was set up on it; nil where that was not recorded.
	Had *cluster.Fittings `json:"had,omitempty"`
}

// Look is one look through a gate.
type Look struct {
	Began  time.Time `json:"began"`
	Ended  time.Time `json:"ended"`
	Digest string    `json:"digest"`
	// Leases are the last renewals of the live nodes, by UID.
	Leases map[cluster.UID]time.Time `json:"leases,omitempty"`
}

// Turn is one node's replacement, as far as memory goes.
type Turn struct {
	Node     cluster.NodeRef
	Open     OpenTurn
	OpenedAt time.Time
	// CordonedAt is when the cordon that holds now was begun, DrainedAt when
	// the drain under it ended; zero once either was taken back.
	CordonedAt time.Time
	DrainedAt  time.Time
	// EmptiedAt is when the last drain of the turn ended, whatever was taken back.
	EmptiedAt time.Time
	RetiredAt time.Time
	// Permitted: the gate before the node's deletion was passed, and at no look
	// since did it not hold.
	Permitted bool
	// Boot is the latest boot that was seen since the node was to be rebooted,
	// and BootedAt when it was seen.
	Boot     string
	BootedAt time.Time
	// Ran is when each of the operator's commands ended well.
	Ran map[CommandKind]time.Time
	// Begun is when each deed was begun first that ends the machine, or its boot,
	// where it is not certain that it had no effect; see Action.Ends.
	Begun map[CommandKind]time.Time
	// Astray is the command of which nobody saw the end, and AstrayAt when it was
	// begun; empty for none.
	Astray   CommandKind
	AstrayAt time.Time
	Joined   cluster.NodeRef
	ClosedAt time.Time
	// Proved holds when each replica was last seen read-write in this turn.
	Proved map[cluster.UID]time.Time
}

// Going reports whether a deed that ends the machine, or its boot, was begun and
// may have had an effect, though its Node may still be there, or whether the node
// is gone and was permitted to go. A command that failed, or that nobody saw end,
// may have had the machine ended all the same.
func (t *Turn) Going() bool {
	for k := range t.Begun {
		if k != RebootCommand || t.Boot == "" {
			return true
		}
	}
	return !t.RetiredAt.IsZero() && t.MayErase()
}

// MayErase reports whether it was known that no volume needs what is on the node's
// disks, before the node went: the gate had been passed, or what it permits begun.
func (t *Turn) MayErase() bool {
	_, boots := t.Begun[RebootCommand]
	return t.Permitted || len(t.Begun) > 0 && !boots
}

// Memory is the little that facts cannot tell. record.Replay rebuilds it from
// the journal.
type Memory struct {
	// Turns, the latest last; at most the last one is open.
	Turns []Turn
	// Looks that agreed once, by gate, and Passed those that agreed twice.
	// Neither survives a restart.
	Looks  map[Gate]Look
	Passed map[Gate]Look
	// Approved is the node whose turn was approved last.
	Approved cluster.NodeRef
	// Missing are the directories that a look found missing, by replica. What is in
	// them later is nobody's data, until the replica is rebuilt; a new roll has them
	// from the one before.
	Missing map[cluster.UID]cluster.Missing
	// Undo are the deeds that put back what we changed, the latest first.
	Undo []Action
	// Open is the deed whose outcome is not known, if any, and OpenAt when it was
	// begun; OpenBack says that its way back was written down with it, and not by
	// an earlier try, OpenFirst that no earlier try of it may have had an effect.
	Open      *Action
	OpenBack  bool
	OpenFirst bool
	OpenAt    time.Time
	// Last is the last deed that was performed.
	Last *Action
	// Refusals counts how often in a row a deed was refused, met a conflict, had
	// an unknown outcome, or was performed again because the facts did not show
	// it; RefusedAt is the last time.
	Refusals  int
	RefusedAt time.Time
	// Refusal is what was said the last time, and Refused of which deed; nil
	// after one that was performed.
	Refusal string
	Refused *Action
	// Conflicts is how many of the tries of Refused have met a conflict.
	Conflicts int
	// Asked is how long the server asked to be left alone then.
	Asked time.Duration
}

// Current returns the open turn, or nil.
func (m *Memory) Current() *Turn {
	if n := len(m.Turns); n > 0 && m.Turns[n-1].ClosedAt.IsZero() {
		return &m.Turns[n-1]
	}
	return nil
}

// Emptied is when the node was drained: a node that was rebooted is in use again,
// and was drained all the same. Zero where that was taken back before.
func (t *Turn) Emptied() time.Time {
	if t.DrainedAt.IsZero() && !t.BootedAt.IsZero() {
		return t.EmptiedAt
	}
	return t.DrainedAt
}

// TurnOf returns the turn of that incarnation of a node, or nil.
func (m *Memory) TurnOf(ref cluster.NodeRef) *Turn {
	for i := range m.Turns {
		if m.Turns[i].Node == ref {
			return &m.Turns[i]
		}
	}
	return nil
}

// Retired lists the machines that were seen to be gone, with when.
func (m *Memory) Retired() []cluster.Retired {
	var out []cluster.Retired
	for i := range m.Turns {
		if t := &m.Turns[i]; !t.RetiredAt.IsZero() {
			out = append(out, cluster.Retired{Node: t.Node, At: t.RetiredAt})
		}
	}
	return out
}
