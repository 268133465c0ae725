// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// A volume that lets its replicas share a place may be rebuilt beside one of its
// own while a node is out. What lies together is lost together and counts once;
// its storage counts both, takes the volume for whole, and unless it spreads
// replicas by itself builds no other. No wait ends that. It is not mended either:
// the replica that would have to go is a good one, and no rule lets a roll delete
// one.

// huddled returns two good replicas of the volume that lie together, and how many
// are good, where that is as many as the volume wants and nothing more is on its
// way; nil else.
func huddled(v *assess.VolumeJudgement) (kept, other *cluster.Replica, good int) {
	if v.Condition != assess.Degraded || v.Volume.Spreads != cluster.No || v.Leaving > 0 || v.Doubtful > 0 || len(v.Volume.Busy) > 0 {
		return nil, nil, 0
	}
	at := map[string]*cluster.Replica{}
	for i := range v.Replicas {
		r := &v.Replicas[i]
		if r.Standing == cluster.StandingRebuilding {
			return nil, nil, 0
		}
		if r.Standing != cluster.StandingGood {
			continue
		}
		good++
		place := r.Replica.Node
		if v.Volume.SharesNode == cluster.Yes {
			place = r.Replica.DiskUUID
		}
		if first := at[place]; first != nil {
			kept, other = first, r.Replica
		}
		at[place] = r.Replica
	}
	if good < v.Volume.Want {
		return nil, nil, 0
	}
	return kept, other, good
}

// together says it of the volume; ok is false where it is not so.
func together(v *assess.VolumeJudgement) (f assess.Finding, ok bool) {
	kept, other, good := huddled(v)
	if other == nil {
		return assess.Finding{}, false
	}
	return assess.Finding{
		Code: CodeTogether, Severity: assess.Danger,
		Subject: assess.Subject{Kind: "Volume", Name: v.Volume.Name},
		Message: fmt.Sprintf("volume %s has %d good replicas, but %s and %s lie together on %s and would be lost together, so they count once; "+
			"its storage counts both, and builds no other", v.Volume.Name, good, kept.Name, other.Name, other.Node),
		Evidence: []cluster.Fact{
			{Name: "replica", Value: kept.Name}, {Name: "replica", Value: other.Name},
			{Name: "node", Value: other.Node}, {Name: "disk", Value: other.DiskUUID},
		},
	}, true
}
