// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Clause 5: a node that is younger than the replica is another machine, or the
// same one set up again, until its disk proves itself. The replica's HealthyAt
// is the time: the storage's clock writes it, the API server's the node's age,
// so within the margin of their clocks nothing can be said. A replica whose
// object was created after the node's needs no such order: both ages are the
// API server's, and no earlier machine can have held it. An object that claims
// to have been healthy before it existed was restored from somewhere, and its
// age says nothing; nor does a time that is yet to come, which was written by a
// clock that runs ahead (files have no present that could tell). Where there is a record of the machines that are gone,
// it is believed beside the clocks: what was last healthy while a machine of
// that name was still to be retired lay on that one.

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
	case w.snap.Source != cluster.SourceFiles && w.later(r.HealthyAt, w.now) == cluster.Yes:
		return unknown(ReplicaHealthyAhead, append(facts, timeFact("now", w.now))...)
	case n.facts.Created.IsZero():
		return unknown(NodeAgeUnknown, facts...)
	case r.Created.After(n.facts.Created) && w.later(r.Created, r.HealthyAt) != cluster.Yes:
		return good(cluster.ProofNone)
	}
	// Where no machine is known to be retired the time is zero, before any other.
	if at := w.retiredAt(n.facts.Ref); w.later(r.HealthyAt, at) != cluster.Yes {
		return reason{standing: cluster.StandingUnproven, code: ReplicaNodeRetired, facts: append(facts, timeFact("node.retired", at))}
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

// retiredAt is when another machine of the node's name was last seen to be
// gone; zero where none is known.
func (w *world) retiredAt(ref cluster.NodeRef) time.Time {
	var at time.Time
	for _, r := range w.snap.Retired {
		if r.Node.Name == ref.Name && r.Node.UID != ref.UID {
			at = later(at, r.At)
		}
	}
	return at
}
