// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"iter"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// Severity says what a finding does to the verdict.
type Severity uint8

// The severities.
const (
	Note    Severity = iota // says something; changes no verdict
	Unclear                 // makes Safe impossible: a fact is missing
	Danger                  // makes the verdict Unsafe
)

// String returns the word that people and JSON read.
func (s Severity) String() string {
	switch s {
	case Unclear:
		return "Unknown"
	case Danger:
		return "Unsafe"
	default:
		return "Note"
	}
}

// Subject is what a finding is about.
type Subject struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// Finding is a reason with its evidence and a stable code.
type Finding struct {
	Code     string
	Severity Severity
	Subject  Subject
	// Message is one sentence: what and why.
	Message  string
	Evidence []cluster.Fact
	// Risk is what the operator would have to accept for the finding to refuse
	// nothing; zero where nothing can. Whoever heeds a risk offers it.
	Risk policy.Risk
	// Advice is the code whose remedy holds here in the place of that of Code;
	// empty where its own does.
	Advice string
}

// Condition is what a volume's replicas add up to.
type Condition uint8

// The conditions of a volume.
const (
	ConditionUnknown Condition = iota
	Whole                      // Want good replicas on distinct live nodes
	Unused                     // never held data; whole as it is
	Degraded                   // fewer than Want, at least Need
	Lost                       // fewer than Need: the data cannot be served
	Busy                       // something must end before it can be judged
	Going                      // being deleted; does not gate
)

// String returns the condition's word; people and JSON read the volume's Word.
func (c Condition) String() string {
	words := [...]string{"Unknown", "Whole", "Unused", "Degraded", "Lost", "Busy", "Deleting"}
	if int(c) >= len(words) {
		return words[ConditionUnknown]
	}
	return words[c]
}

// ReplicaJudgement is a replica's standing and why.
type ReplicaJudgement struct {
	Replica  *cluster.Replica
	Standing cluster.Standing
	Proof    cluster.Proof
	// Here is the standing that it has as long as it is there: the same, but
	// of a replica that is Leaving because the storage was asked to move it
	// what it would be if it stayed. Whether a volume is whole is asked of what
	// is here, whether a node may go of what stays.
	Here cluster.Standing
	// Code is the reason of a standing other than Good; empty for Good.
	Code     string
	Evidence []cluster.Fact
}

// VolumeJudgement is a volume's condition and why.
type VolumeJudgement struct {
	Volume *cluster.Volume
	// Driver is the storage it belongs to.
	Driver string
	// PV and Claim name what people know the volume by; empty where nothing
	// refers to it.
	PV             string
	ClaimNamespace string
	ClaimName      string
	Condition      Condition
	// Good counts good replicas on distinct nodes and disks (or on distinct
	// disks where the volume shares nodes); Proven those of them that are.
	Good   int
	Proven int
	// Leaving is how many more are as good as long as they are there: the
	// storage was asked to move them away. A volume with Good+Leaving at Want
	// is whole, and keeps Good when they have gone.
	Leaving int
	// Moving: the storage has yet to move a replica of it. Whole as it may be,
	// no turn may begin while somebody's data is on the move.
	Moving bool
	// Waived: the volume is Lost, and that was accepted by its name. It gates
	// nothing but the nodes that hold something of it.
	Waived bool
	// Doubtful is how many more might turn out to be good.
	Doubtful int
	Replicas []ReplicaJudgement
	Findings []Finding
}

// NodeJudgement is what can be said of a node by itself.
type NodeJudgement struct {
	Node *cluster.Node
	// Live: Ready with a fresh lease. A node that is not is out.
	Live     cluster.Answer
	Findings []Finding
}

// Judgement is what Judge concludes from a snapshot.
type Judgement struct {
	Snapshot *cluster.Snapshot
	Policy   policy.Policy
	// Now is the time that ages were judged against.
	Now     time.Time
	Verdict cluster.Verdict
	// Volumes are in the order of the snapshot's storages and volumes; after
	// Sift they are those that stand in the way, and Rest counts the others.
	Volumes []VolumeJudgement
	Rest    Rest
	Nodes   []NodeJudgement
	// Findings are all findings, the worst first, in a stable order; those of
	// volumes and nodes are among them.
	Findings []Finding

	index index
	// again judges all volumes once more; nil where Volumes holds them all.
	again iter.Seq[*VolumeJudgement]
}

// Permit answers whether something may be done to a node.
type Permit struct {
	Verdict cluster.Verdict
	// Findings are the reasons of any verdict but Safe.
	Findings []Finding
}

// Turn is what MayDelete must know of the turn in hand and cannot see in the
// facts. The zero value is the question of somebody who is in no turn.
type Turn struct {
	// CordonedAt is when the node was cordoned for the turn: what failed on it
	// afterwards failed because of us, with its siblings good.
	CordonedAt time.Time
	// DrainedAt is when the drain ended.
	DrainedAt time.Time
	// Proved holds, by replica UID, when it was last seen read-write.
	Proved map[cluster.UID]time.Time
}
