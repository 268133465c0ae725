// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"strconv"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Copies in one zone are lost with it. A volume is whole all the same, and its
// floor is kept: a zone is no node, and nobody takes it out on purpose. It is
// said, where the cluster has other zones.

// zoneNote says that several good replicas, those on the node named without left
// out, all lie in one of the cluster's zones; nil for no.
func (say volumeVoice) zoneNote(zones map[string]string, without string) *Finding {
	in, n := "", 0
	for i := range say.vj.Replicas {
		rj := &say.vj.Replicas[i]
		if rj.Standing != cluster.StandingGood || rj.Replica.Node == without {
			continue
		}
		zone := zones[rj.Replica.Node]
		if zone == "" || n > 0 && zone != in {
			return nil
		}
		in, n = zone, n+1
	}
	if n < 2 || !otherThan(zones, in) {
		return nil
	}
	format := "%s has all its good replicas in zone " + in + "."
	if without != "" {
		format = "%s has all its good replicas in zone " + in + " without node " + without + "."
	}
	f := say.finding(VolumeOneZone, Note, format, fact("zone", in), fact("replicas.good", strconv.Itoa(n)))
	return &f
}

// zonesOf maps the nodes to their zones.
func zonesOf(s *cluster.Snapshot) map[string]string {
	out := make(map[string]string, len(s.Nodes))
	for i := range s.Nodes {
		out[s.Nodes[i].Ref.Name] = s.Nodes[i].Zone
	}
	return out
}

// otherThan reports whether any node is known to be in another zone.
func otherThan(zones map[string]string, zone string) bool {
	for _, z := range zones {
		if z != "" && z != zone {
			return true
		}
	}
	return false
}
