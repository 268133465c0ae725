// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"fmt"
	"strconv"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// A volume is whole when Want replicas are Good in places of their own. The
// rules below go from what settles the matter to what merely lowers it: going,
// lost, unused, not countable, busy, and then the count.

// conclude says what the volume's replicas add up to.
func (w *world) conclude(st *storageWorld, vj *VolumeJudgement, t tally) {
	say := volumeVoice{vj: vj, namespace: st.facts.Namespace}
	v := vj.Volume
	if v.State == cluster.Deleting {
		vj.Condition = Going
		say.add(VolumeDeleting, Note, "%s is being deleted and is not counted.")
		return
	}
	vj.Findings = append(vj.Findings, doubtFindings(v.Doubts, say.subject(), say.name())...)
	if st.twiceVolumes[v.Name] {
		say.add(InputTwice, Unclear, "%s is in the input more than once: one of them is not the present.")
	}
	switch {
	case !say.kindRule():
		return // ConditionUnknown
	case w.lostRule(say, t):
		vj.Condition = Lost
	case neverUsed(v):
		vj.Condition = Unused
		return
	default:
		settled := say.engineRule()
		settled = say.stateRule() && settled
		settled = say.baseRule(st) && settled
		free := say.busyRule()
		vj.Condition = say.countRule(t)
		switch {
		case !settled:
			vj.Condition = ConditionUnknown
		case !free:
			vj.Condition = Busy
		}
	}
	say.togetherRule(t)
	if f := say.zoneNote(w.zones, ""); f != nil {
		vj.Findings = append(vj.Findings, *f)
	}
	say.movingRule()
	say.attachRule()
	say.replicaNotes()
}

// kindRule says whether the volume is of a kind that can be counted.
func (say volumeVoice) kindRule() bool {
	v := say.vj.Volume
	switch v.Class {
	case cluster.ClassOrdinary, cluster.ClassStandby:
	case cluster.ClassLinkedClone:
		say.add(VolumeLinkedClone, Unclear, "%s shares its data with the volume it was cloned from: its replicas cannot be judged by themselves.",
			fact("volume.class", "linked clone"))
		return false
	case cluster.ClassSharded:
		say.add(VolumeSharded, Unclear, "%s is cut into shards, which cannot be judged yet.", fact("volume.class", "sharded"))
		return false
	default:
		say.add(VolumeKindUnknown, Unclear, "%s is of a kind that is not known.", fact("volume.class", "not known"))
		return false
	}
	if v.Need < 1 || v.Need > v.Want {
		say.add(VolumeNumbersUnknown, Unclear, "%s does not say how many replicas it shall have.",
			fact("volume.want", strconv.Itoa(v.Want)), fact("volume.need", strconv.Itoa(v.Need)))
		return false
	}
	return true
}

// countable reports whether kindRule would pass.
func countable(v *cluster.Volume) bool {
	return volumeVoice{vj: &VolumeJudgement{Volume: v}}.kindRule()
}

// blank reports whether there is no sign that the volume ever held data: it
// has nothing to lose, though it is not as it was made either.
func blank(v *cluster.Volume) bool {
	for i := range v.Replicas {
		if c := v.Replicas[i].Claim; c != cluster.Placeholder && c != cluster.Untouched {
			return false
		}
	}
	return !used(v)
}

// engineRule says whether the storage knows who would serve the volume.
func (say volumeVoice) engineRule() bool {
	e := &say.vj.Volume.Engine
	if e.Present == cluster.Yes {
		return true
	}
	say.add(VolumeNoEngine, Unclear, "%s does not have exactly one current engine: which of its replicas belong to it cannot be told.",
		answerFact("engine.present", e.Present), fact("volume.engine", e.Name))
	return false
}

// stateRule says whether the volume is in a state that is known.
func (say volumeVoice) stateRule() bool {
	switch say.vj.Volume.State {
	case cluster.Attached, cluster.Detached:
		return true
	case cluster.Attaching, cluster.Detaching:
		say.add(VolumeInTransit, Note, "%s is being attached or detached; its replicas are judged as at rest.")
		return true
	case cluster.Creating:
		say.add(VolumeCreating, Unclear, "%s is still being created.", fact("volume.state", "being created"))
		return false
	default:
		say.add(VolumeStateUnknown, Unclear, "%s is in a state that is not known.", fact("volume.state", "not known"))
		return false
	}
}

// busyRule says whether nothing must end before the volume can be judged.
func (say volumeVoice) busyRule() bool {
	v := say.vj.Volume
	if len(v.Busy) == 0 {
		return true
	}
	say.add(VolumeBusy, Unclear, "%s is "+listed(v.Busy)+": it can be judged when that has ended.", fact("volume.busy", listed(v.Busy)))
	return false
}

// countRule compares what is good with what is wanted. Where even everything
// doubtful would not be enough the answer is no; where it would be, unknown.
func (say volumeVoice) countRule(t tally) Condition {
	v := say.vj.Volume
	if t.good >= v.Want {
		return Whole
	}
	if blank(v) {
		say.add(VolumeNoData, Unclear, "%s has no replica that ever held data, and whether it was used cannot be told.",
			answerFact("engine.ever", v.Engine.Ever))
		return ConditionUnknown
	}
	sum := fmt.Sprintf("it has %d of %d good replicas (%s)", t.good, v.Want, say.tell(byHere))
	if t.maybe >= v.Want {
		say.add(VolumeUnproven, Unclear, "%s cannot be judged: "+sum+".", say.counts(t)...)
		return ConditionUnknown
	}
	say.add(VolumeDegraded, Danger, "%s is not whole: "+sum+".", say.counts(t)...)
	if t.good < v.Need {
		return ConditionUnknown
	}
	return Degraded
}

// togetherRule says where replicas share a place and count once.
func (say volumeVoice) togetherRule(t tally) {
	if t.together == 0 {
		return
	}
	say.add(VolumeColocated, Note, "%s has replicas that lie together and would be lost together; they count once.",
		fact("replicas.together", strconv.Itoa(t.together)))
}

// movingRule says which replicas are counted only until they have gone.
func (say volumeVoice) movingRule() {
	if !say.vj.Moving {
		return
	}
	var names []string
	for i := range say.vj.Replicas {
		if rj := &say.vj.Replicas[i]; rj.Replica.Leaving {
			names = append(names, rj.Replica.Name+" on "+nodeName(rj.Replica))
		}
	}
	say.add(VolumeMoving, Note, "%s is being moved by its storage: "+listed(names)+" shall go, and counts only until then.",
		fact("replicas.leaving", strconv.Itoa(say.vj.Leaving)))
}

// replicaNotes says of every replica that does not count why, and what else was
// doubted of it.
func (say volumeVoice) replicaNotes() {
	for i := range say.vj.Replicas {
		rj := &say.vj.Replicas[i]
		r := rj.Replica
		// Of one that is good as long as it is here movingRule has said it.
		if rj.Here != cluster.StandingGood && rj.Code != ReplicaPlaceholder {
			say.vj.Findings = append(say.vj.Findings, Finding{
				Code: rj.Code, Severity: Note, Evidence: rj.Evidence,
				Subject: Subject{Kind: "Replica", Namespace: say.namespace, Name: r.Name},
				Message: fmt.Sprintf("Replica %s of %s on %s is not counted: %s.", r.Name, say.name(), nodeName(r), say.because(rj)),
			})
		}
		for _, d := range r.Doubts {
			if d.Code != rj.Code {
				f := doubtFinding(d, Subject{Kind: "Replica", Namespace: say.namespace, Name: r.Name}, "Replica "+r.Name)
				f.Severity = Note // the replica's standing has told what it does to the volume
				say.vj.Findings = append(say.vj.Findings, f)
			}
		}
	}
}
