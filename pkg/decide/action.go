// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"reflect"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Verb is a kind of deed.
type Verb string

// The verbs.
const (
	// Cordon and Uncordon set spec.unschedulable of Node.
	Cordon   Verb = "cordon"
	Uncordon Verb = "uncordon"
	// Place changes what the storage node StorageNode of Driver accepts, from
	// Was to To.
	Place Verb = "place"
	// EvictPods evicts Pods, one bounded batch.
	EvictPods Verb = "evict-pods"
	// Wake holds Volume attached on HoldNode under Hold; Sleep takes that back.
	Wake  Verb = "wake"
	Sleep Verb = "sleep"
	// Prune deletes the object of Replica of Volume, whose data are gone.
	Prune Verb = "prune"
	// SetAside sets Knob of Driver, of Volume where one is named, from From to
	// Into for a time; PutBack puts it back.
	SetAside Verb = "set-aside"
	PutBack  Verb = "put-back"
	// Forget deletes the storage node StorageNode of Driver, whose machine is
	// gone and which holds nothing any more.
	Forget Verb = "forget"
	// Refit adds the Fittings to Node, or to StorageNode of Driver where one is
	// named.
	Refit Verb = "refit"
	// DeleteNode deletes the Node object.
	DeleteNode Verb = "delete-node"
	// RunCommand runs the plan's command of the kind Command for Node.
	RunCommand Verb = "run-command"
)

// CommandKind says which of the operator's commands runs.
type CommandKind string

// The commands.
const (
	RetireCommand  CommandKind = "retire"
	CreateCommand  CommandKind = "create"
	ReplaceCommand CommandKind = "replace"
	RebootCommand  CommandKind = "reboot"
)

// ObjectRef names one object by name and identity.
type ObjectRef struct {
	Name string      `json:"name"`
	UID  cluster.UID `json:"uid"`
}

// Action is one deed and the objects that it was decided about, each by name
// and UID. It is plain data: it goes into the journal before it is done.
// Fields that its verb does not use are zero.
type Action struct {
	Verb Verb `json:"verb"`
	// Node is the node of the turn, or the one to cordon.
	Node cluster.NodeRef `json:"node"`
	// ProviderID of the node, for commands.
	ProviderID string `json:"providerID,omitempty"`

	// Driver is the storage that the rest is about.
	Driver      string            `json:"driver,omitempty"`
	StorageNode ObjectRef         `json:"storageNode,omitzero"`
	Was         cluster.Placement `json:"was,omitzero"`
	To          cluster.Placement `json:"to,omitzero"`

	Pods []cluster.PodRef `json:"pods,omitempty"`

	Volume   ObjectRef `json:"volume,omitzero"`
	Replica  ObjectRef `json:"replica,omitzero"`
	Hold     string    `json:"hold,omitempty"`
	HoldNode string    `json:"holdNode,omitempty"`

	// Knob is named with the identity of the object that holds it.
	Knob ObjectRef `json:"knob,omitzero"`
	From string    `json:"from,omitempty"`
	Into string    `json:"into,omitempty"`

	Fittings *cluster.Fittings `json:"fittings,omitempty"`

	Command CommandKind `json:"command,omitempty"`
	// Boot is the boot of the node that a reboot command shall end.
	Boot string `json:"boot,omitempty"`
	// Why is one line for people and the journal.
	Why string `json:"why"`
}

// Irreversible deeds are performed only if Next decides the same again from
// fresh facts.
func (a Action) Irreversible() bool {
	switch a.Verb {
	case Prune, Forget, DeleteNode, RunCommand:
		return true
	default:
		return false
	}
}

// Ends names the deed if it ends the machine of its node, or the machine's boot:
// the command, or the deletion of the Node; empty for any other.
func (a Action) Ends() CommandKind {
	switch {
	case a.Verb == DeleteNode:
		return CommandKind(DeleteNode)
	case a.Verb == RunCommand && a.Command != CreateCommand:
		return a.Command
	default:
		return ""
	}
}

// Same reports whether both are the same deed on the same objects; the words
// for people do not count.
func (a Action) Same(b Action) bool {
	if len(a.Pods) != len(b.Pods) {
		return false
	}
	for i := range a.Pods {
		if a.Pods[i] != b.Pods[i] {
			return false
		}
	}
	return a.Verb == b.Verb && a.Node == b.Node && a.Driver == b.Driver &&
		a.StorageNode == b.StorageNode && a.Was == b.Was && a.To == b.To &&
		a.Volume == b.Volume && a.Replica == b.Replica && a.Hold == b.Hold &&
		a.HoldNode == b.HoldNode && a.Command == b.Command && a.Boot == b.Boot &&
		a.Knob == b.Knob && a.From == b.From && a.Into == b.Into && reflect.DeepEqual(a.Fittings, b.Fittings)
}

// Result is how a deed went.
type Result string

// The results.
const (
	// Performed: the change was accepted.
	Performed Result = "performed"
	// Conflict: an object was not as expected; nothing was changed. Look again.
	Conflict Result = "conflict"
	// Refused: the server said no for a reason that may pass, such as a
	// disruption budget.
	Refused Result = "refused"
	// Uncertain: it may or may not have happened. Look again.
	Uncertain Result = "uncertain"
)

// Outcome is what came of an action. An error instead of an Outcome means that
// it failed in a way that looking again will not mend (no right to do it, for
// one).
type Outcome struct {
	Result Result `json:"result"`
	// Detail is one line: the server's words, or the pods that a budget held.
	Detail string `json:"detail,omitempty"`
	// After is how long the server asked to be left alone; zero where it did
	// not say.
	After time.Duration `json:"after,omitempty"`
	// Unseen: the program that did it was gone before it ended. A command may still
	// be running on the machine where that program was.
	Unseen bool `json:"unseen,omitempty"`
}
