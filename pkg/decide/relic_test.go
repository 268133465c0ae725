// SPDX-License-Identifier: Apache-2.0

package decide_test

import (
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// prunes reports whether the decision prunes, or looks through the gate before it.
func prunes(d decide.Decision) bool {
	switch d := d.(type) {
	case decide.Act:
		return d.Action.Verb == decide.Prune
	case decide.Remember:
		return d.Note.Gate == decide.GatePrune && d.Note.Kind != decide.LookVoided
	default:
		return false
	}
}

// neverUsed is a turn whose node is gone, with the last object of a volume that
// never held anything in the way of what the storage must forget.
func neverUsed() (f *fixture, fresh *cluster.Volume) {
	f, _ = gone()
	f.storage().KeepsNodes = cluster.Yes
	f.volume().Replicas, f.volume().Want = f.volume().Replicas[1:], 2
	f.addVolume("new", 1, 2, 3)
	fresh = &f.storage().Volumes[1]
	fresh.Touched, fresh.Engine.Ever = false, cluster.No
	for i := range fresh.Replicas {
		fresh.Replicas[i].Claim, fresh.Replicas[i].HealthyAt = cluster.Untouched, time.Time{}
	}
	return f, fresh
}

func TestPrune_WhatNeverHeldAnythingGoesOnlyWithoutAnySignOfUse(t *testing.T) {
	for name, c := range map[string]struct {
		bend func(*fixture, *cluster.Volume)
		want bool
	}{
		"nothing speaks against it":     {func(*fixture, *cluster.Volume) {}, true},
		"a sibling is a placeholder":    {func(_ *fixture, v *cluster.Volume) { v.Replicas[1].Claim = cluster.Placeholder }, true},
		"the storage lets go by itself": {func(f *fixture, _ *cluster.Volume) { f.storage().KeepsNodes = cluster.No }, false},
		"nobody knows whether it does":  {func(f *fixture, _ *cluster.Volume) { f.storage().KeepsNodes = cluster.Unknown }, false},
		"it is another node's":          {func(_ *fixture, v *cluster.Volume) { v.Replicas[0].Node = "worker-9" }, false},
		"a machine bears the name again": {func(f *fixture, _ *cluster.Volume) {
			f.addNode(cluster.NodeRef{Name: ref(1).Name, UID: "x"}, "x")
			f.look()
		}, false},
		"it was touched":                   {func(_ *fixture, v *cluster.Volume) { v.Touched = true }, false},
		"it has a size":                    {func(_ *fixture, v *cluster.Volume) { v.Used = 1 }, false},
		"its engine is not there":          {func(_ *fixture, v *cluster.Volume) { v.Engine.Present = cluster.No }, false},
		"its engine ran":                   {func(_ *fixture, v *cluster.Volume) { v.Engine.Ever = cluster.Yes }, false},
		"nobody knows whether it ran":      {func(_ *fixture, v *cluster.Volume) { v.Engine.Ever = cluster.Unknown }, false},
		"it is on its way to be served":    {func(_ *fixture, v *cluster.Volume) { v.State = cluster.Attaching }, false},
		"it is of another kind":            {func(_ *fixture, v *cluster.Volume) { v.Class = cluster.ClassStandby }, false},
		"something about it is in doubt":   {func(_ *fixture, v *cluster.Volume) { v.Doubts = []cluster.Doubt{{Code: "odd/thing"}} }, false},
		"a sibling held data":              {func(_ *fixture, v *cluster.Volume) { v.Replicas[1].Claim, v.Replicas[1].HealthyAt = cluster.Idle, noon }, false},
		"a sibling failed":                 {func(_ *fixture, v *cluster.Volume) { v.Replicas[2].Claim = cluster.Failed }, false},
		"it is being deleted already":      {func(_ *fixture, v *cluster.Volume) { v.Replicas[0].Deleting = true }, false},
		"it is the last":                   {func(_ *fixture, v *cluster.Volume) { v.Replicas = v.Replicas[:1] }, false},
		"its siblings are being deleted":   {func(_ *fixture, v *cluster.Volume) { v.Replicas[1].Deleting, v.Replicas[2].Deleting = true, true }, false},
		"its siblings went with their own": {func(_ *fixture, v *cluster.Volume) { v.Replicas[1].Node, v.Replicas[2].Node = "worker-8", "worker-9" }, false},
		"its siblings' nodes are silent": {func(f *fixture, _ *cluster.Volume) {
			f.s.Nodes[0].Ready, f.s.Nodes[1].Ready = cluster.Unknown, cluster.No
		}, false},
	} {
		f, fresh := neverUsed()
		c.bend(f, fresh)
		if d := f.next(); prunes(d) != c.want {
			t.Errorf("%s: %T %+v", name, d, d)
		}
	}
}

// short of a replica before the first turn: worker-3 serves one of which a look
// tells that its directory is empty, and another one has failed.
func TestPrune_NothingThatMayStillBeThere(t *testing.T) {
	for name, c := range map[string]struct {
		bend func(*fixture, *cluster.Replica)
		want bool
	}{
		"its machine is gone":                     {func(*fixture, *cluster.Replica) {}, true},
		"it is being deleted already":             {func(_ *fixture, r *cluster.Replica) { r.Deleting = true }, false},
		"a machine bears the name, nobody looked": {again, false},
		"a look shows that it is gone":            {func(f *fixture, r *cluster.Replica) { again(f, r); seen(f, r, cluster.SeenNothing) }, true},
		"a look shows another disk without it":    {func(f *fixture, r *cluster.Replica) { again(f, r); seen(f, r, cluster.SeenReplaced) }, true},
		"a look shows data":                       {func(f *fixture, r *cluster.Replica) { again(f, r); seen(f, r, cluster.SeenData) }, false},
		"a look shows half of it":                 {func(f *fixture, r *cluster.Replica) { again(f, r); seen(f, r, cluster.SeenBroken) }, false},
		"another machine answered": {func(f *fixture, r *cluster.Replica) {
			again(f, r)
			seen(f, r, cluster.SeenNothing)
			r.Probe.Node.UID = "x"
		}, false},
		"the objects say that its disk is the same": {func(f *fixture, r *cluster.Replica) {
			again(f, r)
			seen(f, r, cluster.SeenReplaced)
			r.DiskUUID = "disk3"
		}, false},
		"an engine serves it all the same": {func(f *fixture, r *cluster.Replica) {
			again(f, r)
			seen(f, r, cluster.SeenNothing)
			r.DiskUUID = "disk3"
			r.Claim = cluster.Serving
		}, false},
		"another one is being written in its stead": {func(f *fixture, r *cluster.Replica) {
			r.Claim = cluster.Failed
			f.volume().Replicas[1].Claim = cluster.Rebuilding
		}, false},
		"a failed one keeps others from its place": {func(f *fixture, r *cluster.Replica) {
			again(f, r)
			seen(f, r, cluster.SeenNothing)
			r.Claim = cluster.Failed
		}, true},
		"a failed one and nobody looked":      {func(f *fixture, r *cluster.Replica) { again(f, r); r.Claim = cluster.Failed }, false},
		"a failed one of a node that is gone": {func(_ *fixture, r *cluster.Replica) { r.Claim = cluster.Failed }, true},
		"a failed one that is gone, and all is well": {func(f *fixture, r *cluster.Replica) {
			r.Claim = cluster.Failed
			f.volume().Want = 2
			f.volume().Replicas[1].Claim = cluster.Serving
		}, false},
		"no sibling is proven": {func(f *fixture, _ *cluster.Replica) {
			f.volume().Replicas[0].Claim, f.volume().Engine.Running, f.volume().State = cluster.Idle, cluster.No, cluster.Detached
		}, false},
	} {
		f := three(policy.Evict, 1, 2, 3)
		f.attach(2, cluster.Hold{ID: "pod", Kind: cluster.HoldWorkload, Node: ref(2).Name})
		v := f.volume()
		v.Replicas[0].Claim, v.Replicas[1].Claim = cluster.Serving, cluster.Failed
		r := &v.Replicas[2]
		r.Claim, r.DiskUUID = cluster.Idle, "of an earlier machine"
		f.removeNode(3)
		f.addNode(cluster.NodeRef{Name: "worker-4", UID: "n4"}, "disk4")
		f.addNode(cluster.NodeRef{Name: "worker-5", UID: "n5"}, "disk5")
		f.look()
		c.bend(f, r)
		f.look()
		if x, missing := r.Missing(); missing { // which is written down before
			f.mem.Missing = map[cluster.UID]cluster.Missing{r.UID: x}
		}
		if d := f.next(); prunes(d) != c.want {
			t.Errorf("%s: %T %+v", name, d, d)
		}
	}
}

// again brings a machine of the replica's node's name back.
func again(f *fixture, _ *cluster.Replica) { f.addNode(ref(3), "disk3") }

func seen(f *fixture, r *cluster.Replica, what cluster.Seen) {
	r.Probe = &cluster.Probe{Seen: what, Node: ref(3), At: f.now}
}

func TestPrune_WhatWasProvenBeforeTheDrainIsNoSibling(t *testing.T) {
	for name, c := range map[string]struct {
		bend func(*fixture, *decide.Turn)
		want bool
	}{
		"since the drain":         {func(*fixture, *decide.Turn) {}, true},
		"before it":               {func(_ *fixture, x *decide.Turn) { x.Proved["v-r2"] = noon.Add(-time.Second) }, false},
		"without a drain":         {func(_ *fixture, x *decide.Turn) { x.DrainedAt = time.Time{} }, false},
		"it has failed since":     {func(f *fixture, _ *decide.Turn) { f.volume().Replicas[1].Claim = cluster.Failed }, false},
		"it is the one that went": {func(_ *fixture, x *decide.Turn) { x.Proved = map[cluster.UID]time.Time{"v-r1": noon} }, false},
	} {
		f, turn := gone()
		turn.Proved["v-r2"] = noon
		c.bend(f, turn)
		if d := f.next(); prunes(d) != c.want {
			t.Errorf("%s: %T %+v", name, d, d)
		}
	}
}

func TestPrune_ALookRestsOnTheReplicaAndOnTheSiblingsThatWereProven(t *testing.T) {
	for name, change := range map[string]func(*fixture, *decide.Turn){
		"another sibling is proven": func(_ *fixture, x *decide.Turn) { x.Proved = map[cluster.UID]time.Time{"v-r3": noon} },
		"another replica is gone":   func(f *fixture, _ *decide.Turn) { f.volume().Replicas[0].UID = "another" },
	} {
		f, turn := gone()
		turn.Proved["v-r2"] = noon
		n := wantNote(t, f.next(), decide.LookTaken)
		f.mem.Looks[n.Gate] = *n.Look
		change(f, turn)
		f.pass(f.plan.Policy.LookInterval)
		if n := wantNote(t, f.next(), decide.LookVoided); n.Gate != decide.GatePrune {
			t.Errorf("%s: %+v", name, n)
		}
	}
}
