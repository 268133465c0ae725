// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// Rights are what reading a cluster asks for: a list of every kind, and a
// watch of those that decide something. namespace is where the storages live;
// empty for everywhere.
func Rights(storages []plugin.Storage, namespace string) []cluster.Right {
	var out []cluster.Right
	for _, s := range sources(storages, namespace) {
		r := cluster.Right{Group: s.Group, Resource: s.Resource, Verbs: []string{"list"}, Namespace: s.namespace, For: "to see the cluster"}
		if s.Decides {
			r.Verbs = append(r.Verbs, "watch")
		}
		if s.storage >= 0 {
			r.For = "to see the storage"
		}
		out = append(out, r)
	}
	return out
}
