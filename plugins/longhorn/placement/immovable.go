// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
)

// fixed is why no replica of a volume is ever rebuilt anywhere, wherever there
// is room.
type fixed struct {
	why     string
	unclear bool
	ways    []forecast.Way
}

func stays(why string, kind forecast.WayKind, way string) fixed {
	return fixed{why: why, ways: []forecast.Way{{Kind: kind, Says: way}}}
}

// ext4Limit is the size from which on a volume does not fit on ext4 (Longhorn
// v1.12.0 datastore IsSupportedVolumeSize, 16 TiB). Which file system a disk
// has is not among the facts.
const ext4Limit = int64(16) << 40

// immovable says why no replica of the volume can be rebuilt; empty if one can.
func (b *board) immovable(v *cluster.Volume) fixed {
	switch {
	case v.Class == cluster.ClassLinkedClone:
		return stays("a linked clone is neither rebuilt nor evicted", forecast.WayRepair,
			"delete linked clone "+v.Name+", or copy its data into a volume of its own")
	case v.Class != cluster.ClassOrdinary && v.Class != cluster.ClassStandby:
		return fixed{why: "nothing is known of how this kind of volume is placed", unclear: true}
	case v.Pinned:
		return stays("the volume is strict-local: its only replica stays on the node of its engine", forecast.WaySetting,
			"dataLocality best-effort or disabled for volume "+v.Name+", while it is detached")
	case v.NoRebuild != "":
		return stays(v.NoRebuild, forecast.WayRepair, v.CanRebuild)
	case b.set.rebuilds == 0:
		return stays("rebuilding is switched off ("+rebuildLimit+" is 0)", forecast.WaySetting, rebuildLimit+" 1 or more, such as 5, its default")
	}
	if f := b.busy(v); f.why != "" {
		return f
	}
	switch phantom := b.phantom(v); {
	case phantom != "":
		return stays("Longhorn counts replica "+phantom+" as usable although its disk is not there, and makes no other in its place",
			forecast.WayRepair, "remove the object of replica "+phantom+", once another replica is proven")
	case !copyable(v):
		return stays("the volume has no replica that could be copied", forecast.WayRepair, "recover the data of volume "+v.Name+" first")
	case v.Medium == "":
		return fixed{why: "the kind of disk that the volume needs is not known", unclear: true}
	case v.Medium == "filesystem" && v.Size >= ext4Limit:
		return fixed{why: "a volume of 16 TiB or more does not fit on ext4, and the file systems of the disks are not known", unclear: true}
	}
	return b.baseless(v)
}

// busy says what must end before Longhorn makes a replica (replenishReplicas:
// no migration, no expansion, one replica only while cloning).
func (b *board) busy(v *cluster.Volume) fixed {
	for _, word := range v.Busy {
		switch word {
		case "expanding", "migrating", "cloning":
			return stays("the volume is "+word+", and no replica is made until that ends", forecast.WayRepair,
				"let volume "+v.Name+" end "+word)
		}
	}
	return fixed{}
}

// baseless says why the backing image of the volume cannot be brought to
// another disk: a new replica waits for its copy.
func (b *board) baseless(v *cluster.Volume) fixed {
	if v.Base == "" {
		return fixed{}
	}
	base := b.base(v)
	if base == nil {
		return fixed{why: "its backing image " + v.Base + " is not known", unclear: true}
	}
	unclear := false
	for _, c := range base.Copies {
		switch there := b.there(c.DiskUUID); {
		case there && c.Ready == cluster.Yes:
			return fixed{}
		case there && c.Ready == cluster.Unknown:
			unclear = true
		}
	}
	f := stays("no ready copy of its backing image "+v.Base+" is left to copy from", forecast.WayRepair, "a ready copy of backing image "+v.Base)
	f.unclear = unclear
	return f
}

// there reports whether a storage node that is ready reports the disk.
func (b *board) there(uuid string) bool {
	for i := range b.st.Nodes {
		n := &b.st.Nodes[i]
		for k := range n.Disks {
			if d := &n.Disks[k]; d.UUID == uuid && uuid != "" && d.Reported && n.Ready == cluster.Yes && d.Ready != cluster.No && !n.Deleting {
				return true
			}
		}
	}
	return false
}

// phantom names a replica that Longhorn counts and that cannot be there: its
// node lives, under its name at least, and reports its disks, and its own is
// nowhere among them. Where the node is gone Longhorn finds out by itself.
func (b *board) phantom(v *cluster.Volume) string {
	for i := range v.Replicas {
		r := &v.Replicas[i]
		if r.Deleting || r.Claim == cluster.Failed || r.Claim == cluster.Placeholder || r.DiskUUID == "" || b.snap.Node(r.Node) == nil {
			continue
		}
		if b.reports(r.Node) && !b.listed(r.DiskUUID) {
			return r.Name + " on " + r.Node
		}
	}
	return ""
}

// reports: the storage node is alive and tells of its disks.
func (b *board) reports(node string) bool {
	for i := range b.st.Nodes {
		n := &b.st.Nodes[i]
		if n.Name != node || n.Ready != cluster.Yes || n.Deleting {
			continue
		}
		for k := range n.Disks {
			if n.Disks[k].Reported && n.Disks[k].UUID != "" {
				return true
			}
		}
	}
	return false
}

func (b *board) listed(uuid string) bool {
	for i := range b.st.Nodes {
		for k := range b.st.Nodes[i].Disks {
			if b.st.Nodes[i].Disks[k].UUID == uuid {
				return true
			}
		}
	}
	return false
}

// copyable reports whether there may be anything to copy from: a usable replica,
// one of which nothing is said at this moment (a volume that is just being
// attached), or a volume that never held data. Whether a replica is good is not
// asked here: that is judged, and waited for, before a turn.
func copyable(v *cluster.Volume) bool {
	return unused(v) || slices.ContainsFunc(v.Replicas, func(r cluster.Replica) bool {
		return r.Claim == cluster.Serving || r.Claim == cluster.Idle || r.Claim == cluster.ClaimUnknown
	})
}

// unused reports whether the volume never held data: it lacks nothing, whatever
// became of its replicas.
func unused(v *cluster.Volume) bool {
	if !v.Touched && v.Used == 0 && v.Engine.Ever == cluster.No {
		return true // also where a course of turns has taken a replica away
	}
	return !v.Touched && len(v.Replicas) > 0 && !slices.ContainsFunc(v.Replicas, func(r cluster.Replica) bool {
		return r.Claim != cluster.Untouched && r.Claim != cluster.Placeholder
	})
}
