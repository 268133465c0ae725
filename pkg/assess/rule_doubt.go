// SPDX-License-Identifier: Apache-2.0

package assess

import "github.com/safe-roll/kubectl-safe-roll/pkg/cluster"

// Doubts come from a storage's plugin. Each caps what a replica may still be;
// none can vouch for one.

// doubted takes the replica down to what the doubts leave of it. What stands
// for no data has nothing to lose.
func (rj *ReplicaJudgement) doubted(ds []cluster.Doubt) {
	if rj.Replica.Claim == cluster.Placeholder {
		return
	}
	for _, d := range ds {
		if rank(d.AtMost) < rank(rj.Here) {
			rj.Here = d.AtMost
		}
		// A claim that is not known comes with a doubt that says why.
		explains := rank(d.AtMost) == rank(rj.Standing) && rj.Code == ReplicaClaimUnknown
		if rank(d.AtMost) >= rank(rj.Standing) && !explains {
			continue
		}
		rj.Standing, rj.Proof = d.AtMost, cluster.ProofNone
		rj.Code, rj.Evidence = d.Code, d.Facts
	}
}

// doubtSeverity is what a doubt about a whole volume or storage does to the
// verdict.
func doubtSeverity(d cluster.Doubt) Severity {
	switch d.AtMost {
	case cluster.StandingGood:
		return Note
	case cluster.StandingAbsent, cluster.StandingFailed:
		return Danger
	default:
		return Unclear
	}
}

// doubtFindings says what was doubted of the subject.
func doubtFindings(ds []cluster.Doubt, subject Subject, name string) []Finding {
	var out []Finding
	for _, d := range ds {
		out = append(out, doubtFinding(d, subject, name))
	}
	return out
}

func doubtFinding(d cluster.Doubt, subject Subject, name string) Finding {
	what := name
	if d.AtMost != cluster.StandingGood {
		what += " is " + d.AtMost.String() + " at best"
	}
	return Finding{
		Code: d.Code, Severity: doubtSeverity(d), Subject: subject, Evidence: d.Facts,
		Message: sentence(what + ": " + because(d.Code, []cluster.Doubt{d}) + "."),
	}
}

// certain reports whether no doubt takes anything away.
func certain(ds []cluster.Doubt) bool {
	for _, d := range ds {
		if d.AtMost != cluster.StandingGood && d.AtMost != cluster.StandingUnused {
			return false
		}
	}
	return true
}
