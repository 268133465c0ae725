// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// volumeVoice says things of one volume.
type volumeVoice struct {
	vj        *VolumeJudgement
	namespace string
}

// name is what people know the volume by.
func (say volumeVoice) name() string {
	vj := say.vj
	if vj.ClaimName == "" {
		return "volume " + vj.Volume.Name
	}
	return fmt.Sprintf("volume %s (claim %s/%s)", vj.Volume.Name, vj.ClaimNamespace, vj.ClaimName)
}

func (say volumeVoice) subject() Subject {
	return Subject{Kind: "Volume", Namespace: say.namespace, Name: say.vj.Volume.Name}
}

// finding makes a finding; %s at the start of the format is the volume's name.
func (say volumeVoice) finding(code string, s Severity, format string, facts ...cluster.Fact) Finding {
	return Finding{Code: code, Severity: s, Subject: say.subject(), Evidence: facts,
		Message: sentence(strings.Replace(format, "%s", say.name(), 1))}
}

// add appends a finding to the volume's.
func (say volumeVoice) add(code string, s Severity, format string, facts ...cluster.Fact) {
	say.vj.Findings = append(say.vj.Findings, say.finding(code, s, format, facts...))
}

// byHere and byStaying are the standings that the two questions count by.
func byHere(rj *ReplicaJudgement) cluster.Standing    { return rj.Here }
func byStaying(rj *ReplicaJudgement) cluster.Standing { return rj.Standing }

// tell lists the replicas that do not count by that standing, each with its
// reason.
func (say volumeVoice) tell(standing func(*ReplicaJudgement) cluster.Standing) string {
	var parts []string
	for i := range say.vj.Replicas {
		rj := &say.vj.Replicas[i]
		if standing(rj) == cluster.StandingGood || rj.Code == ReplicaPlaceholder {
			continue
		}
		parts = append(parts, fmt.Sprintf("%s on %s: %s", rj.Replica.Name, nodeName(rj.Replica), say.because(rj)))
	}
	if len(parts) == 0 {
		return "no other replica"
	}
	return joined(parts)
}

// because says in a clause why the replica does not count.
func (say volumeVoice) because(rj *ReplicaJudgement) string {
	if rj.Code == ReplicaOwnerElsewhere && rj.Replica.Owner == "" {
		return "nobody says that it reports it"
	}
	return because(rj.Code, rj.Replica.Doubts, say.vj.Volume.Doubts)
}

// counts is the evidence of a count.
func (say volumeVoice) counts(t tally) []cluster.Fact {
	v := say.vj.Volume
	return []cluster.Fact{
		fact("volume.want", strconv.Itoa(v.Want)), fact("volume.need", strconv.Itoa(v.Need)),
		fact("replicas.good", strconv.Itoa(say.vj.Good)), fact("replicas.doubtful", strconv.Itoa(t.maybe-t.good)),
		fact("replicas.leaving", strconv.Itoa(say.vj.Leaving)),
	}
}

func nodeName(r *cluster.Replica) string {
	if r.Node == "" {
		return "no known node"
	}
	return "node " + r.Node
}

// joined lists clauses in a sentence.
func joined(clauses []string) string { return strings.Join(clauses, "; ") }

// sentence begins with a capital.
func sentence(s string) string {
	return strings.ToUpper(s[:1]) + s[1:]
}

// sortFindings puts the worst first, what is lost before what may be lost, and
// keeps the order of equals.
func sortFindings(fs []Finding) {
	weight := func(f *Finding) int {
		if (f.Code == VolumeDataLost || f.Code == VolumeWouldBeFormatted) && f.Severity == Danger {
			return int(Danger) + 1
		}
		return int(f.Severity)
	}
	slices.SortStableFunc(fs, func(a, b Finding) int { return cmp.Compare(weight(&b), weight(&a)) })
}

// verdictOf is the worst of the findings.
func verdictOf(fs []Finding) cluster.Verdict {
	v := cluster.Safe
	for i := range fs {
		switch fs[i].Severity {
		case Note:
		case Unclear:
			v = v.Worse(cluster.VerdictUnknown)
		default:
			v = v.Worse(cluster.Unsafe)
		}
	}
	return v
}
