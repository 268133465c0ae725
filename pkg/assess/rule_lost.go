// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// A volume that has certainly too few copies left is lost. Two things are said
// of it besides: whether it is about to be formatted, because the storage would
// take what is left for a new volume; and whether the operator accepted the
// loss, by the volume's name, for the nodes that hold nothing of it.

// lostRule says whether the volume has certainly too few copies left to serve
// its data.
func (w *world) lostRule(say volumeVoice, t tally) bool {
	v := say.vj.Volume
	switch {
	case len(v.Replicas) == 0 && (used(v) || say.vj.PV != ""):
		say.add(VolumeDataLost, Danger, "%s has no replica left although it was in use. Start nothing that uses it.",
			fact("replicas", "0"), fact("volume.pv", say.vj.PV))
	case blank(v) || t.held >= v.Need:
		return false
	default:
		what := "has no copy of its data left that could be served"
		if say.vj.Salvageable() {
			what = "has no replica that can be shown to be good, and its data may still be on the disks of failed ones, to be salvaged"
		}
		say.add(VolumeDataLost, Danger,
			"%s "+what+" ("+say.tell(byHere)+"). Start nothing that uses it, and delete neither its replicas nor their directories.",
			say.counts(t)...)
	}
	fs := say.vj.Findings
	fs[len(fs)-1].Risk = lossOf(say.vj)
	if formattable(say.vj) {
		say.add(VolumeWouldBeFormatted, Danger,
			"%s is about to be formatted: nothing is left that its storage would know as its data, so the next workload that mounts it gets an empty disk.",
			say.counts(t)...)
	}
	return true
}

// Salvageable reports whether the data of a volume without a good replica may
// still be there: a replica failed, and nothing says that its disk is another.
func (vj *VolumeJudgement) Salvageable() bool {
	return slices.ContainsFunc(vj.Replicas, func(r ReplicaJudgement) bool { return r.Here == cluster.StandingFailed })
}

// Word is the volume's condition as people and JSON read it: nobody may take
// for Lost what a salvage may bring back, so that is Failed.
func (vj *VolumeJudgement) Word() string {
	if vj.Condition == Lost && vj.Salvageable() {
		return "Failed"
	}
	return vj.Condition.String()
}

// formattable reports whether the storage would make the lost volume anew when
// it is next attached: it has no replica, or all that it has are blank, or
// would come up blank on a machine that took another one's place. A failed one
// keeps the storage from it; so does a node that is gone, for then the volume
// cannot be attached at all.
func formattable(vj *VolumeJudgement) bool {
	any := false
	for i := range vj.Replicas {
		rj := &vj.Replicas[i]
		switch {
		case rj.Replica.Claim == cluster.Placeholder:
		case rj.Replica.Claim == cluster.Failed:
			return false
		case rj.Code == ReplicaNodeGone:
		case rj.Here == cluster.StandingAbsent, rj.Here == cluster.StandingUnused:
			any = true
		default:
			return false
		}
	}
	return any || len(vj.Replicas) == 0
}

// lossOf is the risk that would set the lost volume aside: none for one that is
// about to be formatted. What is left of it elsewhere, in a backup or an orphan,
// is worth nothing once somebody writes to the new disk.
func lossOf(vj *VolumeJudgement) policy.Risk {
	if formattable(vj) {
		return policy.Risk{}
	}
	return policy.Risk{Code: VolumeAlreadyLost, Name: vj.Volume.Name}
}

// waive makes notes of what speaks against a volume whose loss was accepted. It
// must have been accepted by name: nobody means all that may yet be lost.
func (w *world) waive(say volumeVoice) {
	vj := say.vj
	risk := lossOf(vj)
	if vj.Condition != Lost || !w.pol.AcceptsByName(risk.Code, risk.Name) {
		return
	}
	vj.Waived = true
	for i := range vj.Findings {
		vj.Findings[i].Severity, vj.Findings[i].Risk = Note, policy.Risk{}
	}
	say.add(VolumeAlreadyLost, Note, "%s is lost, which was accepted for the nodes that hold nothing of it.")
}

// keepsRuins says whether the node holds nothing of a volume whose loss was
// accepted; nil for nothing.
func (j *Judgement) keepsRuins(say volumeVoice, m Machine) *Finding {
	v, node := say.vj.Volume, m.node
	if !m.carries(v) && !j.orphanOn(say.vj.Driver, v.Name, node) {
		return nil
	}
	f := say.finding(VolumeAlreadyLost, Danger,
		"%s is lost, and node "+node+" holds something of it, which may be needed to salvage from: its loss is accepted for other nodes only.")
	return &f
}
