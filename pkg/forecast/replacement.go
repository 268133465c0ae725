// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"slices"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Replacement is what is known beforehand of the machine that takes a node's
// place. The zero value is one like the old.
type Replacement struct {
	// Disk is the size of each of its disks in bytes; 0 for that of the old
	// node's.
	Disk int64 `json:"disk,omitempty"`
}

// replace takes the node away with every replica on it, and lets its
// replacement join: a machine like it, under its name, with empty disks.
func (c *Course) replace(node string, r Replacement) {
	held := c.held(node)
	each(c.s, func(v *cluster.Volume) {
		v.Replicas = slices.DeleteFunc(v.Replicas, func(r cluster.Replica) bool { return r.Node == node })
	})
	for i := range c.s.Nodes {
		if n := &c.s.Nodes[i]; n.Ref.Name == node {
			reborn(n, c.now())
		}
	}
	for i := range c.s.Storages {
		st := &c.s.Storages[i]
		for k := range st.Nodes {
			if sn := &st.Nodes[k]; sn.Name == node {
				emptied(sn, r, held)
			}
		}
	}
}

// now is when the snapshot was taken. Files have no look: there it is the newest
// time that a lease or a storage tells, by which a node that has joined, and what
// was rebuilt on it, are as alive as the rest.
func (c *Course) now() time.Time {
	now := c.s.Look.Ended
	if !now.IsZero() {
		return now
	}
	for i := range c.s.Nodes {
		if at := c.s.Nodes[i].LeaseRenewed; at.After(now) {
			now = at
		}
	}
	for i := range c.s.Storages {
		if at := c.s.Storages[i].Reported; at.After(now) {
			now = at
		}
	}
	return now
}

// held is how many bytes of replicas lie on the node, by the disk's UUID.
func (c *Course) held(node string) map[string]int64 {
	out := map[string]int64{}
	each(c.s, func(v *cluster.Volume) {
		for i := range v.Replicas {
			if r := &v.Replicas[i]; r.Node == node {
				out[r.DiskUUID] += v.Used
			}
		}
	})
	return out
}

// reborn makes the Kubernetes node that of a machine which has joined. It is
// older than the data that will be rebuilt on it.
func reborn(n *cluster.Node, now time.Time) {
	n.Ref.UID += "'"
	n.Created = now.Add(-time.Hour)
	n.Ready, n.ReadyReason, n.LeaseRenewed = cluster.Yes, "", now
	n.Cordoned, n.Deleting = false, false
}

// emptied makes the storage node that of a machine which has joined: serving,
// with disks of a new identity and without the data that the old ones held.
func emptied(n *cluster.StorageNode, r Replacement, held map[string]int64) {
	n.UID += "'"
	n.Ready, n.Serving, n.Schedulable, n.Deleting = cluster.Yes, cluster.Yes, cluster.Yes, false
	n.Placement = cluster.Placement{Accept: true}
	for i := range n.Disks {
		fresh(&n.Disks[i], r.Disk, held[n.Disks[i].UUID])
	}
}

// fresh empties a disk of its replicas and gives it that size, 0 for its own.
// What others keep on it they keep on the new one too, and a reservation stays
// the same part of the disk.
func fresh(d *cluster.Disk, size, held int64) {
	others := max(0, d.Maximum-d.Available-held)
	if size == 0 {
		size = d.Maximum
	}
	if d.Maximum > 0 {
		d.Reserved = int64(float64(d.Reserved) * float64(size) / float64(d.Maximum))
	}
	d.UUID += "'"
	d.Declared, d.Reported, d.Ready, d.Schedulable, d.Evacuate = true, true, cluster.Yes, cluster.Yes, false
	d.Maximum, d.Available, d.Scheduled = size, size-others, 0
}
