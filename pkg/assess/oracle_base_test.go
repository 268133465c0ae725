// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// readableBase: a copy of the image is ready on a disk that can be read.
func (o oracle) readableBase(st cluster.Storage, name string, except string) bool {
	for _, b := range st.Bases {
		for _, c := range b.Copies {
			owners := o.owners(st, c.DiskUUID)
			if b.Name != name || c.Ready != cluster.Yes || len(owners) != 1 || owners[0] == except || !o.live(owners[0]) || o.copyOfBefore(st, b, c, owners[0]) {
				continue
			}
			for _, sn := range st.Nodes {
				for _, d := range sn.Disks {
					if sn.Name == owners[0] && d.UUID == c.DiskUUID && d.Reported && d.Declared && d.Ready == cluster.Yes && sn.Ready == cluster.Yes {
						return true
					}
				}
			}
		}
	}
	return false
}

// copyOfBefore: the machine that the node is now may never have seen the copy,
// and no replica was healthy upon it there.
func (o oracle) copyOfBefore(st cluster.Storage, b cluster.Base, c cluster.BaseCopy, node string) bool {
	if o.thisMachine(node, b.Created, c.ReadyAt) {
		return false
	}
	for _, v := range st.Volumes {
		for _, r := range v.Replicas {
			if v.Base == b.Name && r.Node == node && r.DiskUUID == c.DiskUUID && o.thisMachine(node, r.Created, r.HealthyAt) {
				return false
			}
		}
	}
	return true
}

// thisMachine: what was made and seen at these times was seen on the machine
// that the node is now.
func (o oracle) thisMachine(node string, made, seen time.Time) bool {
	n, margin := o.s.Node(node), o.pol.ClockSkew
	if seen.IsZero() || n.Created.IsZero() || o.s.Source != cluster.SourceFiles && seen.Sub(o.now) > margin {
		return false
	}
	after := seen.Sub(n.Created) > margin
	for _, x := range o.s.Retired {
		if x.Node.Name == node && x.Node.UID != n.Ref.UID {
			after = after && seen.Sub(x.At) > margin
		}
	}
	return after || made.After(n.Created) && seen.Sub(made) >= -margin
}
