// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"slices"
	"strconv"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// A cluster that is not whole before a turn is mended first, where that can be
// done safely: what is proven gone is pruned, what sleeps is woken so that the
// storage rebuilds it, and sleeps again. What cannot be mended refuses.

// outlook says what can become of a volume before a turn.
type outlook uint8

// The outlooks.
const (
	// unsure: what it is cannot be told now.
	unsure outlook = iota
	// sound: it needs nothing.
	sound
	// mendable: healing, or the storage by itself, makes it whole.
	mendable
	// hopeless: neither can.
	hopeless
)

// heal mends every volume that can be mended, and halts for what cannot.
func (t *tick) heal() Decision {
	ailing := false
	var fs []assess.Finding
	for i := range t.j.Volumes {
		v := &t.j.Volumes[i]
		switch is, why := prospect(t.j, v); is {
		case sound:
		case hopeless:
			fs = append(fs, worst(v.Findings)...)
			fs = append(fs, why...)
		default:
			ailing = true
		}
	}
	if len(fs) > 0 {
		return t.refuse(fs, "kubectl safe-roll verify shows every reason; repair these volumes, then run the same command again")
	}
	if !ailing {
		return t.nobodyAwake()
	}
	return t.rebuild()
}

// Incurable returns the findings that healing cannot mend: with any of them a
// roll must not begin. It takes the judgement of fresh facts.
func Incurable(j *assess.Judgement) []assess.Finding {
	var fs []assess.Finding
	for i := range j.Volumes {
		_, why := prospect(j, &j.Volumes[i])
		fs = append(fs, why...)
	}
	return append(fs, besides(worst(j.Findings), Mendable(j))...)
}

// Mendable names the volumes that a roll mends before its first turn.
func Mendable(j *assess.Judgement) map[string]bool {
	out := map[string]bool{}
	for i := range j.Volumes {
		if is, _ := prospect(j, &j.Volumes[i]); is == mendable {
			out[j.Volumes[i].Volume.Name] = true
		}
	}
	return out
}

// besides drops the findings about these volumes.
func besides(fs []assess.Finding, volumes map[string]bool) []assess.Finding {
	return slices.DeleteFunc(fs, func(f assess.Finding) bool { return f.Subject.Kind == "Volume" && volumes[f.Subject.Name] })
}

// prospect says what can become of the volume, and of a hopeless one why, where
// its own findings do not say it.
func prospect(j *assess.Judgement, v *assess.VolumeJudgement) (outlook, []assess.Finding) {
	if v.Waived {
		return sound, nil // there is nothing to mend, and that was accepted
	}
	switch v.Condition {
	case assess.Whole, assess.Degraded, assess.ConditionUnknown:
		// Told by its replicas, below.
	case assess.Going, assess.Unused:
		return sound, nil
	case assess.Lost:
		if mayComeBack(v) {
			return unsure, nil
		}
		return hopeless, nil
	case assess.Busy:
		return mendable, nil
	}
	if v.Condition == assess.Whole && !haunted(j, v) {
		return sound, nil
	}
	if v.Volume.Class != cluster.ClassOrdinary || v.Volume.Engine.Present != cluster.Yes {
		return unsure, nil
	}
	settling := 0
	for i := range v.Replicas {
		r := &v.Replicas[i]
		switch {
		case inTransit(v, r):
			settling++
		case phantom(r) && untold(v, r):
			// Its storage will say that it failed, or that it is at rest.
		case phantom(r) && !provenGone(j, r):
			return hopeless, []assess.Finding{needsProbe(v, r)}
		case r.Standing == cluster.StandingUnproven, r.Standing == cluster.StandingUnknown && r.Replica.Claim != cluster.Untouched:
			return unsure, nil
		}
	}
	if f, ok := together(v); ok && !haunted(j, v) {
		return hopeless, []assess.Finding{f}
	}
	switch {
	case v.Good+settling < v.Volume.Need:
		return unsure, nil
	case v.Good < v.Volume.Want && places(j, v) < v.Volume.Want:
		return hopeless, []assess.Finding{noPlace(j, v)}
	}
	return mendable, nil
}

// inTransit reports whether nothing can be told of the replica only because the
// storage is attaching or detaching its volume, or has yet to notice that the
// machine that served it is gone: that settles by itself.
func inTransit(v *assess.VolumeJudgement, r *assess.ReplicaJudgement) bool {
	moves := v.Volume.State == cluster.Attaching || v.Volume.State == cluster.Detaching
	return r.Standing == cluster.StandingUnknown && (untold(v, r) || moves && r.Replica.Claim == cluster.ClaimUnknown)
}

// untold reports whether the storage says nothing of the replica because it does
// not know what became of the engine that served it. That of a machine that went
// without being drained is let go of after minutes.
func untold(v *assess.VolumeJudgement, r *assess.ReplicaJudgement) bool {
	return v.Volume.Engine.Running == cluster.Unknown && r.Replica.Claim == cluster.ClaimUnknown
}

// haunted reports whether the storage counts a replica that is gone, or keeps
// its place for it.
func haunted(j *assess.Judgement, v *assess.VolumeJudgement) bool {
	for i := range v.Replicas {
		if r := &v.Replicas[i]; phantom(r) || squatter(j, r) {
			return true
		}
	}
	return false
}

// places counts the nodes on which the volume has a good replica or the storage
// might place one. Whether one fits is the storage's to say.
func places(j *assess.Judgement, v *assess.VolumeJudgement) int {
	at := map[string]bool{}
	for i := range v.Replicas {
		if v.Replicas[i].Standing == cluster.StandingGood {
			at[v.Replicas[i].Replica.Node] = true
		}
	}
	if v.Volume.SharesNode == cluster.Yes {
		return max(v.Volume.Want, len(at))
	}
	st := j.Snapshot.Storage(v.Driver)
	if st == nil {
		return len(at)
	}
	for i := range st.Nodes {
		sn := &st.Nodes[i]
		n := j.Node(sn.Name)
		if n != nil && n.Live == cluster.Yes && !n.Node.Cordoned && sn.Ready == cluster.Yes && sn.Placement.Accept {
			at[sn.Name] = true
		}
	}
	return len(at)
}

func needsProbe(v *assess.VolumeJudgement, r *assess.ReplicaJudgement) assess.Finding {
	return assess.Finding{
		Code: CodeNeedsProbe, Severity: assess.Danger,
		Subject: assess.Subject{Kind: "Replica", Name: r.Replica.Name},
		Message: sentence("replica %s of volume %s was on an earlier disk of node %s, which is there again: "+
			"its object stands in the way of healing, and only a probe can show that nothing is left of it", r.Replica.Name, v.Volume.Name, r.Replica.Node),
		Evidence: r.Evidence,
	}
}

func noPlace(j *assess.Judgement, v *assess.VolumeJudgement) assess.Finding {
	return assess.Finding{
		Code: CodeNoPlace, Severity: assess.Danger,
		Subject: assess.Subject{Kind: "Volume", Name: v.Volume.Name},
		Message: sentence("volume %s wants %s on nodes of their own, and only %s can take one",
			v.Volume.Name, Many(v.Volume.Want, "replica"), Many(places(j, v), "node")),
		Evidence: []cluster.Fact{
			{Name: "volume.want", Value: strconv.Itoa(v.Volume.Want)}, {Name: "nodes.fit", Value: strconv.Itoa(places(j, v))},
		},
	}
}
