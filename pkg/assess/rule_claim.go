// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Clause 1: the storage itself counts the replica. Its plugin has translated
// the objects into a claim; bad news is believed as it is, good news only with
// the other clauses.

// claimed judges what the storage says. Good means that it says nothing bad.
func claimed(r *cluster.Replica) reason {
	facts := func() []cluster.Fact { return []cluster.Fact{fact("replica.node", r.Node)} }
	switch r.Claim {
	case cluster.Failed:
		return reason{standing: cluster.StandingFailed, code: ReplicaFailed,
			facts: append(facts(), timeFact("replica.failedAt", r.FailedAt))}
	case cluster.Rebuilding:
		return reason{standing: cluster.StandingRebuilding, code: ReplicaRebuilding, facts: facts()}
	}
	if r.Deleting {
		return reason{standing: cluster.StandingLeaving, code: ReplicaDeleting, facts: facts()}
	}
	switch r.Claim {
	case cluster.Serving, cluster.Idle:
		return good(cluster.ProofNone)
	case cluster.Untouched: // judged among its siblings
		return unknown(ReplicaNeverHealthy, facts()...)
	default:
		return unknown(ReplicaClaimUnknown, facts()...)
	}
}

// leaves takes down a replica that the storage was asked to move away: it is
// still there, which Here remembers, and will not be. What is worse already
// keeps its reason, and what stands for no data has nothing to move.
func (rj *ReplicaJudgement) leaves() {
	r := rj.Replica
	if !r.Leaving || r.Claim == cluster.Placeholder || rj.Code == ReplicaUnused || rank(rj.Standing) <= rank(cluster.StandingLeaving) {
		return
	}
	rj.Standing, rj.Proof, rj.Code = cluster.StandingLeaving, cluster.ProofNone, ReplicaLeaving
	rj.Evidence = append([]cluster.Fact{fact("replica.node", r.Node)}, rj.Evidence...)
}

// moving reports whether the storage has yet to move a replica of the volume:
// one that is lost, or stands for no data, is not on its way anywhere.
func moving(all []ReplicaJudgement) bool {
	return slices.ContainsFunc(all, func(rj ReplicaJudgement) bool {
		return rj.Replica.Leaving && rj.Replica.Claim != cluster.Placeholder &&
			rj.Standing != cluster.StandingAbsent && rj.Standing != cluster.StandingFailed
	})
}
