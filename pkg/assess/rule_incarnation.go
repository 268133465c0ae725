// SPDX-License-Identifier: Apache-2.0

package assess

import "github.com/safe-roll/kubectl-safe-roll/pkg/cluster"

// Clause 5: a node that is younger than the replica is another machine, or the
// same one set up again, until its disk proves itself. The replica's HealthyAt
// is the time: the storage's clock writes it, the API server's the node's age,
// so within the margin of their clocks nothing can be said. A replica whose
// object was created after the node's needs no such order: both ages are the
// API server's, and no earlier machine can have held it. An object that claims
// to have been healthy before it existed was restored from somewhere, and its
// age says nothing.

// incarnation judges the node's age against the replica's.
func (w *world) incarnation(r *cluster.Replica) reason {
	n := w.nodes[r.Node]
	if n == nil {
		return good(cluster.ProofNone) // said by placeOf
	}
	facts := []cluster.Fact{timeFact("node.created", n.facts.Created), timeFact("replica.healthyAt", r.HealthyAt)}
	switch {
	case r.HealthyAt.IsZero():
		return unknown(ReplicaNeverHealthy, facts...)
	case n.facts.Created.IsZero():
		return unknown(NodeAgeUnknown, facts...)
	case r.Created.After(n.facts.Created) && w.later(r.Created, r.HealthyAt) != cluster.Yes:
		return good(cluster.ProofNone)
	}
	switch w.later(n.facts.Created, r.HealthyAt) {
	case cluster.Yes:
		return reason{standing: cluster.StandingUnproven, code: ReplicaNodeYounger, facts: facts}
	case cluster.No:
		return good(cluster.ProofNone)
	default:
		return unknown(ReplicaNodeAsOld, facts...)
	}
}
