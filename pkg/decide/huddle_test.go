// SPDX-License-Identifier: Apache-2.0

package decide_test

import (
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// huddle is a cluster in which two of the three replicas of the volume lie on
// one disk, while the turn's node is being emptied.
func huddle() *fixture {
	f := three(policy.Evict, 2, 3)
	twin := f.volume().Replicas[1]
	twin.Name, twin.UID = "v-twin", "v-twin"
	f.volume().Replicas = append(f.volume().Replicas, twin)
	f.volume().Want, f.volume().SharesNode, f.volume().Spreads = 3, cluster.Yes, cluster.No
	f.opened()
	f.storage().Nodes[0].Placement = cluster.Placement{Evacuate: true}
	return f
}

func TestTogether_WhatNoWaitEndsHaltsAtOnceAndSaysWhatToDo(t *testing.T) {
	f := huddle()
	h := wantHalt(t, f.next(), decide.ExitUnsafe)
	if !has(h.Findings, decide.CodeTogether) || !strings.Contains(h.Reason, "v-r3 and v-twin lie together on worker-3") ||
		!strings.Contains(h.Reason, "3 good replicas") || !strings.Contains(h.Remedy, "one of the two") {
		t.Errorf("%+v", h)
	}
	if fs := decide.Incurable(f.judge()); !has(fs, decide.CodeTogether) {
		t.Errorf("a roll may begin: %+v", fs)
	}
}

func TestTogether_WaitsWhereTheStorageStillMoves(t *testing.T) {
	for name, change := range map[string]func(*fixture){
		"it spreads them by itself":     func(f *fixture) { f.volume().Spreads = cluster.Yes },
		"whether it does is unknown":    func(f *fixture) { f.volume().Spreads = cluster.Unknown },
		"one is being written":          func(f *fixture) { f.volume().Replicas[0].Claim = cluster.Rebuilding },
		"one may yet turn out good":     func(f *fixture) { f.volume().Replicas[0].Claim = cluster.ClaimUnknown },
		"it lacks one beside":           func(f *fixture) { f.volume().Want = 4 },
		"another volume is being built": func(f *fixture) { f.addVolume("w", 2, 3); f.storage().Volumes[1].Want = 3 },
	} {
		t.Run(name, func(t *testing.T) {
			f := huddle()
			change(f)
			if h, ok := f.next().(decide.Halt); ok {
				t.Errorf("%+v", h)
			}
		})
	}
}

func TestTogether_IsWholeWhenTheTwinLiesElsewhere(t *testing.T) {
	f := huddle()
	f.addNode(cluster.NodeRef{Name: "worker-4", UID: "n4"}, "disk4")
	f.look()
	twin := &f.volume().Replicas[2]
	twin.Node, twin.Owner, twin.DiskUUID = "worker-4", "worker-4", "disk4"
	wantAct(t, f.next(), decide.Cordon)
}
