// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"path"
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Clause 4: the replica's disk is declared and reported by its node, Ready,
// with the recorded UUID and path, and that UUID is there exactly once among
// storage nodes that are neither gone nor going. A node's name proves nothing:
// the machine behind it may have been replaced.

// diskOf judges the replica's disk, once its node is known to exist.
func (w *world) diskOf(st *storageWorld, n *nodeWorld, r *cluster.Replica) reason {
	sn := st.nodes[r.Node]
	if sn == nil || st.twiceNodes[r.Node] {
		return good(cluster.ProofNone) // said by storageNodeOf
	}
	i := slices.IndexFunc(sn.Disks, func(d cluster.Disk) bool { return d.Reported && d.UUID == r.DiskUUID })
	if i < 0 {
		return w.diskMissing(st, n, r)
	}
	d := &sn.Disks[i]
	facts := []cluster.Fact{fact("replica.node", r.Node), fact("replica.disk", r.DiskUUID)}
	switch {
	case st.disks[r.DiskUUID] > 1:
		return unknown(DiskTwice, facts...)
	case !d.Declared:
		return unknown(DiskNotDeclared, append(facts, fact("disk", d.Name))...)
	case d.Ready != cluster.Yes:
		return unknown(DiskNotReady, append(facts, fact("disk", d.Name),
			answerFact("disk.ready", d.Ready), fact("disk.ready.reason", d.ReadyReason))...)
	case path.Clean(d.Path) != path.Clean(r.DiskPath):
		return unknown(DiskOtherPath, append(facts, fact("disk.path", d.Path), fact("replica.path", r.DiskPath))...)
	}
	return good(cluster.ProofNone)
}

// diskMissing judges a disk that its node does not report. It is certainly
// another one only if the node is live, has told of all its disks since it
// exists, and no other node has the missing one: everything that cleans up
// relies on Absent, so the seconds before a new node has looked at its disks,
// and a disk that was moved, are Unknown.
func (w *world) diskMissing(st *storageWorld, n *nodeWorld, r *cluster.Replica) reason {
	sn := st.nodes[r.Node]
	facts := []cluster.Fact{fact("replica.node", r.Node), fact("replica.disk", r.DiskUUID)}
	reported := 0
	for i := range sn.Disks {
		d := &sn.Disks[i]
		if d.Reported && d.UUID != "" {
			facts = append(facts, fact("disk", d.UUID))
			reported++
			continue
		}
		return unknown(DiskNotReported, append(facts, fact("disk.name", d.Name))...)
	}
	switch {
	case st.disks[r.DiskUUID] > 0:
		return unknown(DiskElsewhere, facts...)
	case n.live != cluster.Yes || sn.Deleting || sn.Ready != cluster.Yes || st.reported(r.Node).standing != cluster.StandingGood:
		return good(cluster.ProofNone) // said by nodeOf and storageNodeOf
	case reported == 0:
		return unknown(DiskNotReported, facts...)
	case !sn.Reported.IsZero() && sn.Reported.Before(n.facts.Created):
		return unknown(StorageNodeReportOld, append(facts,
			timeFact("storageNode.reported", sn.Reported), timeFact("node.created", n.facts.Created))...)
	}
	return reason{standing: cluster.StandingAbsent, code: DiskOtherUUID, facts: facts}
}
