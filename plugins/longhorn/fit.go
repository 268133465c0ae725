// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// Fit returns the change that gives Longhorn's node these tags, and its disks at
// these paths their tags and reserved space. A disk keeps its name, which says
// its file system, so that of another machine is never used.
func (Storage) Fit(st *cluster.Storage, n cluster.StorageNode, want cluster.StorageFittings) ([]plugin.Change, error) {
	if n.Name == "" || n.UID == "" {
		return nil, errors.New("a storage node is set up only by name and UID")
	}
	spec := map[string]any{}
	if len(want.Tags) > 0 {
		spec["tags"] = want.Tags
	}
	disks := map[string]any{}
	var expect []cluster.Fact
	for _, d := range n.Disks {
		w, ok := want.Disks[d.Path]
		if !ok || !d.Declared {
			continue
		}
		disk := map[string]any{"storageReserved": w.Reserved}
		if len(w.Tags) > 0 {
			disk["tags"] = w.Tags
		}
		disks[d.Name] = disk
		expect = append(expect, cluster.Fact{Name: "spec.disks." + strings.ReplaceAll(d.Name, ".", `\.`) + ".storageReserved", Value: fmt.Sprint(d.Reserved)})
	}
	if len(disks) > 0 {
		spec["disks"] = disks
	}
	if len(spec) == 0 {
		return nil, nil
	}
	patch, err := json.Marshal(map[string]any{"spec": spec})
	if err != nil {
		return nil, fmt.Errorf("the patch of node %s: %w", n.Name, err)
	}
	return []plugin.Change{{
		Object: plugin.Object{Kind: kindOf(nodes), Namespace: st.Namespace, Name: n.Name, UID: n.UID},
		Patch:  patch, Expect: expect,
		Says: fmt.Sprintf("Longhorn node %s: tags %v, %d disks set up as before", n.Name, want.Tags, len(disks)),
	}}, nil
}
