// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"fmt"
	"strconv"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// What goes down is out of reach, for a while or for good. Both questions begin
// the same way, and each asks of every volume what else it must know.

// question asks one thing of a volume that has to do without the node; nil is
// no objection.
type question func(say volumeVoice, m Machine, t Turn) *Finding

// goesDown lists what stands against the node's going down: the volumes that
// would not keep their Floor, then what each of the questions objects to. It
// reports whether the volumes could be asked at all.
func (j *Judgement) goesDown(ref cluster.NodeRef, t Turn, questions ...question) (out []Finding, judged bool) {
	out = sameNode(j.Snapshot.Node(ref.Name), ref)
	out = append(out, j.wideFindings()...)
	out = append(out, j.present()...)
	out = append(out, j.unseen()...)
	if blind(j.Snapshot) {
		return out, false
	}
	m := j.Machine(ref.Name)
	for i := range j.Volumes {
		vj := &j.Volumes[i]
		out = append(out, j.keepsFloor(vj, m)...)
		if vj.Waived {
			continue
		}
		say := volumeVoice{vj: vj, namespace: j.namespaceOf(vj.Driver)}
		for _, objection := range questions {
			if f := objection(say, m, t); f != nil {
				out = append(out, *f)
			}
		}
	}
	return append(out, j.stillHolding(ref)...), true
}

// present refuses what is not a look at a living cluster.
func (j *Judgement) present() []Finding {
	if j.Snapshot.Source == cluster.SourceLive {
		return nil
	}
	return []Finding{{Code: InputNotLive, Severity: Unclear, Subject: Subject{Kind: "Kind", Name: kindNodes},
		Message:  "The facts were not read from a living cluster: whether a node may be deleted now cannot be told.",
		Evidence: []cluster.Fact{fact("source", "files")}}}
}

// unseen refuses where a kind of the storage exists and was not read. None of
// them is needed to judge a volume, but who is served from the node, and which
// image lies there alone, is told by such kinds only.
func (j *Judgement) unseen() []Finding {
	var out []Finding
	for _, g := range j.Snapshot.Gaps {
		if g.OfStorage && !g.Needed && g.Reason != cluster.GapMissing && g.Reason != cluster.GapNotGiven {
			out = append(out, gapFinding(g, InputGapDrain, Unclear, "whether a node may be rebooted or deleted cannot be told"))
		}
	}
	return out
}

// servedFrom is (c), as the storage sees it.
func servedFrom(say volumeVoice, m Machine, _ Turn) *Finding {
	v, node := say.vj.Volume, m.node
	if v.Engine.Node != node && !held(v, node) {
		return nil
	}
	f := say.finding(NodeStillServing, Danger, "%s is still served or held from node "+node+".",
		fact("engine.node", v.Engine.Node), fact("volume.holds", strconv.Itoa(len(v.Holds))))
	return &f
}

// atRest is (d).
func atRest(say volumeVoice, _ Machine, _ Turn) *Finding {
	vj := say.vj
	if vj.Condition == Going {
		return nil
	}
	if busy := vj.Volume.Busy; len(busy) > 0 {
		f := say.finding(VolumeBusy, Unclear, "%s is "+listed(busy)+": wait until that has ended.", fact("volume.busy", listed(busy)))
		return &f
	}
	for i := range vj.Replicas {
		if rj := &vj.Replicas[i]; rj.Standing == cluster.StandingRebuilding {
			f := say.finding(VolumeRebuilding, Unclear, "%s is being rebuilt on node "+rj.Replica.Node+": wait until that has ended.",
				fact("replica", rj.Replica.Name), fact("replica.progress", strconv.Itoa(rj.Replica.Progress)))
			return &f
		}
	}
	return nil
}

// stillHolding is (c), as Kubernetes and the storage's own node see it.
func (j *Judgement) stillHolding(ref cluster.NodeRef) []Finding {
	subject := Subject{Kind: "Node", Name: ref.Name}
	var out []Finding
	for i := range j.Snapshot.Storages {
		st := &j.Snapshot.Storages[i]
		for k := range st.Nodes {
			if n := &st.Nodes[k]; n.Name == ref.Name && n.Holds > 0 {
				out = append(out, Finding{Code: NodeStillServing, Severity: Danger, Subject: subject,
					Message:  fmt.Sprintf("Storage %s still has %d engines or shares on node %s.", st.Driver, n.Holds, ref.Name),
					Evidence: []cluster.Fact{fact("storageNode.holds", strconv.Itoa(n.Holds))}})
			}
		}
	}
	for i := range j.Snapshot.Attachments {
		a := &j.Snapshot.Attachments[i]
		if a.Node == ref.Name && ours(j.Snapshot, a.Driver) {
			out = append(out, Finding{Code: NodeStillServing, Severity: Danger, Subject: subject,
				Message:  fmt.Sprintf("PersistentVolume %s is still attached to node %s (VolumeAttachment %s).", a.PV, ref.Name, a.Name),
				Evidence: []cluster.Fact{fact("attachment", a.Name), fact("attachment.driver", a.Driver)}})
		}
	}
	return out
}
