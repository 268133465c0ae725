// SPDX-License-Identifier: Apache-2.0

package cluster

import "time"

// UID is the identity of one object for its whole life; a re-created object
// of the same name has another one.
type UID string

// NodeRef names one incarnation of a Kubernetes node. Two nodes with the same
// name and different UIDs are two machines.
type NodeRef struct {
	Name string `json:"name"`
	UID  UID    `json:"uid"`
}

// Revision orders the observations of one World; a later one has a higher
// number. It says nothing across processes.
type Revision uint64

// Source is where a snapshot was read.
type Source uint8

// The sources of a snapshot.
const (
	SourceUnknown Source = iota
	SourceLive           // a cluster's API, consistent reads
	SourceFiles          // files: nothing is known of the present
)

// Look is one complete reading of all kinds.
type Look struct {
	Began time.Time
	Ended time.Time
	// Fresh is true where every read was a consistent one that began after
	// the look was asked for.
	Fresh bool
	// Skew is the API server's clock minus this machine's, as far as answers
	// tell; ages are judged by the server's clock.
	Skew time.Duration
}

// Snapshot is everything that safe-roll knows of a cluster at one moment.
// Slices are sorted by namespace and name; a missing object is missing, but a
// kind that could not be read has a Gap. It is never changed once it was handed
// out: two snapshots may share what is the same in both.
type Snapshot struct {
	Revision    Revision
	Source      Source
	Look        Look
	Nodes       []Node
	Pods        []Pod
	Budgets     []Budget
	Persistent  []PersistentVolume
	Attachments []Attachment
	Storages    []Storage
	Gaps        []Gap
	// Retired are machines that are known to be gone, from whoever ended them;
	// no observation tells it. Empty where nobody keeps a record.
	Retired []Retired
	// Missing are directories that a look found missing, by replica, likewise.
	Missing map[UID]Missing
}

// Retired is one incarnation of a node, and when it was seen to be gone.
type Retired struct {
	Node NodeRef
	At   time.Time
}

// Gap is something that could not be read. Every Gap becomes a finding.
type Gap struct {
	// Kind is the plural resource with its group, such as
	// "persistentvolumes", as RBAC and kubectl spell it.
	Kind   string
	Reason GapReason
	// Detail is one sentence for people: the server's words where there are any.
	Detail string
	// Needed is true where no verdict is possible without the kind; a gap in
	// a helpful kind only lowers the evidence.
	Needed bool
	// OfStorage is true for a storage's own kind: without it nothing can be
	// said of any volume.
	OfStorage bool
	// ForDrain is true where only questions about draining need the kind.
	ForDrain bool
}

// GapReason says why something could not be read.
type GapReason uint8

// The reasons of a Gap.
const (
	GapUnknown   GapReason = iota
	GapForbidden           // the server refused the read
	GapMissing             // the server does not know the kind
	GapNotGiven            // the files hold no list of it
	GapTruncated           // a list was cut off
	GapFailed              // the read failed
	GapMalformed           // an object could not be decoded
	GapMixed               // an object is there more than once, and differently
)

// Answer is a yes or no that may be unknown; unknown is never yes.
type Answer uint8

// The three answers.
const (
	Unknown Answer = iota
	Yes
	No
)

// AnswerOf turns a boolean that was read into an Answer.
func AnswerOf(b bool) Answer {
	if b {
		return Yes
	}
	return No
}

// Fact is one piece of evidence: a field as it was read.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Node returns the node of that name, or nil.
func (s *Snapshot) Node(name string) *Node {
	for i := range s.Nodes {
		if s.Nodes[i].Ref.Name == name {
			return &s.Nodes[i]
		}
	}
	return nil
}

// NodeByUID returns the node with that identity, or nil: the machine is gone.
func (s *Snapshot) NodeByUID(uid UID) *Node {
	for i := range s.Nodes {
		if s.Nodes[i].Ref.UID == uid {
			return &s.Nodes[i]
		}
	}
	return nil
}

// Storage returns the storage of that driver, or nil.
func (s *Snapshot) Storage(driver string) *Storage {
	for i := range s.Storages {
		if s.Storages[i].Driver == driver {
			return &s.Storages[i]
		}
	}
	return nil
}
