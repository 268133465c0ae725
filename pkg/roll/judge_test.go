// SPDX-License-Identifier: Apache-2.0

package roll

import (
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// TestJudge_OfConsistentReadsNothingIsRemembered changes a fact where no judge
// that remembers looks: in the very memory that it has judged.
func TestJudge_OfConsistentReadsNothingIsRemembered(t *testing.T) {
	v := cluster.Volume{Name: "v", UID: "v", Want: 1, Need: 1, Replicas: []cluster.Replica{{Name: "r", UID: "r", Node: "n", Claim: cluster.Serving}}}
	s := &cluster.Snapshot{Source: cluster.SourceLive, Storages: []cluster.Storage{{Driver: "d", Volumes: []cluster.Volume{v}}}}
	for _, fresh := range []bool{false, true} {
		r := &runner{}
		v.Replicas[0].Claim = cluster.Serving
		before, _ := r.judge(s)
		v.Replicas[0].Claim = cluster.Failed
		s.Look.Fresh = fresh
		after, _ := r.judge(s)
		is, was := after.Volumes[0].Replicas[0].Code, before.Volumes[0].Replicas[0].Code
		if fresh == (is == was) {
			t.Errorf("fresh %v: was %s, is %s", fresh, was, is)
		}
		s.Look.Fresh = false
	}
}
