// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import "time"

// APIVersion is the apiVersion of every object of this package.
const APIVersion = "safe-roll.io/v1alpha1"

// The kinds of objects in this package.
const (
	KindVerification = "Verification"
	KindStatus       = "Status"
	KindEvent        = "Event"
)

// Verdict answers a question of safety. An empty verdict was not asked for.
type Verdict string

// The verdicts. Unsafe outranks Unknown, Unknown outranks Safe.
const (
	VerdictSafe    Verdict = "Safe"
	VerdictUnsafe  Verdict = "Unsafe"
	VerdictUnknown Verdict = "Unknown"
)

// Verification is the answer of `kubectl safe-roll verify`.
type Verification struct {
	// APIVersion is always safe-roll.io/v1alpha1.
	APIVersion string `json:"apiVersion"`
	// Kind is always Verification.
	Kind string `json:"kind"`
	// Verdict is the worst of what was asked: whether every volume is whole
	// and, where nodes were named, whether each may be drained now. It decides
	// the exit code: Safe 0, Unsafe 3, Unknown 4.
	Verdict Verdict `json:"verdict"`
	// ObservedAt is when the reading of the facts ended (RFC 3339, UTC); for
	// files, the newest time found in them. Null where nothing tells.
	ObservedAt *time.Time `json:"observedAt"`
	// Summary is one sentence for people. Do not parse it.
	Summary string `json:"summary"`
	// Volumes are all volumes, in a stable order.
	Volumes []Volume `json:"volumes"`
	// Nodes are the nodes that were asked about; empty if none were.
	Nodes []Node `json:"nodes"`
	// Findings are the reasons, the worst first, in a stable order.
	Findings []Finding `json:"findings"`
}

// Volume is one volume of a storage system.
type Volume struct {
	// Name is what the storage system calls it.
	Name string `json:"name"`
	// Namespace and Claim name the PersistentVolumeClaim that is bound to it;
	// empty where there is none.
	Namespace string `json:"namespace"`
	Claim     string `json:"claim"`
	// Want is the configured number of replicas.
	Want int `json:"want"`
	// Good is how many good replicas lie on distinct live nodes (on distinct
	// disks, where the volume lets its replicas share a node).
	Good int `json:"good"`
	// Leaving is how many more are as good as long as they are there: the
	// storage was asked to move them away. Good and Leaving together are what
	// a Whole volume has; a node's mayDrain and mayDelete count Good alone.
	Leaving int `json:"leaving"`
	// Condition is Whole, Unused, Degraded, Failed, Lost, Busy, Deleting or
	// Unknown. Failed has no good replica, and its data may still be salvaged
	// from failed ones; Lost has none of either. Only Whole, Unused and Deleting
	// do not stand against a Safe verdict.
	Condition string    `json:"condition"`
	Replicas  []Replica `json:"replicas"`
}

// Replica is one copy of a volume's data, and what is concluded of it.
type Replica struct {
	Name string `json:"name"`
	// Node is the name of the node that it is said to lie on. A name is no
	// identity: a re-created node keeps it.
	Node string `json:"node"`
	// Disk is the UUID that the disk carries.
	Disk string `json:"disk"`
	// Standing is Good, Absent, Failed, Rebuilding, Leaving, Unproven, Unused
	// or Unknown. Only Good counts; Leaving counts as long as it is there.
	Standing string `json:"standing"`
	// Proof says how well a Good standing is known: Proven (seen read-write in
	// a running engine, or probed) or Plausible (nothing contradicts it). Empty
	// for any other standing.
	Proof string `json:"proof"`
	// Code is the reason of a standing other than Good; empty for Good.
	Code string `json:"code"`
	// Evidence are the fields that the standing rests on, as they were read;
	// never null.
	Evidence []Fact `json:"evidence"`
}

// Node is a node that was asked about.
type Node struct {
	Name string `json:"name"`
	// UID is the identity of this incarnation of the node.
	UID string `json:"uid"`
	// MayDrain: every volume keeps its floor of good replicas without it.
	MayDrain Verdict `json:"mayDrain"`
	// MayDelete: nothing would be lost with it, now. Before a drain it is
	// seldom Safe; from files it is at best Unknown.
	MayDelete Verdict `json:"mayDelete"`
}

// Finding is a reason with its evidence and a stable code.
type Finding struct {
	// Code is stable; `kubectl safe-roll explain CODE` documents it.
	Code string `json:"code"`
	// Severity is Unsafe, Unknown or Note; a Note changes no verdict.
	Severity string  `json:"severity"`
	Subject  Subject `json:"subject"`
	// Message is one sentence for people. Do not parse it.
	Message string `json:"message"`
	// Evidence are the fields that it rests on, as they were read; never null.
	Evidence []Fact `json:"evidence"`
	// Remedy says what to do, the same for every finding of the code.
	Remedy string `json:"remedy,omitempty"`
	// Accept is the flag that accepts this finding; absent where no flag does, or
	// where it refuses nothing.
	Accept string `json:"accept,omitempty"`
}

// Subject is what a finding is about. Namespace is empty for what has none.
type Subject struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// Fact is a field as it was read.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}
