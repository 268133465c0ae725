// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
)

// Missing says what a roll that nobody disturbed did not reach: [History.Kept],
// every machine to be rebooted is the same one, every volume has all its copies, as
// many machines are there as before, and what was told to those that stayed is as
// it was.
func (h History) Missing() []string {
	out := h.Kept()
	if h.Truth.End == nil || len(out) > 0 {
		return out
	}
	for _, t := range h.Events[0].Plan.Turns {
		if h.Events[0].Plan.Goal.Reboots() && !h.there(t.Node.UID) {
			out = append(out, t.Node.Name+" did not come back")
		}
	}
	if len(h.Truth.End.Nodes) != h.Machines {
		out = append(out, fmt.Sprintf("%d machines, and there were %d", len(h.Truth.End.Nodes), h.Machines))
	}
	for _, v := range h.Truth.End.Volumes {
		if v.Written && len(v.Copies) < v.Want {
			out = append(out, fmt.Sprintf("volume %s has %d of %d copies", v.Name, len(v.Copies), v.Want))
		}
	}
	return append(out, h.Changed...)
}

// Kept says which machines that were to be replaced are still there. No roll that
// has ended well leaves any, whatever others did.
func (h History) Kept() []string {
	if len(h.Events) == 0 || h.Events[0].Plan == nil || h.Truth.End == nil {
		return []string{"there is no journal"}
	}
	var out []string
	for _, t := range h.Events[0].Plan.Turns {
		if !h.Events[0].Plan.Goal.Reboots() && h.there(t.Node.UID) {
			out = append(out, t.Node.Name+" was not replaced")
		}
	}
	return out
}

func (h History) there(uid cluster.UID) bool {
	return slices.ContainsFunc(h.Truth.End.Nodes, func(n oracle.Node) bool { return n.Ref.UID == uid })
}
