// SPDX-License-Identifier: Apache-2.0

package assess

import "github.com/safe-roll/kubectl-safe-roll/pkg/cluster"

// saw is what a look into the directory found that counts for this machine.
func (o oracle) saw(r cluster.Replica) cluster.Seen {
	n := o.s.Node(r.Node)
	if r.Probe == nil || n == nil || r.Probe.Node != n.Ref || !r.Probe.At.After(n.Created) {
		return cluster.SeenNoAnswer
	}
	return r.Probe.Seen
}

// contradicted: somebody wanted to see the directory, and saw anything but a
// reason to believe in it.
func (o oracle) contradicted(v cluster.Volume, r cluster.Replica) bool {
	seen := o.saw(r)
	return r.Probe != nil && seen != cluster.SeenData && !((seen == cluster.SeenBlank || seen == cluster.SeenRemade) && v.Used == 0 && !v.Mounted)
}
