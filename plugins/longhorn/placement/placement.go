// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"slices"
	"sort"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
)

// Placer places replicas as Longhorn does. Its zero value is ready; it is also
// an Insister and a Sceptic.
type Placer struct{}

// Place says where the successors of the leaving node's replicas would go, in
// the order of the volumes, each taking its space from those after it; with no
// leaving node, what the volumes lack. A replica of a volume that has enough
// others already has no successor and is left out: Longhorn only removes it.
// One that fits nowhere has no Node, and says why and what would help.
func (Placer) Place(s *cluster.Snapshot, st *cluster.Storage, leaving string) []forecast.Placement {
	b := newBoard(s, st, leaving)
	var out []forecast.Placement
	for i := range st.Volumes {
		out = append(out, b.volume(&st.Volumes[i])...)
	}
	return out
}

// board is the state of a forecast: the nodes that may take replicas, and
// what has been placed there so far.
type board struct {
	snap    *cluster.Snapshot
	st      *cluster.Storage
	leaving string
	set     settings
	// unsure: what is not known is taken as it would help, to tell what is
	// impossible from what is not known to be possible.
	unsure bool
	// uncordoned: cordons are disregarded, to tell what they prevent.
	uncordoned bool
	// nodes may take replicas at all; refused says of the others why not.
	nodes   []*cluster.StorageNode
	refused []refusal
	// scheduled and written are what was placed on a disk so far, in bytes: as
	// sizes of volumes, and as data.
	scheduled, written map[string]int64
	// advised counts the replicas for which ways out were looked for.
	advised int
}

// refusal says why a node cannot take a replica.
type refusal struct{ node, why string }

func newBoard(s *cluster.Snapshot, st *cluster.Storage, leaving string) *board {
	b := &board{
		snap: s, st: st, leaving: leaving, set: settingsOf(st),
		scheduled: map[string]int64{}, written: map[string]int64{},
	}
	b.seat()
	return b
}

// seat sorts the nodes into those that may take replicas and those that refuse.
func (b *board) seat() {
	b.nodes, b.refused = nil, nil
	for i := range b.st.Nodes {
		n := &b.st.Nodes[i]
		if n.Name == b.leaving {
			continue
		}
		if why := b.closed(n); why != "" {
			b.refused = append(b.refused, refusal{n.Name, why})
			continue
		}
		b.nodes = append(b.nodes, n)
	}
}

// other is the same board under other assumptions; what was placed stays.
func (b *board) other(change func(*board)) *board {
	o := *b
	change(&o)
	o.seat()
	return &o
}

// may is whether an answer lets a replica be placed.
func (b *board) may(a cluster.Answer) bool {
	return a == cluster.Yes || a == cluster.Unknown && b.unsure
}

// closed says why the node takes no replica of any volume; empty if it does.
func (b *board) closed(n *cluster.StorageNode) string {
	k := b.snap.Node(n.Name)
	cordoned := k != nil && k.Cordoned && b.set.heedsCordons
	switch {
	case n.Deleting:
		return "is being deleted"
	case !b.may(n.Ready):
		return "is not ready in Longhorn"
	case k == nil:
		return "is no node of the cluster"
	case k.Deleting:
		return "is being deleted from the cluster"
	case cordoned && !b.uncordoned:
		return "is cordoned"
	case !b.may(n.Schedulable) && !cordoned:
		return "is not schedulable in Longhorn"
	case !n.Placement.Accept:
		return "accepts no replicas"
	case n.Placement.Evacuate:
		return "is being evacuated"
	case !b.may(n.Serving):
		return "has no running instance manager"
	default:
		return ""
	}
}

// volume places the replicas that one volume needs.
func (b *board) volume(v *cluster.Volume) []forecast.Placement {
	moving, needed := b.needs(v)
	if needed == 0 {
		return nil
	}
	fixed := b.immovable(v)
	var out []forecast.Placement
	var made []place
	for i := range needed {
		u := b.usage(v, made)
		p := forecast.Placement{Volume: v.Name}
		if i < len(moving) {
			p.Replica = moving[i].Name
		}
		if fixed.why != "" {
			p.Why, p.Unclear, p.Ways = fixed.why, fixed.unclear, fixed.ways
		} else if at, why := b.choose(v, u); at.disk != nil {
			b.book(v, at)
			made = append(made, at)
			p.Node, p.Disk, p.Bytes = at.node.Name, at.disk.Name, v.Used
		} else {
			p.Why = why
			b.advise(v, u, &p)
		}
		out = append(out, p)
	}
	return out
}

// needs returns the volume's replicas on the leaving node, the usable ones
// first, and how many must be made: Longhorn makes new replicas only while
// fewer than the configured number are usable and staying, and takes a failed
// one back where it can (v1.12.0 controller/volume_controller.go, EvictReplicas
// and getReplenishReplicasCount; scheduler CheckAndReuseFailedReplica).
func (b *board) needs(v *cluster.Volume) ([]*cluster.Replica, int) {
	var moving []*cluster.Replica
	have := 0
	for i := range v.Replicas {
		r := &v.Replicas[i]
		switch {
		case r.Deleting || r.Claim == cluster.Placeholder:
		case r.Node == b.leaving && b.leaving != "":
			moving = append(moving, r)
		case r.Claim == cluster.Failed:
			if b.reused(v, r) {
				have++
			}
		case r.Leaving && b.leaving != "": // another node or disk: it needs a successor as well
		case b.snap.Node(r.Node) != nil:
			have++
		}
	}
	if b.leaving != "" && len(moving) == 0 || b.leaving == "" && unused(v) {
		return nil, 0
	}
	sort.SliceStable(moving, func(i, k int) bool {
		return moving[i].Claim != cluster.Failed && moving[k].Claim == cluster.Failed
	})
	return moving, max(0, v.Want-have)
}

// reused reports whether Longhorn would rebuild the failed replica where it
// lies, instead of making another: it asks the same of the place as of a new
// one, but for the space.
func (b *board) reused(v *cluster.Volume, r *cluster.Replica) bool {
	if !b.returns(r) || b.set.rebuilds == 0 || b.busy(v).why != "" {
		return false
	}
	base := b.base(v)
	for _, n := range b.candidates(v) {
		if n.Name != r.Node || !b.retakes(v, base, n) {
			continue
		}
		for i := range n.Disks {
			if d := &n.Disks[i]; d.UUID == r.DiskUUID {
				return b.open(v, base, d) == "" && b.may(d.Ready) && (b.may(v.SharesDisk) || !b.holds(v, n, d))
			}
		}
	}
	return false
}

// retakes reports whether the node may have a failed replica of the volume back.
func (b *board) retakes(v *cluster.Volume, base *cluster.Base, n *cluster.StorageNode) bool {
	if b.holds(v, n, nil) {
		return b.may(v.SharesNode) && b.may(v.SharesZone)
	}
	return tagged(n.Tags, v.NodeTags, b.set.emptyNode) && (base == nil || tagged(n.Tags, base.NodeTags, b.set.emptyNode))
}

// holds reports whether a replica that has not failed is on the disk, or, with
// none, on the node.
func (b *board) holds(v *cluster.Volume, n *cluster.StorageNode, d *cluster.Disk) bool {
	return slices.ContainsFunc(v.Replicas, func(r cluster.Replica) bool {
		return r.Node == n.Name && r.Claim != cluster.Failed && !r.Deleting && (d == nil || r.DiskUUID == d.UUID)
	})
}

// book takes the space of a successor.
func (b *board) book(v *cluster.Volume, at place) {
	b.scheduled[at.disk.UUID] += v.Size
	b.written[at.disk.UUID] += v.Used
}

// base returns the image that the volume is layered upon, nil for none.
func (b *board) base(v *cluster.Volume) *cluster.Base {
	i := slices.IndexFunc(b.st.Bases, func(x cluster.Base) bool { return x.Name == v.Base && v.Base != "" })
	if i < 0 {
		return nil
	}
	return &b.st.Bases[i]
}
