// SPDX-License-Identifier: Apache-2.0

package assess

import "github.com/safe-roll/kubectl-safe-roll/pkg/cluster"

// Clauses 2 and 3: the replica's node exists and is live, and so does the
// storage's own object for it, reported by that node itself.

// placeOf judges where the replica lies. Absent is said only where its data
// are certainly not there; whatever may come back is Unknown.
func (w *world) placeOf(st *storageWorld, r *cluster.Replica) reason {
	if r.Node == "" || r.DiskUUID == "" {
		return unknown(ReplicaNoPlace, fact("replica.node", r.Node), fact("replica.disk", r.DiskUUID))
	}
	n := w.nodes[r.Node]
	switch {
	case n == nil && !w.allNodes:
		return unknown(NodeNotRead, fact("replica.node", r.Node))
	case n == nil && st.disks[r.DiskUUID] > 0:
		// Moved to another machine with its data, before the object says so.
		return unknown(DiskElsewhere, fact("replica.node", r.Node), fact("replica.disk", r.DiskUUID))
	case n == nil:
		return reason{standing: cluster.StandingAbsent, code: ReplicaNodeGone, facts: []cluster.Fact{fact("replica.node", r.Node)}}
	}
	return w.nodeOf(n).worse(w.storageNodeOf(st, r)).worse(w.diskOf(st, n, r))
}

// nodeOf judges the Kubernetes node. One that is being deleted takes its
// replicas along; one that is silent may come back with them.
func (w *world) nodeOf(n *nodeWorld) reason {
	switch {
	case n.live == cluster.Yes:
		return good(cluster.ProofNone)
	case n.code == NodeDeleting:
		return reason{standing: cluster.StandingLeaving, code: n.code, facts: n.why}
	default:
		return unknown(n.code, n.why...)
	}
}

// storageNodeOf judges the storage's object for the replica's node, and who
// reports the replica.
func (w *world) storageNodeOf(st *storageWorld, r *cluster.Replica) reason {
	why := st.speaks(r.Node)
	if why.standing == cluster.StandingGood && r.Owner != r.Node {
		// Reported by another node: the replica's own manager is not there.
		return unknown(ReplicaOwnerElsewhere, fact("replica.node", r.Node), fact("replica.owner", r.Owner))
	}
	return why
}

// speaks judges whether the storage's manager on the node is at work: only then
// is what it reports of the present. A missing object proves nothing: on a machine
// that just joined it is not there yet.
func (st *storageWorld) speaks(node string) reason {
	sn := st.nodes[node]
	switch {
	case sn == nil:
		return unknown(StorageNodeMissing, fact("storageNode", node))
	case st.twiceNodes[node]:
		return unknown(InputTwice, fact("storageNode", sn.Name))
	case sn.Deleting:
		// A dying object still lists the disks that went with the machine.
		return unknown(StorageNodeDeleting, fact("storageNode", sn.Name))
	case sn.Ready != cluster.Yes:
		return unknown(StorageNodeNotReady, fact("storageNode", sn.Name),
			answerFact("storageNode.ready", sn.Ready), fact("storageNode.ready.reason", sn.ReadyReason))
	default:
		return st.reported(node)
	}
}
