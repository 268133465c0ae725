// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

const drainPolicy = "node-drain-policy"

// Insists names the volumes whose replicas Longhorn moves off a cordoned node
// by itself, and without which it never lets the node's instance manager go:
// all of them under block-for-eviction, and under its milder form those
// without another replica that counts (v1.8.1 controller/node_controller.go
// shouldEvictReplica, instance_manager_controller.go
// canDeleteInstanceManagerPDB).
func (Placer) Insists(st *cluster.Storage, node string) (string, []string) {
	policy := ""
	for _, f := range st.Settings {
		if f.Name == drainPolicy {
			policy = f.Value
		}
	}
	if policy != "block-for-eviction" && policy != "block-for-eviction-if-contains-last-replica" {
		return "", nil
	}
	var out []string
	for i := range st.Volumes {
		v := &st.Volumes[i]
		here, elsewhere := false, false
		for k := range v.Replicas {
			r := &v.Replicas[k]
			here = here || r.Node == node
			elsewhere = elsewhere || r.Node != node && (r.Claim == cluster.Idle || r.Claim == cluster.Serving)
		}
		if here && (policy == "block-for-eviction" || !elsewhere) {
			out = append(out, v.Name)
		}
	}
	return drainPolicy + " " + policy, out
}

// Distrust says where Longhorn's own eviction of detached volumes hangs or
// does not begin (longhorn/longhorn issues 9781 and 9857; mended in 1.6.4,
// 1.7.3 and 1.8.0).
func (Placer) Distrust(st *cluster.Storage, node string) string {
	var major, minor, patch int
	if n, err := fmt.Sscanf(st.Version, "v%d.%d.%d", &major, &minor, &patch); err != nil || n < 3 || major != 1 {
		return ""
	}
	if minor >= 8 || minor == 7 && patch >= 3 || minor == 6 && patch >= 4 {
		return ""
	}
	asleep := 0
	for i := range st.Volumes {
		v := &st.Volumes[i]
		if v.State == cluster.Detached && slices.ContainsFunc(v.Replicas, func(r cluster.Replica) bool { return r.Node == node }) {
			asleep++
		}
	}
	if asleep == 0 {
		return ""
	}
	return fmt.Sprintf("Longhorn %s may hang when it evicts detached volumes, and %d on %s are detached (mended in 1.6.4, 1.7.3 and 1.8.0)",
		st.Version, asleep, node)
}

// Unread names what was not read and decides placement: without any setting,
// every limit would be a guess, and without any instance manager no node is
// known to take a replica.
func (Placer) Unread(st *cluster.Storage) []string {
	var out []string
	if len(st.Settings) == 0 {
		out = append(out, "settings.longhorn.io")
	}
	if !slices.ContainsFunc(st.Nodes, func(n cluster.StorageNode) bool { return n.Serving != cluster.Unknown }) && len(st.Nodes) > 0 {
		out = append(out, "instancemanagers.longhorn.io")
	}
	if !slices.ContainsFunc(st.Nodes, func(n cluster.StorageNode) bool { return len(n.Runtimes) > 0 }) &&
		slices.ContainsFunc(st.Volumes, func(v cluster.Volume) bool { return v.Runtime != "" }) {
		out = append(out, "engineimages.longhorn.io")
	}
	return out
}
