// SPDX-License-Identifier: Apache-2.0

package assess

import "github.com/safe-roll/kubectl-safe-roll/pkg/cluster"

// most is the largest number of the chosen replicas in places of their own.
func most(v cluster.Volume, chosen []cluster.Replica) int {
	best := 0
	for set := range 1 << len(chosen) {
		n, apart := 0, true
		for i := range chosen {
			if set>>i&1 == 0 {
				continue
			}
			n++
			for k := range i {
				if set>>k&1 == 1 && together(v, chosen[i], chosen[k]) {
					apart = false
				}
			}
		}
		if apart {
			best = max(best, n)
		}
	}
	return best
}

func together(v cluster.Volume, a, b cluster.Replica) bool {
	if v.SharesNode == cluster.Yes {
		return a.DiskUUID == b.DiskUUID && a.DiskUUID != ""
	}
	return a.Node == b.Node && a.Node != ""
}

// enough tries every way in which the open replicas may turn out. What is about
// to go counts for no question about a node.
func (o oracle) enough(st cluster.Storage, v cluster.Volume, without string, least int) cluster.Verdict {
	var sure, open []cluster.Replica
	for _, r := range v.Replicas {
		if without != "" && r.Node == without {
			continue
		}
		counts := o.counts(st, v, r)
		if without != "" {
			counts = o.stays(st, v, r)
		}
		switch counts {
		case yes:
			sure = append(sure, r)
		case maybe:
			open = append(open, r)
		}
	}
	ever, always := false, true
	for set := range 1 << len(open) {
		chosen := append([]cluster.Replica{}, sure...)
		for i := range open {
			if set>>i&1 == 1 {
				chosen = append(chosen, open[i])
			}
		}
		holds := most(v, chosen) >= least
		ever, always = ever || holds, always && holds
	}
	switch {
	case always:
		return cluster.Safe
	case ever:
		return cluster.VerdictUnknown
	default:
		return cluster.Unsafe
	}
}
