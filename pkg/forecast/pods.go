// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"fmt"
	"slices"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Pods says, by UID, of the pods on a node that fit on no other node why:
// their requests, node selectors, required node affinities and tolerations
// against what the other nodes have, and the volumes that lie on one node.
// Each pod is tried for itself, beside the pods that are there now.
func Pods(s *cluster.Snapshot, node string) map[cluster.UID]string {
	free := freeOf(s)
	out := map[cluster.UID]string{}
	for i := range s.Pods {
		p := &s.Pods[i]
		if p.Node != node || p.Finished || p.Owner == cluster.OwnerDaemonSet || p.Owner == cluster.OwnerStatic {
			continue
		}
		if why := nowhere(s, p, node, free); why != "" {
			out[p.Ref.UID] = why
		}
	}
	return out
}

// PodsIgnored says what Pods does not consider.
func PodsIgnored() string {
	return "of pods: affinities between pods, topology spread, host ports, extended resources, preemption, and that several pods may want the same room"
}

// room is what a node has left to be requested.
type room struct{ cpu, memory int64 }

func freeOf(s *cluster.Snapshot) map[string]room {
	out := map[string]room{}
	for i := range s.Nodes {
		n := &s.Nodes[i]
		out[n.Ref.Name] = room{n.CPU, n.Memory}
	}
	for i := range s.Pods {
		if p := &s.Pods[i]; p.Node != "" && !p.Finished {
			r := out[p.Node]
			out[p.Node] = room{r.cpu - p.CPU, r.memory - p.Memory}
		}
	}
	return out
}

// nowhere says why the pod fits on no node but the given one; empty where it
// fits.
func nowhere(s *cluster.Snapshot, p *cluster.Pod, node string, free map[string]room) string {
	var whys []string
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if n.Ref.Name == node {
			continue
		}
		why := refuses(s, n, p, free[n.Ref.Name])
		if why == "" {
			return ""
		}
		whys = append(whys, n.Ref.Name+" "+why)
	}
	if len(whys) == 0 {
		return "there is no other node"
	}
	const most = 4
	if n := len(whys) - most; n > 0 {
		whys = append(whys[:most], fmt.Sprintf("and %d more nodes neither", n))
	}
	return strings.Join(whys, "; ")
}

// refuses says why the node cannot take the pod; empty where it can.
func refuses(s *cluster.Snapshot, n *cluster.Node, p *cluster.Pod, free room) string {
	switch {
	case n.Cordoned:
		return "is cordoned"
	case n.Ready != cluster.Yes:
		return "is not ready"
	case n.Deleting:
		return "is being deleted"
	}
	if taint := untolerated(n, p); taint != "" {
		return "has the taint " + taint
	}
	if !selects(n.Labels, p.NodeSelector) || !matches(p.Affinity, n) {
		return "is not a node that it asks for"
	}
	if bound(s, p, n) {
		return "cannot reach its volume"
	}
	switch {
	case n.CPU > 0 && p.CPU > free.cpu:
		return fmt.Sprintf("has %dm of CPU left, and it requests %dm", max(0, free.cpu), p.CPU)
	case n.Memory > 0 && p.Memory > free.memory:
		return fmt.Sprintf("has %d MiB of memory left, and it requests %d", max(0, free.memory)>>20, p.Memory>>20)
	}
	return ""
}

// untolerated is a taint of the node that keeps the pod away; empty for none.
func untolerated(n *cluster.Node, p *cluster.Pod) string {
	for _, taint := range n.Taints {
		at := strings.LastIndex(taint, ":")
		if at < 0 || taint[at+1:] == "PreferNoSchedule" {
			continue
		}
		if !slices.ContainsFunc(p.Tolerations, func(t cluster.Toleration) bool { return tolerates(t, taint) }) {
			return taint
		}
	}
	return ""
}

func selects(labels, wants map[string]string) bool {
	for k, v := range wants {
		if have, ok := labels[k]; !ok || have != v {
			return false
		}
	}
	return true
}

// bound reports whether a volume of the pod lies on nodes of which this is none.
func bound(s *cluster.Snapshot, p *cluster.Pod, n *cluster.Node) bool {
	for i := range s.Persistent {
		pv := &s.Persistent[i]
		if pv.ClaimNamespace != p.Ref.Namespace || !slices.Contains(p.Claims, pv.ClaimName) || len(pv.Hostnames) == 0 {
			continue
		}
		if !slices.Contains(pv.Hostnames, n.Ref.Name) && !slices.Contains(pv.Hostnames, n.Labels["kubernetes.io/hostname"]) {
			return true
		}
	}
	return false
}
