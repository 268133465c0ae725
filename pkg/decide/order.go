// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"cmp"
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Order is how the nodes of a plan are ordered.
type Order string

// The orders.
const (
	// OrderGiven keeps the order of the request.
	OrderGiven Order = "given"
	// OrderSpare takes first the node without which the volumes keep most
	// spare replicas, of two such the one with less data, and nodes of the
	// control plane last.
	OrderSpare Order = "spare"
)

// controlPlane are the labels of a control plane's nodes; the second is the
// older one.
func controlPlane(labels map[string]string) bool {
	_, now := labels["node-role.kubernetes.io/control-plane"]
	_, before := labels["node-role.kubernetes.io/master"]
	return now || before
}

// ordered returns the nodes in the order of the request.
func (d *draft) ordered(refs []cluster.NodeRef) []cluster.NodeRef {
	if d.req.Order != OrderSpare {
		return refs
	}
	load := d.loads()
	out := slices.Clone(refs)
	slices.SortStableFunc(out, func(a, b cluster.NodeRef) int {
		x, y := load[a.Name], load[b.Name]
		if x.control != y.control {
			if x.control {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(y.spare, x.spare), cmp.Compare(x.bytes, y.bytes), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// burden is what a node carries.
type burden struct {
	control bool
	// spare is the fewest good replicas beyond Need that any volume of the
	// node keeps without it; much where it carries none.
	spare int
	bytes int64
}

func (d *draft) loads() map[string]burden {
	const much = 1 << 30
	out := map[string]burden{}
	for i := range d.j.Snapshot.Nodes {
		n := &d.j.Snapshot.Nodes[i]
		out[n.Ref.Name] = burden{control: controlPlane(n.Labels), spare: much}
	}
	for i := range d.j.Volumes {
		v := &d.j.Volumes[i]
		here := map[string]int{}
		for _, r := range v.Replicas {
			if r.Standing == cluster.StandingGood {
				here[r.Replica.Node]++
			}
		}
		for node, n := range here {
			b := out[node]
			b.spare = min(b.spare, v.Good-n-v.Volume.Need)
			b.bytes += v.Volume.Used
			out[node] = b
		}
	}
	return out
}
