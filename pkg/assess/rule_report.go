// SPDX-License-Identifier: Apache-2.0

package assess

import "github.com/safe-roll/kubectl-safe-roll/pkg/cluster"

// Clause 3 once more: a storage node's Ready condition is written by the
// storage itself, and stays as it is for a while, or for ever, once nobody
// writes any more. The pods that write it are Kubernetes' to judge: each node
// needs one that is seen to be ready. Only files without pods conclude nothing,
// and say so; a cluster whose pods may not be read hides them.

// reporters maps the nodes to whether the storage's reporter is ready there;
// nil where nothing is concluded from who reports.
func (w *world) reporters(st *cluster.Storage) map[string]bool {
	if st.Reporter == "" || !w.pods {
		return nil
	}
	out := make(map[string]bool, len(w.snap.Nodes))
	for i := range w.snap.Pods {
		p := &w.snap.Pods[i]
		if p.Ref.Namespace != st.Namespace || p.OwnerName != "DaemonSet/"+st.Reporter {
			continue
		}
		out[p.Node] = out[p.Node] || p.Ready == cluster.Yes && !p.Deleting && !p.Finished
	}
	return out
}

// reported judges whether what the storage says of the node is of the present.
func (st *storageWorld) reported(node string) reason {
	if st.reporters == nil || st.reporters[node] {
		return good(cluster.ProofNone)
	}
	return unknown(StorageNodeSilent, fact("storageNode", node), fact("reporter", st.facts.Namespace+"/"+st.facts.Reporter))
}
