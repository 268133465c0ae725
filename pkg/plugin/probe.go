// SPDX-License-Identifier: Apache-2.0

package plugin

import "github.com/safe-roll/kubectl-safe-roll/pkg/cluster"

// Probe is one read-only command that looks into the directories of several
// replicas on one machine.
type Probe struct {
	// Node is the incarnation that is meant to answer. Where the Node of that
	// name is another machine by then, the answer is none.
	Node cluster.NodeRef
	// Pod and Container are where the command runs; Pod.Name is empty where
	// nobody can be asked, and Lacks says why.
	Pod       cluster.PodRef
	Container string
	Lacks     string
	// Command is the program and its arguments. It must change nothing.
	Command []string
	// Targets are the replicas that it looks at.
	Targets []Target
}

// Target is one replica's directory.
type Target struct {
	Replica   cluster.UID
	DiskUUID  string
	Directory string
}

// Sight is what was seen of one target.
type Sight struct {
	Replica cluster.UID
	Seen    cluster.Seen
	Facts   []cluster.Fact
}

// Prober looks into the directories of replicas whose objects prove nothing.
// Both methods are pure.
type Prober interface {
	// Probes returns the probes for every replica of the storage whose directory
	// is all that can prove it, on the nodes of the snapshot that are there.
	Probes(s *cluster.Snapshot, st *cluster.Storage) []Probe
	// Read turns what a probe wrote on its standard output into one Sight for
	// each target of which it tells. It returns an error where the output is not
	// that of the probe, was cut off, or is of another machine than p.Node: then
	// nothing was answered. The snapshot is the one that p was made from.
	Read(s *cluster.Snapshot, p Probe, output []byte) ([]Sight, error)
}
