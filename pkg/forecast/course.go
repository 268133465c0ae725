// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"cmp"
	"slices"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Course is the cluster as it would be after the turns that were taken so far.
type Course struct {
	s       *cluster.Snapshot
	placers map[string]Placer
}

// Begin returns the course before the first turn: the snapshot as it is. The
// snapshot itself is never changed.
func Begin(s *cluster.Snapshot, placers map[string]Placer) *Course {
	return &Course{s: clone(s), placers: placers}
}

// Snapshot is the cluster as it would be now; it belongs to the course.
func (c *Course) Snapshot() *cluster.Snapshot { return c.s }

// Evict says where every replica of the node would go while the node is alive.
//
// A storage moves replicas in an order of its own, and each takes the space of
// those after it. So what fits is asked for in several orders of the volumes,
// and the worst answer counts.
func (c *Course) Evict(node string) Forecast { return c.worst(node) }

// Refill says where the replicas would be rebuilt that go with the node, once
// its replacement is there.
func (c *Course) Refill(node string, r Replacement) Forecast {
	after := &Course{s: clone(c.s), placers: c.placers}
	after.replace(node, r)
	f := after.worst("")
	f.Node = node
	return f
}

// Heal takes the replicas with these UIDs away, whose data are gone, and says
// where what the volumes lack would be rebuilt now. Of the volumes with these names,
// which are made whole, failed replicas are rebuilt where they lie as far as no other
// takes their place.
func (c *Course) Heal(gone map[cluster.UID]bool, whole map[string]bool) Forecast {
	each(c.s, func(v *cluster.Volume) {
		v.Replicas = slices.DeleteFunc(v.Replicas, func(r cluster.Replica) bool { return gone[r.UID] })
	})
	f := c.worst("")
	c.settle(f)
	each(c.s, func(v *cluster.Volume) {
		if whole[v.Name] {
			c.reuse(v)
		}
	})
	return f
}

// reuse makes as many of the volume's failed replicas whole as it lacks.
func (c *Course) reuse(v *cluster.Volume) {
	lacks := v.Want
	for i := range v.Replicas {
		if v.Replicas[i].Claim != cluster.Failed {
			lacks--
		}
	}
	for i := range v.Replicas {
		if r := &v.Replicas[i]; r.Claim == cluster.Failed && lacks > 0 {
			lacks--
			r.Claim, r.HealthyAt, r.FailedAt, r.Doubts = cluster.Idle, c.now(), time.Time{}, nil
			if v.State == cluster.Attached {
				r.Claim = cluster.Serving
			}
		}
	}
}

// Evicted takes the course on: the replicas were moved as forecast, the node
// went, and its replacement joined.
func (c *Course) Evicted(f Forecast, r Replacement) {
	c.settle(f)
	c.replace(f.Node, r)
}

// Refilled takes the course on: the node went with its replicas, its
// replacement joined, and what was lacking was rebuilt as forecast.
func (c *Course) Refilled(f Forecast, r Replacement) {
	c.replace(f.Node, r)
	c.settle(f)
}

// worst asks in the order of the snapshot, the largest volumes first, and the
// smallest first. The first answer counts where all fit; else that in which
// most replicas find no place.
func (c *Course) worst(node string) Forecast {
	bySize := func(a, b cluster.Volume) int { return cmp.Compare(a.Size, b.Size) }
	orders := []func(a, b cluster.Volume) int{
		nil, bySize, func(a, b cluster.Volume) int { return bySize(b, a) },
	}
	var worst Forecast
	for i, order := range orders {
		f := c.ask(node, order)
		if i == 0 || len(f.Stuck) > len(worst.Stuck) {
			worst = f
		}
	}
	return worst
}

// ask asks every placer once, with the volumes in that order.
func (c *Course) ask(node string, order func(a, b cluster.Volume) int) Forecast {
	f := Forecast{Node: node}
	for i := range c.s.Storages {
		st := c.s.Storages[i]
		if order != nil {
			st.Volumes = slices.Clone(st.Volumes)
			slices.SortStableFunc(st.Volumes, order)
		}
		answers := unplaceable(&st, node)
		if p := c.placers[st.Driver]; p != nil {
			answers = apart(&st, node, p.Place(c.s, &st, node))
		}
		for _, at := range answers {
			f.add(at)
		}
	}
	return f
}

// settle makes the forecast's replicas: each successor in the place of the one
// that it follows, and the others beside those that are there.
func (c *Course) settle(f Forecast) {
	placed := map[string][]Placement{}
	for _, p := range f.Placed {
		placed[p.Volume] = append(placed[p.Volume], p)
	}
	for i := range c.s.Storages {
		st := &c.s.Storages[i]
		for k := range st.Volumes {
			v := &st.Volumes[k]
			for _, p := range placed[v.Name] {
				c.rebuilt(st, v, p)
			}
		}
	}
}

// rebuilt makes one replica, whole, on its disk, and takes away the one whose
// successor it is.
func (c *Course) rebuilt(st *cluster.Storage, v *cluster.Volume, p Placement) {
	d := disk(st, func(n *cluster.StorageNode, d *cluster.Disk) bool { return n.Name == p.Node && d.Name == p.Disk })
	if d == nil {
		return
	}
	d.Scheduled += v.Size
	d.Available -= p.Bytes
	r := cluster.Replica{
		Name: v.Name + " on " + p.Node, UID: cluster.UID(v.Name + " on " + d.UUID), Claim: cluster.Untouched,
		Node: p.Node, DiskUUID: d.UUID, DiskPath: d.Path, Owner: p.Node, Created: c.now(),
	}
	for slices.ContainsFunc(v.Replicas, func(o cluster.Replica) bool { return o.Name == r.Name }) {
		r.Name, r.UID = r.Name+"'", r.UID+"'"
	}
	if slices.ContainsFunc(v.Replicas, func(o cluster.Replica) bool { return o.Claim != cluster.Untouched }) {
		r.Claim, r.HealthyAt = cluster.Idle, c.now()
		if v.State == cluster.Attached {
			r.Claim = cluster.Serving
		}
	}
	v.Replicas = slices.DeleteFunc(v.Replicas, func(old cluster.Replica) bool {
		if p.Replica == "" || old.Name != p.Replica {
			return false
		}
		if d := disk(st, func(_ *cluster.StorageNode, d *cluster.Disk) bool { return d.UUID == old.DiskUUID }); d != nil {
			d.Scheduled -= v.Size
			d.Available += v.Used
		}
		return true
	})
	v.Replicas = append(v.Replicas, r)
}

func disk(st *cluster.Storage, is func(*cluster.StorageNode, *cluster.Disk) bool) *cluster.Disk {
	for i := range st.Nodes {
		for k := range st.Nodes[i].Disks {
			if d := &st.Nodes[i].Disks[k]; is(&st.Nodes[i], d) {
				return d
			}
		}
	}
	return nil
}

// each visits every volume.
func each(s *cluster.Snapshot, visit func(*cluster.Volume)) {
	for i := range s.Storages {
		for k := range s.Storages[i].Volumes {
			visit(&s.Storages[i].Volumes[k])
		}
	}
}

// clone copies what a course changes: nodes, the storages' nodes with their
// disks, and the volumes with their replicas. The rest is shared.
func clone(s *cluster.Snapshot) *cluster.Snapshot {
	out := *s
	out.Nodes = slices.Clone(s.Nodes)
	out.Storages = slices.Clone(s.Storages)
	for i := range out.Storages {
		st := &out.Storages[i]
		st.Nodes = slices.Clone(st.Nodes)
		for k := range st.Nodes {
			st.Nodes[k].Disks = slices.Clone(st.Nodes[k].Disks)
		}
		st.Volumes = slices.Clone(st.Volumes)
		for k := range st.Volumes {
			st.Volumes[k].Replicas = slices.Clone(st.Volumes[k].Replicas)
		}
	}
	return &out
}
