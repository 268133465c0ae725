// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// worsen makes one thing worse and says which.
func (d dice) worsen(s *cluster.Snapshot) string {
	if len(s.Pods) > 0 && d.rarely(3) {
		return d.worsenReporter(s)
	}
	kind := rapid.IntRange(0, 4).Draw(d.t, "worsen")
	if kind == 0 && len(s.Nodes) > 0 && d.rarely(2) {
		return d.worsenNode(s)
	}
	if len(s.Storages) > 0 {
		st := &s.Storages[0]
		switch {
		case kind == 0 && len(st.Bases) > 0 && len(st.Bases[0].Copies) > 0:
			c := &st.Bases[0].Copies[0]
			c.ReadyAt, c.Ready = time.Time{}, pick(d, c.Ready, cluster.Unknown)
			return "an image's copy says less"
		case kind == 1 && len(st.Nodes) > 0:
			return d.worsenStorageNode(st)
		case kind >= 2 && len(st.Volumes) > 0:
			return d.worsenVolume(&st.Volumes[rapid.IntRange(0, len(st.Volumes)-1).Draw(d.t, "volume")])
		}
	}
	s.Gaps = append(s.Gaps, cluster.Gap{Kind: "nodes", Needed: true})
	return "a gap"
}

// worsenReporter makes a reporter worse, or hides it, the last one too.
func (d dice) worsenReporter(s *cluster.Snapshot) string {
	i := rapid.IntRange(0, len(s.Pods)-1).Draw(d.t, "pod")
	switch p := &s.Pods[i]; rapid.IntRange(0, 4).Draw(d.t, "how") {
	case 0:
		p.Ready = pick(d, cluster.No, cluster.Unknown)
	case 1:
		p.Deleting = true
	case 2:
		p.Finished = true
	case 3:
		s.Pods = nil
		s.Gaps = append(s.Gaps, cluster.Gap{Kind: "pods", Reason: pick(d, cluster.GapForbidden, cluster.GapFailed), ForDrain: d.rarely(2)})
	default:
		s.Pods = slices.Delete(s.Pods, i, i+1)
	}
	return "a reporter is worse"
}

func (d dice) worsenNode(s *cluster.Snapshot) string {
	i := rapid.IntRange(0, len(s.Nodes)-1).Draw(d.t, "node")
	n := &s.Nodes[i]
	switch rapid.IntRange(0, 6).Draw(d.t, "how") {
	case 0:
		if s.Source == cluster.SourceFiles && n.LeaseRenewed.After(now()) {
			return "nothing" // it may be the newest time
		}
		s.Nodes = slices.Delete(s.Nodes, i, i+1)
		return "a node is gone"
	case 1:
		n.Ready = cluster.No
		return "a node is not Ready"
	case 2:
		n.Ready = cluster.Unknown
		return "a node does not say"
	case 3:
		if s.Source != cluster.SourceFiles {
			n.LeaseRenewed = pick(d, time.Time{}, ago(time.Hour), ago(-time.Hour))
		}
		return "a lease is old"
	case 4:
		n.Created = pick(d, time.Time{}, now())
		return "a node is new"
	case 5:
		n.Deleting = true
		return "a node is going"
	default:
		n.Ref.UID = "another"
		n.Created = now()
		return "a node is another one"
	}
}

func (d dice) worsenStorageNode(st *cluster.Storage) string {
	i := rapid.IntRange(0, len(st.Nodes)-1).Draw(d.t, "storage node")
	sn := &st.Nodes[i]
	if len(sn.Disks) > 0 && rapid.Bool().Draw(d.t, "disk") {
		x := &sn.Disks[rapid.IntRange(0, len(sn.Disks)-1).Draw(d.t, "which")]
		switch rapid.IntRange(0, 5).Draw(d.t, "how") {
		case 0:
			x.Ready = pick(d, cluster.No, cluster.Unknown)
		case 1:
			x.Declared = false
		case 2:
			x.Reported = false
		case 3:
			x.Path = "/nowhere"
		case 4:
			x.UUID = pick(d, "", "never-seen")
		default:
			x.UUID = "clone"
			st.Nodes = append(st.Nodes, cluster.StorageNode{Name: "n9", Disks: []cluster.Disk{*x}})
		}
		return "a disk is worse"
	}
	switch rapid.IntRange(0, 3).Draw(d.t, "how") {
	case 0:
		sn.Ready = pick(d, cluster.No, cluster.Unknown)
	case 1:
		sn.Deleting = true
	case 2:
		sn.Reported = ago(5000 * time.Hour)
	default:
		if sn.Name == "n1" {
			return "nothing" // what it still runs is what keeps it
		}
		st.Nodes = slices.Delete(st.Nodes, i, i+1)
	}
	return "a storage node is worse"
}

func (d dice) worsenVolume(v *cluster.Volume) string {
	if len(v.Replicas) > 0 && rapid.IntRange(0, 2).Draw(d.t, "replica") > 0 {
		return d.worsenReplica(v, rapid.IntRange(0, len(v.Replicas)-1).Draw(d.t, "which"))
	}
	switch rapid.IntRange(0, 9).Draw(d.t, "how") {
	case 0:
		v.Engine.Present = pick(d, cluster.No, cluster.Unknown)
	case 1:
		v.Engine.Running = pick(d, cluster.No, cluster.Unknown)
	case 2:
		v.Engine.Owner = ""
	case 3:
		v.Engine.Ever = pick(d, cluster.Unknown, cluster.Yes)
	case 4:
		v.Busy = append(v.Busy, "more")
	case 5:
		v.Class = pick(d, cluster.ClassUnknown, cluster.ClassSharded, cluster.ClassLinkedClone)
	case 6:
		v.Doubts = append(v.Doubts, cluster.Doubt{Code: "odd/more", AtMost: pick(d, cluster.StandingUnknown, cluster.StandingFailed)})
	case 7:
		v.Touched = true
	case 8:
		v.State = pick(d, v.State, cluster.StateUnknown, cluster.Creating)
		if v.State == cluster.Deleting {
			return "nothing"
		}
	default:
		v.Base = "nowhere"
	}
	return "a volume is worse"
}

func (d dice) worsenReplica(v *cluster.Volume, i int) string {
	r := &v.Replicas[i]
	if r.Probe != nil && d.rarely(3) {
		d.worsenProbe(r)
		return "a look tells less"
	}
	switch rapid.IntRange(0, 8).Draw(d.t, "how") {
	case 0:
		r.Claim = pick(d, cluster.Failed, cluster.ClaimUnknown, cluster.Rebuilding)
	case 1:
		r.Deleting = true
	case 2:
		r.Leaving = true
	case 3:
		r.Owner = ""
	case 4:
		r.DiskUUID = pick(d, "", "never-seen")
	case 5:
		r.DiskPath = "/nowhere"
	case 6:
		if r.Claim == cluster.Untouched || r.Claim == cluster.Placeholder {
			return "nothing" // it may be the only trace of use
		}
		r.HealthyAt = time.Time{}
	case 7:
		r.Doubts = append(r.Doubts, cluster.Doubt{Code: "odd/more", AtMost: pick(d, cluster.StandingUnknown, cluster.StandingFailed, cluster.StandingAbsent)})
	default:
		if r.Node == "n1" || r.Claim != cluster.Untouched && len(v.Replicas) > v.Want {
			return "nothing" // it is what keeps the node, or the only trace of use
		}
		v.Replicas = slices.Delete(v.Replicas, i, i+1)
	}
	return "a replica is worse"
}

// worsenProbe makes what a look found worse: of data anything else, of anything
// no answer, or one from too early or of another machine. Nobody takes back
// that it was asked for.
func (d dice) worsenProbe(r *cluster.Replica) {
	p := *r.Probe
	if p.Seen == cluster.SeenData && d.rarely(2) {
		p.Seen = pick(d, cluster.SeenNothing, cluster.SeenBroken, cluster.SeenOtherDisk, cluster.SeenReplaced, cluster.SeenRemade)
		r.Probe = &p
		return
	}
	switch pick(d, "no answer", "too early", "another machine") {
	case "no answer":
		p.Seen = cluster.SeenNoAnswer
	case "too early":
		p.At = ago(5000 * time.Hour)
	default:
		p.Node.UID = "yet another"
	}
	r.Probe = &p
}
