// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Digest is a short hash over what a gate relies upon: every volume with its
// condition and good replicas, the live nodes, and the storages' settings.
// How well a replica is proven and how old anything is are left out, so that
// two looks which agree have the same digest, and others do not.
func (j *Judgement) Digest() string {
	lines := make([]string, 0, len(j.Volumes)+len(j.Nodes))
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
	replicas := make([]string, 0, len(vj.Replicas))
	for i := range vj.Replicas {
		if rj := &vj.Replicas[i]; rj.Here == cluster.StandingGood {
			b := strconv.AppendQuote(make([]byte, 0, 160), string(rj.Replica.UID))
			b = strconv.AppendQuote(append(b, ' '), rj.Replica.Node)
			b = strconv.AppendQuote(append(b, ' '), rj.Replica.DiskUUID)
			replicas = append(replicas, string(append(append(b, ' '), rj.Standing.String()...)))
		}
	}
	slices.Sort(replicas)
	return "volume " + strconv.Quote(string(vj.Volume.UID)) + " " + vj.Condition.String() + " [" + strings.Join(replicas, " ") + "]"
}
