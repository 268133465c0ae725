// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"fmt"
	"strconv"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// MayDelete answers whether the node, and everything on it, may be deleted for
// good. Every volume (a) keeps its Floor without the node; (b) if it has a
// replica there, at least Need of the others are proven, since the drain ended
// where the asker is in a turn; (c) nothing of it is served or held from the
// node; (d) nothing of it is being rebuilt or otherwise changed; (e) no failed
// replica or orphan on the node may be the one that is still needed. And
// nothing else dies with the node. Files cannot answer: they know nothing of
// the present.
func (j *Judgement) MayDelete(ref cluster.NodeRef, t Turn) Permit {
	fs := sameNode(j.Snapshot.Node(ref.Name), ref)
	fs = append(fs, j.wideFindings()...)
	fs = append(fs, j.present()...)
	fs = append(fs, j.unseen()...)
	if blind(j.Snapshot) {
		return permit(fs)
	}
	for i := range j.Volumes {
		vj := &j.Volumes[i]
		fs = append(fs, j.keepsFloor(vj, ref.Name)...)
		if vj.Waived {
			continue
		}
		say := volumeVoice{vj: vj, namespace: j.namespaceOf(vj.Driver)}
		for _, f := range []*Finding{
			provenWithout(say, ref.Name, t),
			servedFrom(say, ref.Name),
			atRest(say),
			lastResort(say, ref.Name, t),
		} {
			if f != nil {
				fs = append(fs, *f)
			}
		}
	}
	fs = append(fs, j.stillHolding(ref)...)
	fs = append(fs, j.orphansOn(ref)...)
	fs = append(fs, j.diesWith(ref)...)
	fs = append(fs, j.onlyBases(ref)...)
	return permit(fs)
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
			out = append(out, gapFinding(g, InputGapDrain, Unclear, "whether a node may be deleted cannot be told"))
		}
	}
	return out
}

// provenWithout is (b): what merely looks good is not enough to give a copy up
// for; it must have been seen served without the node.
func provenWithout(say volumeVoice, node string, t Turn) *Finding {
	vj := say.vj
	v := vj.Volume
	if vj.Condition == Going || vj.Condition == Unused || !replicaOn(v, node) {
		return nil
	}
	places := map[string]bool{}
	for i := range vj.Replicas {
		if rj := &vj.Replicas[i]; rj.Replica.Node != node && rj.Standing == cluster.StandingGood && t.proven(rj) {
			places[placeName(v, rj.Replica)] = true
		}
	}
	if len(places) >= v.Need {
		return nil
	}
	f := say.finding(VolumeNotProven, Unclear,
		fmt.Sprintf("%s has a replica on node %s, and %d of the %d others that must be seen serving were: wake it without the node first.", "%s", node, len(places), v.Need),
		fact("replicas.provenElsewhere", strconv.Itoa(len(places))), timeFact("turn.drainedAt", t.DrainedAt))
	return &f
}

// proven reports whether the replica is proven now, or was since the drain
// ended. Outside a turn only now counts.
func (t Turn) proven(rj *ReplicaJudgement) bool {
	if rj.ProvenSince(t.DrainedAt) {
		return true
	}
	at := t.Proved[rj.Replica.UID] // never, where it is not there
	return !t.DrainedAt.IsZero() && !at.Before(t.DrainedAt)
}

// servedFrom is (c), as the storage sees it.
func servedFrom(say volumeVoice, node string) *Finding {
	v := say.vj.Volume
	if v.Engine.Node != node && !held(v, node) {
		return nil
	}
	f := say.finding(NodeStillServing, Danger, "%s is still served or held from node "+node+".",
		fact("engine.node", v.Engine.Node), fact("volume.holds", strconv.Itoa(len(v.Holds))))
	return &f
}

// atRest is (d).
func atRest(say volumeVoice) *Finding {
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

// lastResort is (e): a failed replica holds what was written until it failed,
// and is what people salvage from when the others turn out to be worse. One
// that failed after our cordon failed because we drained the node, while its
// siblings were good: the gate before the cordon saw to that, (a) and (b) hold
// it still, so nothing older is lost with it.
func lastResort(say volumeVoice, node string, t Turn) *Finding {
	vj := say.vj
	v := vj.Volume
	if vj.Condition == Going || count(v, vj.Replicas, node).good >= v.Want {
		return nil
	}
	for i := range vj.Replicas {
		rj := &vj.Replicas[i]
		r := rj.Replica
		if r.Node != node || rj.Standing != cluster.StandingFailed || t.failedByUs(r) {
			continue
		}
		f := say.finding(ReplicaLastResort, Danger,
			fmt.Sprintf("%s has failed replica %s on node %s, and fewer than %d good ones elsewhere: it may be needed to salvage from.", "%s", r.Name, node, v.Want),
			timeFact("replica.failedAt", r.FailedAt), timeFact("turn.cordonedAt", t.CordonedAt))
		return &f
	}
	return nil
}

// failedByUs reports whether the replica failed after the turn's cordon; one
// that does not say when did not. The storage writes whole seconds.
func (t Turn) failedByUs(r *cluster.Replica) bool {
	return !t.CordonedAt.IsZero() && !r.FailedAt.Before(t.CordonedAt.Truncate(time.Second))
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
