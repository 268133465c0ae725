// SPDX-License-Identifier: Apache-2.0

package decide_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

const role = "node-role.kubernetes.io/worker"

// furnished is a turn after the join of a bare replacement; the old node had a
// role, labels, a taint, a storage tag, and a tagged disk.
func furnished(t *testing.T) *fixture {
	f := three(policy.Refill, 1, 2, 3)
	n, sn := &f.s.Nodes[0], &f.storage().Nodes[0]
	n.Labels = map[string]string{role: "", "pool": "fast", "kubernetes.io/hostname": "worker-1", "topology.kubernetes.io/zone": "a", "topology.ebs.csi.example/zone": "a"}
	n.Taints = []string{"dedicated=db:NoSchedule", "node.kubernetes.io/unschedulable=:NoSchedule"}
	sn.Tags = []string{"ssd"}
	sn.Disks[0].Tags, sn.Disks[0].Reserved, sn.Disks[0].Maximum = []string{"nvme"}, 5, 100
	note := wantNote(t, f.next(), decide.TurnOpened)
	turn := f.drained()
	turn.Open, turn.RetiredAt = *note.Turn, noon
	f.removeNode(1)
	f.volume().Replicas = f.volume().Replicas[1:]
	f.addNode(cluster.NodeRef{Name: "new", UID: "new"}, "newdisk")
	f.s.Nodes[2].Labels = map[string]string{"pool": "slow"}
	f.s.Nodes[2].Taints = []string{"other=:NoExecute"}
	f.storage().Nodes[2].Disks[0].Maximum = 100
	turn.Joined = cluster.NodeRef{Name: "new", UID: "new"}
	f.look()
	return f
}

func TestRestore_GivesTheReplacementWhatItLacksAndTakesNothingAway(t *testing.T) {
	f := furnished(t)
	a := wantAct(t, f.next(), decide.Refit)
	if a.Node.UID != "new" || !maps.Equal(a.Fittings.Labels, map[string]string{role: ""}) ||
		len(a.Fittings.Taints) != 1 || a.Fittings.Taints[0] != "dedicated=db:NoSchedule" {
		t.Errorf("%+v %+v", a, a.Fittings)
	}
	f.s.Nodes[2].Labels[role] = ""
	f.s.Nodes[2].Taints = append(f.s.Nodes[2].Taints, a.Fittings.Taints...)
	a = wantAct(t, f.next(), decide.Refit)
	want := a.Fittings.Storage[driver]
	if d := want.Disks["/d"]; a.StorageNode.UID != "snew" || len(want.Tags) != 1 || d.Reserved != 5 || len(d.Tags) != 1 || d.Tags[0] != "nvme" {
		t.Errorf("%+v %+v", a, want)
	}
	if b := a; !a.Same(b) {
		t.Error("a deed is not the same as itself")
	}
	sn := &f.storage().Nodes[2]
	sn.Tags, sn.Disks[0].Tags, sn.Disks[0].Reserved = want.Tags, want.Disks["/d"].Tags, 5
	wantAct(t, f.next(), decide.Wake)
}

func TestRestore_TheSpaceReservedOnADiskOfAnotherSizeStays(t *testing.T) {
	f := furnished(t)
	f.s.Nodes[2].Labels[role] = ""
	f.s.Nodes[2].Taints = append(f.s.Nodes[2].Taints, "dedicated=db:NoSchedule")
	f.storage().Nodes[2].Disks[0].Maximum, f.storage().Nodes[2].Disks[0].Reserved = 50, 2
	if d := wantAct(t, f.next(), decide.Refit).Fittings.Storage[driver].Disks["/d"]; d.Reserved != 2 {
		t.Errorf("%+v", d)
	}
}

func TestRestore_OnlyWhereItMay(t *testing.T) {
	f := furnished(t)
	f.plan.Policy.LeaveAsJoined = true
	wantAct(t, f.next(), decide.Wake)
}

func TestRestore_HaltsForAVolumeWhoseDiskWentForGood(t *testing.T) {
	f := furnished(t)
	f.volume().DiskTags = []string{"nvme"}
	f.plan.Policy.LeaveAsJoined = true
	h := wantHalt(t, f.next(), decide.ExitUnsafe)
	if !has(h.Findings, decide.CodeNotRestored) || !strings.Contains(h.Reason, "Volume v wants") {
		t.Errorf("%+v", h)
	}
	f.storage().Nodes[1].Disks[0].Tags = []string{"nvme", "more"}
	wantAct(t, f.next(), decide.Wake)
	f.storage().Nodes[1].Disks[0].Tags = nil
	f.plan.Policy.Accepted = []policy.Risk{{Code: decide.CodeNotRestored, Name: "v"}}
	wantAct(t, f.next(), decide.Wake)
}

// A taint of another value would be added for ever, because the API server
// knows one taint by key and effect.
func TestRestore_WhatHasAnotherValueStays(t *testing.T) {
	f := furnished(t)
	f.s.Nodes[2].Labels[role] = ""
	f.s.Nodes[2].Taints = append(f.s.Nodes[2].Taints, "dedicated=web:NoSchedule")
	if a := wantAct(t, f.next(), decide.Refit); a.StorageNode.UID == "" {
		t.Errorf("%+v %+v", a, a.Fittings)
	}
}
