// SPDX-License-Identifier: Apache-2.0

package assess

import "github.com/safe-roll/kubectl-safe-roll/pkg/cluster"

// blind reports whether a whole kind that volumes are judged by was not read.
// Then nothing can be said of any volume: without the list of replicas every
// volume would look lost, which is no better a lie than that all are well.
func blind(s *cluster.Snapshot) bool {
	for _, g := range s.Gaps {
		if !g.Needed || !g.OfStorage {
			continue
		}
		switch g.Reason {
		case cluster.GapForbidden, cluster.GapMissing, cluster.GapNotGiven, cluster.GapTruncated, cluster.GapFailed:
			return true
		}
	}
	return false
}

// unjudged is every volume with nothing said of it.
func (w *world) unjudged() []VolumeJudgement {
	var out []VolumeJudgement
	for i := range w.storages {
		st := &w.storages[i]
		for k := range st.facts.Volumes {
			out = append(out, w.unjudgedVolume(st, &st.facts.Volumes[k]))
		}
	}
	return out
}

// unjudgedVolume is one of them.
func (w *world) unjudgedVolume(st *storageWorld, v *cluster.Volume) VolumeJudgement {
	vj := VolumeJudgement{Volume: v, Driver: st.facts.Driver}
	w.named(st, &vj)
	for r := range v.Replicas {
		vj.Replicas = append(vj.Replicas, ReplicaJudgement{Replica: &v.Replicas[r], Code: InputGapNeeded})
	}
	return vj
}
