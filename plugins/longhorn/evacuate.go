// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// Place returns the change that makes Longhorn's node accept and evacuate as
// `to` says, expecting it to be as `was` says now; none where both are the
// same. Both fields go in one patch: Longhorn's webhook refuses an eviction
// from a node that accepts replicas (v1.12.0 webhook/resources/node).
func (Storage) Place(st *cluster.Storage, n cluster.StorageNode, was, to cluster.Placement) ([]plugin.Change, error) {
	if n.Name == "" || n.UID == "" {
		return nil, errors.New("a storage node is changed only by name and UID")
	}
	if to.Evacuate && to.Accept {
		return nil, fmt.Errorf("node %s cannot be evacuated while it accepts replicas", n.Name)
	}
	if was == to {
		return nil, nil
	}
	patch, err := json.Marshal(map[string]any{"spec": map[string]bool{
		"allowScheduling":   to.Accept,
		"evictionRequested": to.Evacuate,
	}})
	if err != nil {
		return nil, fmt.Errorf("the patch of node %s: %w", n.Name, err)
	}
	return []plugin.Change{{
		Object: plugin.Object{Kind: kindOf(nodes), Namespace: st.Namespace, Name: n.Name, UID: n.UID},
		Patch:  patch,
		Expect: []cluster.Fact{
			{Name: "spec.allowScheduling", Value: strconv.FormatBool(was.Accept)},
			{Name: "spec.evictionRequested", Value: strconv.FormatBool(was.Evacuate)},
		},
		Says: fmt.Sprintf("Longhorn node %s: allowScheduling %t to %t, evictionRequested %t to %t",
			n.Name, was.Accept, to.Accept, was.Evacuate, to.Evacuate),
	}}, nil
}
