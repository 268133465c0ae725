// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Machine is a node as far as it takes data along when it goes: its name, and
// the disks that its storage lists there. A replica names its node, and a disk
// may be in another one by now, or be cloned there.
type Machine struct {
	node  string
	disks []string
}

// Machine is the node of that name.
func (j *Judgement) Machine(node string) Machine {
	m := Machine{node: node}
	for i := range j.Snapshot.Storages {
		st := &j.Snapshot.Storages[i]
		for k := range st.Nodes {
			if st.Nodes[k].Name != node {
				continue
			}
			for _, d := range st.Nodes[k].Disks {
				if d.UUID != "" {
					m.disks = append(m.disks, d.UUID)
				}
			}
		}
	}
	return m
}

// holds reports whether the replica may lie on the machine: it names the node,
// or its disk is listed there.
func (m Machine) holds(r *cluster.Replica) bool {
	return r.Node == m.node || slices.Contains(m.disks, r.DiskUUID)
}

// Holds reports whether any replica of the volume may lie there.
func (m Machine) Holds(v *cluster.Volume) bool {
	for i := range v.Replicas {
		if m.holds(&v.Replicas[i]) {
			return true
		}
	}
	return false
}

// carries reports whether the machine has anything of the volume.
func (m Machine) carries(v *cluster.Volume) bool {
	return m.Holds(v) || v.Engine.Node == m.node || held(v, m.node)
}
