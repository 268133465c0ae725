// SPDX-License-Identifier: Apache-2.0

package assess

import "github.com/safe-roll/kubectl-safe-roll/pkg/cluster"

// reason is a standing with why. The zero value is Unknown without a reason.
type reason struct {
	standing cluster.Standing
	proof    cluster.Proof
	code     string
	facts    []cluster.Fact
}

// good is a clause that is true.
func good(p cluster.Proof) reason {
	return reason{standing: cluster.StandingGood, proof: p}
}

// unknown is a clause that cannot be told.
func unknown(code string, facts ...cluster.Fact) reason {
	return reason{standing: cluster.StandingUnknown, code: code, facts: facts}
}

// worse returns the reason that leaves less; of two equal ones the first, so
// that the clauses' order decides what people read. Of two good ones it keeps
// the proof that one of them has.
func (r reason) worse(o reason) reason {
	unproven := r.standing == cluster.StandingGood && r.proof == cluster.ProofNone
	if rank(o.standing) < rank(r.standing) || unproven { // and so the other is good as well
		return o
	}
	return r
}

func (r reason) judgement(of *cluster.Replica) ReplicaJudgement {
	out := ReplicaJudgement{Replica: of, Standing: r.standing, Here: r.standing, Code: r.code, Evidence: r.facts}
	if r.standing == cluster.StandingGood {
		out.Proof = r.proof
	}
	return out
}

// rank orders the standings by what is left of a replica. What may still be
// good comes before what certainly does not count: a doubt can take a replica
// down, and nothing lifts it up again.
func rank(s cluster.Standing) int {
	switch s {
	case cluster.StandingGood:
		return 7
	case cluster.StandingUnproven:
		return 6
	case cluster.StandingUnused:
		return 4
	case cluster.StandingLeaving:
		return 3
	case cluster.StandingRebuilding:
		return 2
	case cluster.StandingFailed:
		return 1
	case cluster.StandingAbsent:
		return 0
	default: // Unknown, and any word that is not in the list
		return 5
	}
}
