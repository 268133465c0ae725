// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Of a replica at rest the objects say the same whether its directory is there
// or not. Where a look into the directories was asked for, what it found
// replaces the guess, both ways: data on the right disk of the right machine
// are proof, also on a node that is younger than the replica; a directory that
// is missing there is a loss. Whoever asked and got no answer knows less than
// somebody who did not ask and believed the objects: no answer is Unknown, or
// hiding one would make a loss look well.
//
// The look tells that data are there, not that they are the newest: bytes that
// missed writes are seen by no rule.

// Of looks into directories.
const (
	ReplicaDataMissing = "replica/data-missing"
	ProbeNoAnswer      = "probe/no-answer"
	ProbeBlank         = "probe/blank-directory"
	ProbeBroken        = "probe/broken-directory"
	ProbeOtherDisk     = "probe/other-disk"
	InputNoProbe       = "input/no-probe"
)

// kindExec is the Gap of looks that were not possible.
const kindExec = "pods/exec"

// probed judges a replica into whose directory a look was asked for, now or before,
// once its node, storage node and disk are known to be there.
func (w *world) probed(st *storageWorld, v *cluster.Volume, r *cluster.Replica, p *cluster.Probe) reason {
	n := w.nodes[r.Node]
	age, serves := w.incarnation(r), w.served(st, v, r)
	facts := probeFacts(p)
	switch {
	case p.Node != n.facts.Ref || !p.At.After(n.facts.Created):
		facts = append(facts, fact("probe.node.uid", string(p.Node.UID)), fact("node.uid", string(n.facts.Ref.UID)),
			timeFact("node.created", n.facts.Created))
		return age.worse(serves).worse(unknown(ProbeNoAnswer, facts...))
	case p.Seen == cluster.SeenData:
		return w.vouched(st, r, age).worse(proven(serves, facts))
	case p.Seen == cluster.SeenNothing && r.Claim == cluster.Idle:
		return reason{standing: cluster.StandingAbsent, code: ReplicaDataMissing, facts: facts}
	case (p.Seen == cluster.SeenBlank || p.Seen == cluster.SeenRemade) && v.Used == 0 && !v.Mounted:
		// Nothing was written that could be missing, and nothing proves it. What is used
		// is told by the engine: of a volume that came up blank it is nothing, too.
		return age.worse(serves)
	}
	return age.worse(serves).worse(unknown(probeCode(p.Seen), facts...))
}

// probeCode is why a directory that was seen is not counted.
func probeCode(s cluster.Seen) string {
	switch s {
	case cluster.SeenBlank, cluster.SeenRemade:
		return ProbeBlank
	case cluster.SeenBroken:
		return ProbeBroken
	case cluster.SeenOtherDisk, cluster.SeenReplaced:
		return ProbeOtherDisk
	case cluster.SeenNothing: // and yet an engine serves it
		return ReplicaDataMissing
	default:
		return ProbeNoAnswer
	}
}

// vouched lifts what only the node's age says against a replica whose data were
// seen on it. The storage, too, must have looked at the node since it exists:
// before that the disk it tells of may be the former machine's.
func (w *world) vouched(st *storageWorld, r *cluster.Replica, age reason) reason {
	younger := age.code == ReplicaNodeYounger || age.code == ReplicaNodeAsOld || age.code == ReplicaNodeRetired
	sn := st.nodes[r.Node]
	if !younger || sn.Reported.Before(w.nodes[r.Node].facts.Created) {
		return age
	}
	return good(cluster.ProofNone)
}

// proven makes what is plausible at rest proven, by what was seen.
func proven(serves reason, facts []cluster.Fact) reason {
	if serves.standing == cluster.StandingGood {
		return reason{standing: cluster.StandingGood, proof: cluster.Proven, facts: facts}
	}
	return serves
}

// ProvenSince reports whether the replica is proven by an engine that serves it
// now, or by a look into its directory that is no older than that.
func (rj *ReplicaJudgement) ProvenSince(at time.Time) bool {
	r := rj.Replica
	return rj.Proof == cluster.Proven && (r.Claim == cluster.Serving || r.Probe != nil && !r.Probe.At.Before(at))
}

// probeFacts is what a look found.
func probeFacts(p *cluster.Probe) []cluster.Fact {
	out := []cluster.Fact{fact("probe", p.Seen.String())}
	for _, f := range p.Facts {
		out = append(out, fact("probe."+f.Name, f.Value))
	}
	return append(out, timeFact("probe.at", p.At))
}

// probeFinding says why looks were not possible, with the right that is missing.
// The replicas concerned speak for themselves.
func probeFinding(g cluster.Gap) Finding {
	if g.Detail == "" {
		g.Detail = "directories could not be looked into: " + gapWords(g.Reason)
	}
	return Finding{Code: InputNoProbe, Severity: Note, Subject: Subject{Kind: "Kind", Name: g.Kind},
		Message:  sentence(g.Detail) + ".",
		Evidence: []cluster.Fact{fact("gap", gapWords(g.Reason))}}
}

func probeCodes() []CodeDoc {
	return []CodeDoc{
		{ReplicaDataMissing, "The replica's directory is not on its disk, although disk and node are well: its data are gone, and no object says so.",
			"Do not attach the volume while the replica's object is there: the storage may start it blank and read from it. " +
				"Have the object removed while another replica is proven, then have the volume rebuilt. With no other copy see volume/data-lost."},
		{ProbeNoAnswer, "A look into the replica's directory was asked for, and nobody answered.",
			"The evidence says why. Wait if the node has just come; bring the storage's pods on it back, or grant the right that is missing; or ask without --probe, and trust the objects."},
		{ProbeBlank, "The replica's directory holds no data, although data were written to the volume: it was made anew.",
			"Do not count on it, and do not attach the volume while it is there: what is read may come from it. Keep the other replicas."},
		{ProbeBroken, "Something lies in the replica's directory that is no whole replica.",
			"Do not delete it: it may be needed to salvage from. Do not attach the volume before another replica is proven."},
		{ProbeOtherDisk, "Where the replica's disk should be is another one, or none: the disk may be lost, or only not mounted.",
			"Look at the machine: mount the disk if it is still there. Do not attach its volumes, and delete nothing, before that is known."},
		{InputNoProbe, "The directories of some replicas could not be looked into, as --probe asks for.",
			"Grant the right that the message names, to whoever runs this; or leave --probe out. The replicas that were not seen are not counted."},
	}
}

func probeClauses() map[string]string {
	return map[string]string{
		ReplicaDataMissing: "its directory is not on its disk",
		ProbeNoAnswer:      "nobody answered what lies in its directory",
		ProbeBlank:         "its directory is blank",
		ProbeBroken:        "its directory holds no whole replica",
		ProbeOtherDisk:     "another disk lies where its own should be",
	}
}
