// SPDX-License-Identifier: Apache-2.0

package forecast

import "github.com/safe-roll/kubectl-safe-roll/pkg/cluster"

// apart takes away the places on a disk that has a replica of the same volume
// already. A storage that may put replicas on one node does so where it must;
// but what lies together is lost together and counts once, so a volume that is
// moved there does not become whole.
func apart(st *cluster.Storage, leaving string, answers []Placement) []Placement {
	taken := map[string]map[string]bool{}
	for i := range st.Volumes {
		if v := &st.Volumes[i]; v.SharesNode != cluster.No {
			taken[v.Name] = disksOf(v, leaving)
		}
	}
	for i := range answers {
		at := &answers[i]
		on := taken[at.Volume]
		d := disk(st, func(n *cluster.StorageNode, d *cluster.Disk) bool { return n.Name == at.Node && d.Name == at.Disk })
		switch {
		case on == nil || d == nil:
		case !on[d.UUID]:
			on[d.UUID] = true
		default:
			*at = Placement{
				Volume: at.Volume, Replica: at.Replica,
				Why:  "it would lie on a disk of " + at.Node + " beside another replica of the volume, and what lies together is lost together",
				Ways: []Way{{Kind: WayNode, Says: "add a node, or a disk"}},
			}
		}
	}
	return answers
}

// disksOf are the disks that have a replica of the volume that stays.
func disksOf(v *cluster.Volume, leaving string) map[string]bool {
	on := map[string]bool{}
	for i := range v.Replicas {
		r := &v.Replicas[i]
		if r.Node != leaving && r.Claim != cluster.Failed && r.Claim != cluster.Placeholder {
			on[r.DiskUUID] = true
		}
	}
	return on
}
