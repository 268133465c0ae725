// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"fmt"
	"strconv"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// MayDrain answers whether the node may be drained: every volume keeps its
// Floor of good replicas without it. Which of its pods can go is another
// question, see Drain.
func (j *Judgement) MayDrain(ref cluster.NodeRef) Permit {
	fs := sameNode(j.Snapshot.Node(ref.Name), ref)
	fs = append(fs, j.wideFindings()...)
	if blind(j.Snapshot) {
		return permit(fs)
	}
	zones, m := zonesOf(j.Snapshot), j.Machine(ref.Name)
	for i := range j.Volumes {
		vj := &j.Volumes[i]
		fs = append(fs, j.keepsFloor(vj, m)...)
		say := volumeVoice{vj: vj, namespace: j.namespaceOf(vj.Driver)}
		if f := say.zoneNote(zones, ref.Name); f != nil && m.Holds(vj.Volume) && vj.Condition != Going {
			fs = append(fs, *f)
		}
	}
	return permit(fs)
}

func permit(fs []Finding) Permit {
	sortFindings(fs)
	return Permit{Verdict: verdictOf(fs), Findings: fs}
}

// sameNode refuses a node that is not the one that was asked about.
func sameNode(n *cluster.Node, ref cluster.NodeRef) []Finding {
	subject := Subject{Kind: "Node", Name: ref.Name}
	switch {
	case n == nil:
		return []Finding{{Code: NodeNotFound, Severity: Unclear, Subject: subject,
			Message: fmt.Sprintf("Node %s is not in the cluster.", ref.Name)}}
	case n.Ref.UID != ref.UID || ref.UID == "":
		return []Finding{{Code: NodeOtherIncarnation, Severity: Danger, Subject: subject,
			Message:  fmt.Sprintf("Node %s is not the one that was asked about: its UID is another.", ref.Name),
			Evidence: []cluster.Fact{fact("node.uid", string(n.Ref.UID)), fact("asked.uid", string(ref.UID))}}}
	}
	return nil
}

// wideFindings are those about the input that speak against every question,
// and the gaps that matter only here.
func (j *Judgement) wideFindings() []Finding {
	out := j.sifted()
	for i := range j.Findings {
		if f := &j.Findings[i]; f.Severity != Note && wide(f) {
			out = append(out, *f)
		}
	}
	for _, g := range j.Snapshot.Gaps {
		if g.ForDrain && !g.Needed {
			out = append(out, gapFinding(g, InputGapDrain, Unclear, "whether a node may be drained or deleted cannot be told"))
		}
	}
	return out
}

func held(v *cluster.Volume, node string) bool {
	for i := range v.Holds {
		if v.Holds[i].Node == node {
			return true
		}
	}
	return false
}

// floorOf is the Floor of the volume, with the risk of one copy where it was
// accepted by name. A volume that needs more than one of its replicas has no
// one copy to go down to.
func (j *Judgement) floorOf(v *cluster.Volume) int {
	if v.Need == 1 && j.Policy.Accepts(VolumeOneCopy, v.Name) {
		return 1
	}
	return j.Policy.Floor(v.Want, v.Need)
}

// keepsFloor says whether the volume keeps its Floor without the node.
func (j *Judgement) keepsFloor(vj *VolumeJudgement, m Machine) []Finding {
	v, node := vj.Volume, m.node
	if vj.Condition == Going || vj.Condition == Unused {
		return nil
	}
	say := volumeVoice{vj: vj, namespace: j.namespaceOf(vj.Driver)}
	if vj.Waived {
		if f := j.keepsRuins(say, m); f != nil {
			return []Finding{*f}
		}
		return nil
	}
	if !countable(v) {
		return []Finding{say.finding(VolumeNotJudged, Unclear, "%s is of a kind whose replicas cannot be counted: what it keeps without node "+node+" cannot be told.")}
	}
	if vj.Condition != Lost && blank(v) {
		return []Finding{say.finding(VolumeNoData, Unclear, "%s has no replica that ever held data, and whether it was used cannot be told.")}
	}
	var out []Finding
	if f := j.belowFloor(say, m); f != nil {
		out = append(out, *f)
	}
	switch {
	case !m.carries(v):
	case len(v.Busy) > 0:
		out = append(out, say.finding(VolumeBusy, Unclear,
			"%s has something on node "+node+" while it is "+listed(v.Busy)+".", fact("volume.busy", listed(v.Busy))))
	case v.Engine.Present != cluster.Yes || v.State == cluster.StateUnknown || v.State == cluster.Creating:
		out = append(out, say.finding(VolumeNotJudged, Unclear,
			"%s has something on node "+node+", and what it is doing is not known.", answerFact("engine.present", v.Engine.Present)))
	}
	return out
}

// belowFloor says what is wrong with the count of good replicas without the
// node, or that going down to one copy was accepted; nil for nothing.
func (j *Judgement) belowFloor(say volumeVoice, m Machine) *Finding {
	vj := say.vj
	v, node := vj.Volume, m.node
	t := count(v, vj.Replicas, node)
	floor := j.floorOf(v)
	if t.good >= floor && (t.good > 1 || v.Want == 1) {
		return nil // as nearly every volume of a large cluster, so nothing is written down for it
	}
	facts := []cluster.Fact{
		fact("node", node), fact("replicas.goodElsewhere", strconv.Itoa(t.good)),
		fact("replicas.doubtfulElsewhere", strconv.Itoa(t.maybe-t.good)),
		fact("volume.floor", strconv.Itoa(floor)), fact("volume.want", strconv.Itoa(v.Want)),
	}
	f := func(code string, s Severity, format string) *Finding {
		out := say.finding(code, s, format, facts...)
		return &out
	}
	replicas := "replicas"
	if t.good == 1 {
		replicas = "replica"
	}
	keeps := fmt.Sprintf("%s keeps %d good %s without node %s", "%s", t.good, replicas, node)
	switch {
	case t.good >= floor && t.good == 1:
		return f(VolumeOneCopy, Note, "%s keeps one copy without node "+node+", which was accepted.")
	case t.good >= floor:
		return nil
	case t.maybe >= floor:
		return f(VolumeUnproven, Unclear, keeps+"; whether it keeps the "+strconv.Itoa(floor)+" that it must cannot be told ("+say.tell(byStaying)+").")
	case t.maybe < v.Need && vj.Good >= v.Need:
		return f(VolumeLastCopy, Danger, "%s has its last copy on node "+node+".")
	case t.held < v.Need:
		lost := f(VolumeDataLost, Danger, "%s has no copy that could be served on any other node.")
		if vj.Condition == Lost && j.keepsRuins(say, m) == nil {
			lost.Risk = lossOf(vj)
		}
		return lost
	case t.good == 1 && v.Need == 1:
		one := f(VolumeOneCopy, Danger, "%s keeps a single copy without node "+node+", and must keep "+strconv.Itoa(floor)+".")
		one.Risk = policy.Risk{Code: VolumeOneCopy, Name: v.Name}
		return one
	default:
		return f(VolumeBelowFloor, Danger, keeps+", and must keep "+strconv.Itoa(floor)+".")
	}
}

func (j *Judgement) namespaceOf(driver string) string {
	if st := j.Snapshot.Storage(driver); st != nil {
		return st.Namespace
	}
	return ""
}
