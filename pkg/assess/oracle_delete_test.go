// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

func (o oracle) mayDelete(ref cluster.NodeRef, t Turn) cluster.Verdict {
	verdict := o.mayReboot(ref)
	if o.nothingRead() {
		return verdict
	}
	verdict = verdict.Worse(o.leftovers(ref.Name))
	for _, st := range o.s.Storages {
		for _, v := range st.Volumes {
			if !o.waived(st, v) && v.State != cluster.Deleting {
				verdict = verdict.Worse(o.releases(st, v, ref.Name, t))
			}
		}
		verdict = verdict.Worse(o.images(st, ref.Name))
	}
	for _, a := range o.s.Attachments {
		if a.Node == ref.Name && !o.accepted("node/foreign-attachment", a.PV) {
			verdict = cluster.Unsafe
		}
	}
	return verdict.Worse(o.locals(ref.Name))
}

// mayReboot: nothing is served from the node, nothing is on the move, and what
// volumes are layered upon can be read without it.
func (o oracle) mayReboot(ref cluster.NodeRef) cluster.Verdict {
	verdict := o.mayDrain(ref)
	if o.s.Source != cluster.SourceLive {
		verdict = verdict.Worse(cluster.VerdictUnknown)
	}
	for _, g := range o.s.Gaps {
		if g.OfStorage && g.Reason != cluster.GapMissing && g.Reason != cluster.GapNotGiven {
			verdict = verdict.Worse(cluster.VerdictUnknown)
		}
	}
	if o.nothingRead() {
		return verdict
	}
	for _, st := range o.s.Storages {
		for _, v := range st.Volumes {
			if !o.waived(st, v) {
				verdict = verdict.Worse(o.rests(st, v, ref.Name)).Worse(o.opens(st, v, ref.Name))
			}
		}
		for _, sn := range st.Nodes {
			if sn.Name == ref.Name && sn.Holds > 0 {
				verdict = cluster.Unsafe
			}
		}
		for _, a := range o.s.Attachments {
			if a.Node == ref.Name && a.Driver == st.Driver {
				verdict = cluster.Unsafe
			}
		}
	}
	return verdict
}

func (o oracle) nothingToOpen(v cluster.Volume) bool {
	return v.State == cluster.Deleting || o.unused(v) && countableVolume(v)
}

// opens says whether the image under the volume can be read without the node.
func (o oracle) opens(st cluster.Storage, v cluster.Volume, node string) cluster.Verdict {
	if v.Base == "" || o.nothingToOpen(v) || o.readableBase(st, v.Base, node) {
		return cluster.Safe
	}
	for _, b := range st.Bases {
		for _, c := range b.Copies {
			for _, sn := range st.Nodes {
				here := slices.ContainsFunc(sn.Disks, func(d cluster.Disk) bool { return d.UUID == c.DiskUUID && d.UUID != "" })
				if b.Name == v.Base && sn.Name == node && here {
					return cluster.Unsafe
				}
			}
		}
	}
	return cluster.VerdictUnknown
}

// rests says whether the volume leaves the node alone and is at rest.
func (o oracle) rests(st cluster.Storage, v cluster.Volume, node string) cluster.Verdict {
	verdict := cluster.Safe
	if v.Engine.Node == node || slices.ContainsFunc(v.Holds, func(h cluster.Hold) bool { return h.Node == node }) {
		verdict = cluster.Unsafe
	}
	if v.State == cluster.Deleting {
		return verdict
	}
	for _, r := range v.Replicas {
		if r.Claim == cluster.Rebuilding && !o.absent(st, r) && worst(v.Doubts, r.Doubts) != no {
			verdict = verdict.Worse(cluster.VerdictUnknown)
		}
	}
	if len(v.Busy) > 0 {
		verdict = verdict.Worse(cluster.VerdictUnknown)
	}
	return verdict
}

// leftovers are directories on the node that no replica names.
func (o oracle) leftovers(node string) cluster.Verdict {
	verdict := cluster.Safe
	for _, st := range o.s.Storages {
		for _, x := range st.Orphans {
			switch {
			case x.Node != node && x.Node != "":
				continue
			case x.Volume == "" || x.Node == "":
				if !o.accepted("orphan/unknown", x.Name) {
					verdict = verdict.Worse(cluster.VerdictUnknown)
				}
				continue
			}
			for _, v := range st.Volumes {
				if v.Name == x.Volume && v.State != cluster.Deleting && o.enough(st, v, node, v.Want) != cluster.Safe {
					verdict = cluster.Unsafe
				}
			}
		}
	}
	return verdict
}

// releases says whether one volume, at rest, can do without what the node has
// of it for good.
func (o oracle) releases(st cluster.Storage, v cluster.Volume, node string, t Turn) cluster.Verdict {
	verdict := cluster.Safe
	var proven []cluster.Replica
	has, resort := false, false
	for _, r := range v.Replicas {
		if o.lies(st, r, node) {
			has = true
			bad := r.Claim == cluster.Failed || r.Claim != cluster.Placeholder && worst(v.Doubts, r.Doubts) == no
			excused := r.Node == node && !t.CordonedAt.IsZero() && !r.FailedAt.IsZero() && r.FailedAt.Unix() >= t.CordonedAt.Unix()
			resort = resort || bad && !excused && !o.absent(st, r) && !saidAbsent(v, r)
		}
		if r.Node == node {
			continue
		}
		seen, ok := t.Proved[r.UID]
		since := ok && !t.DrainedAt.IsZero() && !seen.Before(t.DrainedAt)
		if o.stays(st, v, r) == yes && (r.Claim == cluster.Serving || since || o.saw(r) == cluster.SeenData && !r.Probe.At.Before(t.DrainedAt)) {
			proven = append(proven, r)
		}
	}
	if has && !(o.unused(v) && countableVolume(v)) && most(v, proven) < v.Need {
		verdict = verdict.Worse(cluster.VerdictUnknown)
	}
	if resort && o.enough(st, v, node, v.Want) != cluster.Safe {
		verdict = cluster.Unsafe
	}
	return verdict
}

// lies: the replica is on the node, or the node has a disk of that identity.
func (o oracle) lies(st cluster.Storage, r cluster.Replica, node string) bool {
	return r.Node == node || slices.ContainsFunc(st.Nodes, func(sn cluster.StorageNode) bool {
		return sn.Name == node && slices.ContainsFunc(sn.Disks, func(d cluster.Disk) bool { return d.UUID != "" && d.UUID == r.DiskUUID })
	})
}

// saidAbsent: a doubt says that the replica's data are not there.
func saidAbsent(v cluster.Volume, r cluster.Replica) bool {
	for _, d := range append(slices.Clone(v.Doubts), r.Doubts...) {
		if d.AtMost == cluster.StandingAbsent {
			return true
		}
	}
	return false
}

func (o oracle) images(st cluster.Storage, node string) cluster.Verdict {
	verdict := cluster.Safe
	for _, b := range st.Bases {
		usedBy := slices.ContainsFunc(st.Volumes, func(v cluster.Volume) bool { return v.Base == b.Name && !o.nothingToOpen(v) })
		if o.readableBase(st, b.Name, node) || !usedBy && o.accepted("base/only-copy", b.Name) {
			continue
		}
		for _, c := range b.Copies {
			var at []string
			for _, sn := range st.Nodes {
				for _, d := range sn.Disks {
					if d.UUID == c.DiskUUID && d.UUID != "" {
						at = append(at, sn.Name)
					}
				}
			}
			if slices.Contains(at, node) {
				verdict = cluster.Unsafe
			} else if len(at) == 0 {
				verdict = verdict.Worse(cluster.VerdictUnknown)
			}
		}
	}
	return verdict
}

func (o oracle) locals(node string) cluster.Verdict {
	verdict := cluster.Safe
	for _, pv := range o.s.Persistent {
		ours := slices.ContainsFunc(o.s.Storages, func(st cluster.Storage) bool { return st.Driver == pv.Driver })
		if ours || !pv.Bound && pv.ClaimName == "" || o.accepted("pv/bound-to-node", pv.Name) {
			continue
		}
		here := slices.Contains(pv.Hostnames, node)
		if n := o.s.Node(node); n != nil {
			for _, label := range []string{"example.org/nodeid", "kubernetes.io/hostname"} {
				here = here || n.Labels[label] != "" && slices.Contains(pv.Hostnames, n.Labels[label])
			}
		}
		switch {
		case here && (pv.Local || len(pv.Hostnames) == 1):
			verdict = cluster.Unsafe
		case pv.Local && len(pv.Hostnames) == 0:
			verdict = verdict.Worse(cluster.VerdictUnknown)
		}
	}
	return verdict
}
