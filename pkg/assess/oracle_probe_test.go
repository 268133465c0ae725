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

// wasMissing: at some time before, a look found no directory where the replica's still
// should be, and it was not rebuilt since.
func (o oracle) wasMissing(r cluster.Replica) bool {
	for uid, x := range o.s.Missing {
		if uid == r.UID && x.Replica == uid && x.Node == r.Node && x.DiskUUID+"@"+x.DiskPath == r.DiskUUID+"@"+r.DiskPath &&
			x.Directory == r.Directory && x.HealthyAt.Equal(r.HealthyAt) {
			return true
		}
	}
	return false
}

// contradicted: somebody wanted to see the directory, and saw anything but a
// reason to believe in it.
func (o oracle) contradicted(v cluster.Volume, r cluster.Replica) bool {
	seen := o.saw(r)
	if o.wasMissing(r) {
		n := o.s.Node(r.Node)
		x := o.s.Missing[r.UID]
		mine := n != nil && x.Machine == n.Ref && x.At.After(n.Created)
		if n != nil && r.Probe != nil {
			mine = r.Probe.Node == n.Ref && r.Probe.At.After(n.Created)
		}
		gone := r.Probe != nil && (r.Probe.Seen == cluster.SeenNothing || r.Probe.Seen == cluster.SeenReplaced)
		return !mine || gone || v.Used > 0 || v.Mounted
	}
	return r.Probe != nil && seen != cluster.SeenData && !((seen == cluster.SeenBlank || seen == cluster.SeenRemade) && v.Used == 0 && !v.Mounted)
}
