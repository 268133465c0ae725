// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"sort"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
)

// Placer places replicas as Longhorn does. Its zero value is ready.
type Placer struct{}

// Place says where the successors of the leaving node's replicas would go, in
// the order of the volumes, each taking its space from those after it. A
// replica of a volume that has enough others already has no successor and is
// left out: Longhorn only removes it. One that fits nowhere has no Node, and
// says why.
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
	// nodes may take replicas at all; refused says of the others why not.
	nodes   []*cluster.StorageNode
	refused []refusal
	// scheduled and written are what was placed on a disk so far, in bytes: as
	// sizes of volumes, and as data.
	scheduled, written map[string]int64
}

// refusal says why a node cannot take a replica.
type refusal struct{ node, why string }

func newBoard(s *cluster.Snapshot, st *cluster.Storage, leaving string) *board {
	b := &board{
		snap: s, st: st, leaving: leaving, set: settingsOf(st),
		scheduled: map[string]int64{}, written: map[string]int64{},
	}
	for i := range st.Nodes {
		n := &st.Nodes[i]
		if n.Name == leaving {
			continue
		}
		if why := b.closed(n); why != "" {
			b.refused = append(b.refused, refusal{n.Name, why})
			continue
		}
		b.nodes = append(b.nodes, n)
	}
	return b
}

// closed says why the node takes no replica of any volume; empty if it does.
func (b *board) closed(n *cluster.StorageNode) string {
	k := b.snap.Node(n.Name)
	switch {
	case n.Deleting:
		return "is being deleted"
	case n.Ready != cluster.Yes:
		return "is not ready in Longhorn"
	case n.Schedulable != cluster.Yes:
		return "is not schedulable in Longhorn"
	case !n.Placement.Accept:
		return "accepts no replicas"
	case n.Placement.Evacuate:
		return "is being evacuated"
	case n.Serving != cluster.Yes:
		return "has no running instance manager"
	case k == nil:
		return "is no node of the cluster"
	case k.Deleting:
		return "is being deleted from the cluster"
	case k.Cordoned && b.set.heedsCordons:
		return "is cordoned"
	default:
		return ""
	}
}

// volume places the successors that one volume needs.
func (b *board) volume(v *cluster.Volume) []forecast.Placement {
	moving, needed := b.moving(v)
	if needed == 0 {
		return nil
	}
	stuck := b.immovable(v)
	u := b.usage(v)
	var out []forecast.Placement
	for _, r := range moving[:needed] {
		p := forecast.Placement{Volume: v.Name, Replica: r.Name, Why: stuck}
		if stuck == "" {
			at, why := b.choose(v, u)
			if at.disk == nil {
				p.Why = why
			} else {
				b.book(v, at)
				u.add(at)
				p.Node, p.Disk, p.Bytes = at.node.Name, at.disk.Name, v.Used
			}
		}
		out = append(out, p)
	}
	return out
}

// moving returns the volume's replicas on the leaving node, the usable ones
// first, and how many of them need a successor: Longhorn makes new replicas
// only while fewer than the configured number are usable and staying
// (v1.12.0 controller/volume_controller.go, EvictReplicas and
// getReplenishReplicasCount).
func (b *board) moving(v *cluster.Volume) ([]*cluster.Replica, int) {
	var moving []*cluster.Replica
	staying := 0
	for i := range v.Replicas {
		r := &v.Replicas[i]
		switch {
		case r.Deleting || r.Claim == cluster.Placeholder:
		case r.Node == b.leaving:
			moving = append(moving, r)
		case r.Claim != cluster.Failed && !r.Leaving:
			staying++
		}
	}
	sort.SliceStable(moving, func(i, k int) bool {
		return moving[i].Claim != cluster.Failed && moving[k].Claim == cluster.Failed
	})
	return moving, max(0, min(len(moving), v.Want-staying))
}

// immovable says why no replica of the volume can ever be rebuilt elsewhere;
// empty if one can.
func (b *board) immovable(v *cluster.Volume) string {
	switch {
	case v.Class == cluster.ClassLinkedClone:
		return "a linked clone is neither rebuilt nor evicted"
	case v.Class != cluster.ClassOrdinary && v.Class != cluster.ClassStandby:
		return "nothing is known of how this kind of volume is placed"
	case v.Pinned:
		return "the volume is strict-local: its only replica stays on the node of its engine"
	case b.set.rebuilds == 0:
		return "rebuilding is switched off (" + rebuildLimit + " is 0)"
	case !copyable(v):
		return "the volume has no replica that could be copied"
	case v.Medium == "":
		return "the kind of disk that the volume needs is not known"
	default:
		return ""
	}
}

// copyable reports whether there is anything to copy from: a usable replica,
// or a volume that never held data.
func copyable(v *cluster.Volume) bool {
	fresh := len(v.Replicas) > 0
	for i := range v.Replicas {
		switch v.Replicas[i].Claim {
		case cluster.Serving, cluster.Idle:
			return true
		case cluster.Untouched, cluster.Placeholder:
		default:
			fresh = false
		}
	}
	return fresh && !v.Touched
}

// book takes the space of a successor.
func (b *board) book(v *cluster.Volume, at place) {
	b.scheduled[at.disk.UUID] += v.Size
	b.written[at.disk.UUID] += v.Used
}
