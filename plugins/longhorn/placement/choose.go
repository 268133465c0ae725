// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// place is a disk of a node.
type place struct {
	node *cluster.StorageNode
	disk *cluster.Disk
}

// usage is where a volume's replicas are, among the nodes that may take one.
type usage struct {
	// nodes and zones: false where only leaving replicas are there.
	nodes, zones map[string]bool
	disks        map[string]int
	// objects counts every replica, failed ones too, by node and disk.
	objects map[string]map[string]int
}

func (u usage) add(at place) {
	u.nodes[at.node.Name], u.zones[at.node.Zone] = true, true
	u.disks[at.disk.UUID]++
	u.count(at.node.Name, at.disk.UUID)
}

func (u usage) count(node, disk string) {
	if u.objects[node] == nil {
		u.objects[node] = map[string]int{}
	}
	u.objects[node][disk]++
}

// beside is how many of the volume's replicas are on the place's node, on
// other disks of it.
func (u usage) beside(at place) int64 {
	n := 0
	for disk, here := range u.objects[at.node.Name] {
		if disk != at.disk.UUID {
			n += here
		}
	}
	return int64(n)
}

// usage collects the places that the volume's replicas take
// (getCurrentNodesAndZones, filterDisksWithMatchingReplicas). A failed replica
// takes its place for as long as it may be used again, and where it will be.
// Those that were made in this forecast are there as well.
func (b *board) usage(v *cluster.Volume, made []place) usage {
	u := usage{nodes: map[string]bool{}, zones: map[string]bool{}, disks: map[string]int{}, objects: map[string]map[string]int{}}
	ready := map[string]*cluster.StorageNode{}
	for _, n := range b.candidates(v) {
		ready[n.Name] = n
	}
	for i := range v.Replicas {
		r := &v.Replicas[i]
		if r.Node == "" || r.Deleting {
			continue
		}
		u.count(r.Node, r.DiskUUID)
		if r.Claim == cluster.Failed && !b.reusable(v, r, len(made)) && !b.reused(v, r) {
			continue
		}
		u.disks[r.DiskUUID]++
		n := ready[r.Node]
		if n == nil {
			continue
		}
		u.nodes[n.Name] = u.nodes[n.Name] || !r.Leaving
		u.zones[n.Zone] = u.zones[n.Zone] || !r.Leaving
	}
	for _, at := range made {
		u.add(at)
	}
	return u
}

// reusable reports whether Longhorn still keeps the failed replica's place: it
// may be used again, and is not being replaced. It is while the volume has too
// few when it is attached; the setting that delays this ends by itself.
func (b *board) reusable(v *cluster.Volume, r *cluster.Replica, made int) bool {
	if b.set.old || !b.returns(r) {
		return false
	}
	healthy := made
	for i := range v.Replicas {
		x := &v.Replicas[i]
		if !x.Deleting && (x.Claim == cluster.Serving || x.Claim == cluster.Idle && v.State != cluster.Attached) {
			healthy++
		}
	}
	return healthy >= v.Want
}

// returns reports whether the failed replica may ever be used again
// (IsPotentiallyReusableReplica).
func (b *board) returns(r *cluster.Replica) bool {
	return r.DiskUUID != "" && !r.Leaving &&
		!slices.ContainsFunc(r.Doubts, func(d cluster.Doubt) bool { return d.AtMost == cluster.StandingFailed })
}

// candidates are the nodes on which the volume's program can run.
func (b *board) candidates(v *cluster.Volume) []*cluster.StorageNode {
	var out []*cluster.StorageNode
	for _, n := range b.nodes {
		if b.unable(v, n) == "" {
			out = append(out, n)
		}
	}
	return out
}

// disableV2 is the label that keeps a node from block disks.
const disableV2 = "node.longhorn.io/disable-v2-data-engine"

func (b *board) unable(v *cluster.Volume, n *cluster.StorageNode) string {
	if v.Runtime != "" && !slices.Contains(n.Runtimes, v.Runtime) && !(b.unsure && b.blindRuntimes()) {
		return "lacks the engine image " + v.Runtime
	}
	if k := b.snap.Node(n.Name); v.Medium == "block" && k != nil && k.Labels[disableV2] == "true" {
		return "has the v2 data engine disabled"
	}
	return ""
}

// choose returns the place of a new replica, or why there is none. The order
// is Longhorn's: an unused node in an unused zone first; then, as far as the
// volume may share zones and nodes, unused nodes and nodes that are only being
// left; then the used ones, of which it asks no tags any more. What is not known
// to be allowed is not.
func (b *board) choose(v *cluster.Volume, u usage) (place, string) {
	base := b.base(v)
	var fresh, unused, left, leftZone, shared []*cluster.StorageNode
	for _, n := range b.candidates(v) {
		if _, used := u.nodes[n.Name]; used {
			shared = append(shared, n)
		}
		if !tagged(n.Tags, v.NodeTags, b.set.emptyNode) || base != nil && !tagged(n.Tags, base.NodeTags, b.set.emptyNode) {
			continue
		}
		staying, used := u.nodes[n.Name]
		zoneStaying, zoneUsed := u.zones[n.Zone]
		if !zoneUsed {
			fresh = append(fresh, n)
		}
		if !used {
			unused = append(unused, n)
			continue
		}
		if !staying {
			left = append(left, n)
			if !zoneStaying {
				leftZone = append(leftZone, n)
			}
		}
	}
	rounds := [][]*cluster.StorageNode{fresh}
	switch shareZone, shareNode := b.may(v.SharesZone), b.may(v.SharesNode); {
	case !shareZone:
		rounds = append(rounds, leftZone)
	case !shareNode:
		rounds = append(rounds, unused, left)
	default:
		rounds = append(rounds, unused, shared)
	}
	for _, nodes := range rounds {
		if at := b.roomiest(v, base, u, nodes); at.disk != nil {
			return at, ""
		}
	}
	return place{}, b.explain(v, base, u)
}

// roomiest returns the disk with most room among those that can take the
// replica. Disks without a replica of the volume come first, and are the only
// ones where the volume may not share a disk.
func (b *board) roomiest(v *cluster.Volume, base *cluster.Base, u usage, nodes []*cluster.StorageNode) place {
	var best place
	bestUsed := true
	for _, n := range nodes {
		for i := range n.Disks {
			d := &n.Disks[i]
			used := u.disks[d.UUID] > 0
			if b.unfit(v, base, u, place{n, d}) != "" || used && !b.may(v.SharesDisk) {
				continue
			}
			if best.disk == nil || bestUsed && !used || bestUsed == used && b.room(d) > b.room(best.disk) {
				best, bestUsed = place{n, d}, used
			}
		}
	}
	return best
}

// unfit says why a disk cannot take a replica of the volume; empty if it can.
func (b *board) unfit(v *cluster.Volume, base *cluster.Base, u usage, at place) string {
	if why := b.open(v, base, at.disk); why != "" {
		return why
	}
	if !b.fits(v, u, at) {
		return fmt.Sprintf("has too little space: %s more are needed", inGiB(b.short(v, u, at)))
	}
	return ""
}

// open says why a disk takes no replica of the volume, whatever its space.
func (b *board) open(v *cluster.Volume, base *cluster.Base, d *cluster.Disk) string {
	switch {
	case !d.Declared || !d.Reported || d.UUID == "":
		return "is not ready"
	case !d.Accept || d.Evacuate:
		return "accepts no replicas"
	case !b.may(d.Schedulable):
		return "is not schedulable"
	case d.Medium != v.Medium:
		return "is a " + d.Medium + " disk and not a " + v.Medium + " one"
	case !tagged(d.Tags, v.DiskTags, b.set.emptyDisk):
		return "has not the volume's disk tags"
	case base != nil && !tagged(d.Tags, base.DiskTags, b.set.emptyDisk):
		return "has not the backing image's disk tags"
	default:
		return ""
	}
}

// blindRuntimes: no node reports any engine image, so none was read.
func (b *board) blindRuntimes() bool {
	return !slices.ContainsFunc(b.st.Nodes, func(n cluster.StorageNode) bool { return len(n.Runtimes) > 0 })
}

// explain says of every node why it cannot take the replica.
func (b *board) explain(v *cluster.Volume, base *cluster.Base, u usage) string {
	reasons := append([]refusal(nil), b.refused...)
	for _, n := range b.nodes {
		reasons = append(reasons, refusal{n.Name, b.reason(v, base, u, n)})
	}
	sort.Slice(reasons, func(i, k int) bool { return reasons[i].node < reasons[k].node })
	if len(reasons) == 0 {
		return "there is no other node"
	}
	const most = 6
	words := make([]string, 0, most+1)
	for i, r := range reasons {
		if i == most {
			words = append(words, "and so on")
			break
		}
		words = append(words, r.node+" "+r.why)
	}
	return "no node can take it: " + strings.Join(words, "; ")
}

func (b *board) reason(v *cluster.Volume, base *cluster.Base, u usage, n *cluster.StorageNode) string {
	if why := b.unable(v, n); why != "" {
		return why
	}
	staying, used := u.nodes[n.Name]
	zoneStaying, zoneUsed := u.zones[n.Zone]
	shares := b.may(v.SharesNode) && b.may(v.SharesZone)
	switch {
	case !(used && shares) && !tagged(n.Tags, v.NodeTags, b.set.emptyNode):
		return "has not the volume's node tags"
	case !(used && shares) && base != nil && !tagged(n.Tags, base.NodeTags, b.set.emptyNode):
		return "has not the backing image's node tags"
	case used && staying && !b.may(v.SharesNode):
		return "holds another replica of it"
	case zoneUsed && zoneStaying && !b.may(v.SharesZone):
		return "is in the zone of another replica of it"
	}
	var disks []string
	for i := range n.Disks {
		why := b.unfit(v, base, u, place{n, &n.Disks[i]})
		if why == "" {
			why = "holds another replica of it"
		}
		disks = append(disks, "its disk "+n.Disks[i].Name+" "+why)
	}
	if len(disks) == 0 {
		return "has no disk"
	}
	return strings.Join(disks, ", ")
}
