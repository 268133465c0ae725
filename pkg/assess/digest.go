// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Digest is a short hash over what a gate relies upon: every volume with its
// condition and good replicas, the live nodes, and the storages' settings.
// How well a replica is proven and how old anything is are left out, so that
// two looks which agree have the same digest, and others do not.
func (j *Judgement) Digest() string {
	var lines []string
	for i := range j.Volumes {
		lines = append(lines, digestOf(&j.Volumes[i]))
	}
	for i := range j.Nodes {
		if n := &j.Nodes[i]; n.Live == cluster.Yes {
			lines = append(lines, fmt.Sprintf("node %q", n.Node.Ref.UID))
		}
	}
	for i := range j.Snapshot.Storages {
		st := &j.Snapshot.Storages[i]
		for _, s := range st.Settings {
			lines = append(lines, fmt.Sprintf("setting %q %q %q", st.Driver, s.Name, s.Value))
		}
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:8])
}

func digestOf(vj *VolumeJudgement) string {
	var replicas []string
	for i := range vj.Replicas {
		if rj := &vj.Replicas[i]; rj.Here == cluster.StandingGood {
			replicas = append(replicas, fmt.Sprintf("%q %q %q %s", rj.Replica.UID, rj.Replica.Node, rj.Replica.DiskUUID, rj.Standing))
		}
	}
	slices.Sort(replicas)
	return fmt.Sprintf("volume %q %s %v", vj.Volume.UID, vj.Condition, replicas)
}
