// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"fmt"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// Prune returns the deletion of one replica object; none where it is being
// deleted already. Longhorn may delete the directory that the object names,
// so whoever asks must have proven that it is gone.
func (Storage) Prune(st *cluster.Storage, v cluster.Volume, r cluster.Replica) ([]plugin.Change, error) {
	if r.Name == "" || r.UID == "" {
		return nil, fmt.Errorf("a replica of volume %s is deleted only by name and UID", v.Name)
	}
	mine := false
	for i := range v.Replicas {
		mine = mine || v.Replicas[i].UID == r.UID && v.Replicas[i].Name == r.Name
	}
	if !mine {
		return nil, fmt.Errorf("replica %s is none of volume %s", r.Name, v.Name)
	}
	if r.Deleting {
		return nil, nil
	}
	return []plugin.Change{{
		Object: plugin.Object{Kind: kindOf(replicas), Namespace: st.Namespace, Name: r.Name, UID: r.UID},
		Delete: true,
		Expect: []cluster.Fact{
			{Name: "spec.volumeName", Value: v.Name},
			{Name: "spec.nodeID", Value: r.Node},
			{Name: "spec.diskID", Value: r.DiskUUID},
		},
		Says: fmt.Sprintf("replica object %s of volume %s, on %s, is deleted", r.Name, v.Name, r.Node),
	}}, nil
}
