// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Missing says what a roll that nobody disturbed did not reach: every planned
// machine is another one, or after a reboot the same, every volume has all its copies, and as many machines
// are there as before.
func (h History) Missing() []string {
	if len(h.Events) == 0 || h.Events[0].Plan == nil || h.Truth.End == nil {
		return []string{"there is no journal"}
	}
	var out []string
	there := map[cluster.UID]bool{}
	for _, n := range h.Truth.End.Nodes {
		there[n.Ref.UID] = true
	}
	reboots := h.Events[0].Plan.Goal.Reboots()
	for _, t := range h.Events[0].Plan.Turns {
		switch {
		case reboots && !there[t.Node.UID]:
			out = append(out, t.Node.Name+" did not come back")
		case !reboots && there[t.Node.UID]:
			out = append(out, t.Node.Name+" was not replaced")
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
	return out
}
