// SPDX-License-Identifier: Apache-2.0

package oracle

import (
	"encoding/json"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Hand is whose doing something was.
type Hand string

// The hands.
const (
	Nobody  Hand = ""
	Ours    Hand = "ours"
	Theirs  Hand = "theirs"
	Storage Hand = "the storage's"
)

// Truth is what a world that knows it saw of a roll.
type Truth struct {
	// Deeds are the changes by our hand that took effect, in order.
	Deeds []Deed
	// Losses are the moments in which the last copy of a volume's bytes went.
	Losses []Loss
	// End is how the cluster was when the last process had ended; nil while
	// one still works.
	End *Moment
	// Takings are the moments in which a process took the lock, in order.
	Takings []Taking
}

// Taking is a process's taking of the lock.
type Taking struct {
	At time.Time
	By int
}

// Deed is one change by our hand, as the cluster felt it.
type Deed struct {
	At   time.Time
	Verb string
	// Node is the machine that the deed is about, if any; UID is the identity that
	// the request named of the object that it changed, empty where it named none.
	Node cluster.NodeRef
	UID  cluster.UID
	// Action is all that was to be done, as a journal writes it; empty where only the
	// verb and the node are known.
	Action json.RawMessage
	// Twice: the command that the deed ran was still running, begun by somebody
	// whose program was killed.
	Twice bool
	// By is the process whose doing it was, as in a Taking, and Sent when it sent the
	// request that did it; zero where that is not known.
	By   int
	Sent time.Time
	// Before is how the cluster was just before it; nil for deeds that take
	// nothing away.
	Before *Moment
}

// Loss is the end of a volume's last copy.
type Loss struct {
	At     time.Time
	Volume string
	By     Hand
	// Damaged: others had destroyed copies of it before.
	Damaged bool
	// Concealed counts the copies that were still believed in, as in a Volume.
	Concealed int
}

// Moment is how the cluster really was.
type Moment struct {
	Nodes   []Node
	Volumes []Volume
}

// Node is one machine.
type Node struct {
	Ref cluster.NodeRef
	// DownSince is when it was switched off; zero while it runs.
	DownSince time.Time
	// CordonedBy is whose cordon it bears; BarredBy who told the storage to
	// place nothing on it.
	CordonedBy Hand
	BarredBy   Hand
}

// Volume is what there really is of one volume.
type Volume struct {
	Name string
	Want int
	Need int
	// Written: it holds bytes that somebody wants back.
	Written bool
	// Copies are the machines on whose disks the newest bytes lie whole.
	Copies []cluster.NodeRef
	// Concealed are the machines of copies of which others took the data away
	// without a trace in any object of the API, so that no reader of it could know,
	// and of those that were made of such a one since.
	Concealed []cluster.NodeRef
	// Held: our hold keeps it awake.
	Held bool
}
