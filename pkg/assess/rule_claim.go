// SPDX-License-Identifier: Apache-2.0

package assess

import "github.com/safe-roll/kubectl-safe-roll/pkg/cluster"

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

// leaving takes down a replica that the storage was asked to move away: it is
// still there, and will not be. What is worse already keeps its reason.
func leaving(r *cluster.Replica, why reason) reason {
	if !r.Leaving || rank(why.standing) <= rank(cluster.StandingLeaving) {
		return why
	}
	return reason{
		standing: cluster.StandingLeaving, still: why.standing == cluster.StandingGood, code: ReplicaLeaving,
		facts: append([]cluster.Fact{fact("replica.node", r.Node)}, why.facts...),
	}
}
