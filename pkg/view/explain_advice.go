// SPDX-License-Identifier: Apache-2.0

package view

import (
	"slices"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// advice is what to do, what not to do, and what that rests on.
type advice struct{ do, not, see []string }

// add adds a code's, with the names that it is about.
func (a *advice) add(d Doc, names *strings.Replacer) {
	a.do = append(a.do, d.steps(names)...)
	a.warn(d, names)
}

// steps are what to do, with the names that it is about.
func (d Doc) steps(names *strings.Replacer) []string {
	var out []string
	if d.Remedy != "" {
		out = append(out, names.Replace(d.Code+": "+d.Remedy))
	}
	for _, s := range d.Do {
		out = append(out, names.Replace(s))
	}
	return out
}

// warn adds only what not to do.
func (a *advice) warn(d Doc, names *strings.Replacer) {
	for _, s := range d.Not {
		a.not = append(a.not, names.Replace(s))
	}
	a.see = append(a.see, d.See...)
}

// advice gathers the remedies of what was found, each sentence once, in the
// order in which they are to be done: first what must not be attached, then
// what is wrong with each replica, then what the volume needs. Of a volume that
// is lost, its replicas are to be kept as they are, whatever else would be done
// about each.
func (e Explained) advice() advice {
	var a advice
	vj := e.Volume
	lost := vj.Condition == assess.Lost
	of := func(code string) Doc { return e.Catalogue[code] }
	switch {
	case lost:
		if found(vj, assess.VolumeWouldBeFormatted) {
			a.add(of(assess.VolumeWouldBeFormatted), e.names(nil))
		}
		for _, f := range serious(vj.Findings) {
			a.add(of(f.Code), e.names(nil))
		}
	case found(vj, assess.VolumeUnsafeToAttach):
		a.add(of(assess.VolumeUnsafeToAttach), e.names(nil))
	}
	for i := range vj.Replicas {
		if rj := &vj.Replicas[i]; rj.Standing != cluster.StandingGood && !lost {
			a.do = append(a.do, of(rj.Code).steps(e.names(rj.Replica))...)
		}
	}
	for _, alike := range byReason(vj.Replicas) {
		a.warn(of(alike[0].Code), e.names(merged(alike)))
	}
	for _, f := range vj.Findings {
		switch f.Code {
		case assess.VolumeUnproven, assess.VolumeUnsafeToAttach: // the replicas said more
		default:
			if f.Subject.Kind == "Volume" && f.Advice == "" { // another's remedy has come first
				a.add(of(f.Code), e.names(nil))
			}
		}
	}
	if len(a.do) == 0 {
		a.do = []string{"Nothing must be done."}
	}
	return advice{once(a.do), once(a.not), once(a.see)}
}

// byReason gathers the replicas that do not count by why, so that one warning
// speaks of all of them.
func byReason(all []assess.ReplicaJudgement) [][]assess.ReplicaJudgement {
	var out [][]assess.ReplicaJudgement
	for _, rj := range all {
		i := slices.IndexFunc(out, func(same []assess.ReplicaJudgement) bool { return same[0].Code == rj.Code })
		switch {
		case rj.Standing == cluster.StandingGood:
		case i < 0:
			out = append(out, []assess.ReplicaJudgement{rj})
		default:
			out[i] = append(out[i], rj)
		}
	}
	return out
}

// merged is a replica that has the names and nodes of all of them.
func merged(alike []assess.ReplicaJudgement) *cluster.Replica {
	var names, nodes []string
	for _, rj := range alike {
		names, nodes = append(names, rj.Replica.Name), append(nodes, or(rj.Replica.Node, "no known node"))
	}
	return &cluster.Replica{Name: strings.Join(names, ", "), Node: strings.Join(once(nodes), ", ")}
}

// found reports whether a finding about the volume has that code.
func found(vj *assess.VolumeJudgement, code string) bool {
	return slices.ContainsFunc(vj.Findings, func(f assess.Finding) bool { return f.Code == code })
}

// names puts the names of what a remedy is about in the place of its words in
// capitals.
func (e Explained) names(r *cluster.Replica) *strings.Replacer {
	pairs := []string{"VOLUME", e.Volume.Volume.Name}
	if e.Volume.ClaimName != "" {
		pairs = append(pairs, "NAMESPACE", e.Volume.ClaimNamespace, "CLAIM", e.Volume.ClaimName)
	}
	if r != nil {
		pairs = append(pairs, "REPLICA", r.Name, "NODE", or(r.Node, "NODE"))
	}
	return strings.NewReplacer(pairs...)
}

// once keeps the first of equal sentences.
func once(in []string) []string {
	var out []string
	for _, s := range in {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
