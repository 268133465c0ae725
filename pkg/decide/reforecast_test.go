// SPDX-License-Identifier: Apache-2.0

package decide_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

func (f *fixture) reforecast(d decide.Decision, r room) decide.Decision {
	return f.plan.Reforecast(d, f.judge(), f.mem, map[string]forecast.Placer{driver: r})
}

func opening() decide.Decision {
	return decide.Remember{Note: decide.Note{Kind: decide.TurnOpened, Node: ref(1)}}
}

// A turn opens only while its plan still holds: the cluster may have changed
// since the plan was made, by the turns before it or by another hand.
func TestReforecast_ATurnOpensOnlyWhereItCanStillEnd(t *testing.T) {
	f := three(policy.Evict, 1, 2)
	if d := f.reforecast(opening(), true); !reflect.DeepEqual(d, opening()) {
		t.Errorf("%+v", d)
	}
	if w := wantWait(t, f.reforecast(opening(), false), decide.Preflight); len(w.Left) != 1 || w.Limit <= 0 {
		t.Errorf("%+v", w)
	}
	f.plan.Settings = "others"
	h := wantHalt(t, f.reforecast(opening(), false), decide.ExitUnsafe)
	if !has(h.Findings, decide.CodeChanged) || h.Remedy == "" {
		t.Errorf("%+v", h)
	}
	// A turn that is not of this plan is not its business.
	if d := f.reforecast(decide.Remember{Note: decide.Note{Kind: decide.TurnOpened, Node: ref(2)}}, false); !reflect.DeepEqual(d.(decide.Remember).Note.Node, ref(2)) {
		t.Errorf("%+v", d)
	}
}

func TestReforecast_WhileReplicasMoveASettingThatMakesItWorseHalts(t *testing.T) {
	f := three(policy.Evict, 1, 2)
	wait := decide.Wait{Phase: decide.Evacuate, For: "replicas"}
	f.storage().Settings = []cluster.Fact{{Name: "soft", Value: "true"}, {Name: "patience", Value: "600"}}
	f.storage().HoldBack = &cluster.Knob{Name: "patience"}
	f.plan, _ = f.propose(true, func(r *decide.Request) { r.Policy.Strategy = policy.Evict })
	f.storage().Nodes[0].Placement.Evacuate = true
	if d := f.reforecast(wait, false); !reflect.DeepEqual(d, wait) {
		t.Errorf("nothing was changed: %+v", d)
	}
	f.storage().Settings[1].Value = "0" // what only holds rebuilds back
	if d := f.reforecast(wait, false); !reflect.DeepEqual(d, wait) {
		t.Errorf("only the patience was changed: %+v", d)
	}
	f.storage().Settings[0].Value = "false"
	if d := f.reforecast(wait, true); !reflect.DeepEqual(d, wait) {
		t.Errorf("it still fits: %+v", d)
	}
	wantHalt(t, f.reforecast(wait, false), decide.ExitUnsafe)
	wait.Phase = decide.Drain
	if d := f.reforecast(wait, false); !reflect.DeepEqual(d, wait) {
		t.Errorf("nothing is moving any more: %+v", d)
	}
}

// sized has room for one replica of each volume on each disk that is as large
// as is needed.
type sized int64

func (z sized) Place(_ *cluster.Snapshot, st *cluster.Storage, leaving string) []forecast.Placement {
	var out []forecast.Placement
	for _, v := range st.Volumes {
		lacks := v.Want
		for _, rep := range v.Replicas {
			if rep.Node != leaving {
				lacks--
			}
		}
		for range lacks {
			p := forecast.Placement{Volume: v.Name, Why: "every disk is too small"}
			for _, n := range st.Nodes {
				for _, d := range n.Disks {
					if n.Name != leaving && d.Maximum >= int64(z) && !slices.ContainsFunc(v.Replicas, func(r cluster.Replica) bool { return r.Node == n.Name }) {
						p.Node, p.Disk, p.Why = n.Name, d.Name, ""
					}
				}
			}
			out = append(out, p)
		}
	}
	return out
}

const gib = int64(1) << 30

// rebuilding is a turn of worker-1, whose volume lacks a replica, after a node
// with a disk of that size has joined in the place of one with 100 GiB.
func rebuilding(size int64) *fixture {
	f := three(policy.Refill, 2, 3)
	f.volume().Want = 3
	t := f.opened()
	f.removeNode(1)
	f.addNode(cluster.NodeRef{Name: "fresh", UID: "new"}, "newdisk")
	t.Joined = cluster.NodeRef{Name: "fresh", UID: "new"}
	t.Open.Had = &cluster.Fittings{Storage: map[string]cluster.StorageFittings{
		driver: {Disks: map[string]cluster.DiskFittings{"/d": {Maximum: 100 * gib}}},
	}}
	for i := range f.storage().Nodes {
		f.storage().Nodes[i].Disks[0].Maximum = 100 * gib
	}
	f.storage().Nodes[2].Disks[0].Maximum = size
	return f
}

func (f *fixture) resized(d decide.Decision, needs int64) decide.Decision {
	return f.plan.Reforecast(d, f.judge(), f.mem, map[string]forecast.Placer{driver: sized(needs)})
}

func TestReforecast_ARebuildThatASmallReplacementEndsHalts(t *testing.T) {
	wait := decide.Wait{Phase: decide.Rebuild, For: "1 volume to be rebuilt"}
	f := rebuilding(40 * gib)
	h := wantHalt(t, f.resized(wait, 77*gib), decide.ExitUnsafe)
	if !has(h.Findings, decide.CodeNoRebuild) || !strings.Contains(h.Remedy, "77 GiB") {
		t.Errorf("%+v", h)
	}
	for name, d := range map[string]decide.Decision{
		"it fits": rebuilding(77*gib).resized(wait, 77*gib),
		"as large as before": func() decide.Decision {
			g := rebuilding(40 * gib)
			g.mem.Turns[0].Open.Had.Storage[driver].Disks["/d"] = cluster.DiskFittings{Maximum: 40 * gib}
			return g.resized(wait, 77*gib)
		}(),
		"no disk is large enough": f.resized(wait, 1<<62),
		"another phase":           f.resized(decide.Wait{Phase: decide.Settle, For: wait.For}, 77*gib),
		"no replacement has joined": func() decide.Decision {
			g := rebuilding(40 * gib)
			g.mem.Turns[0].Joined = cluster.NodeRef{}
			return g.resized(wait, 77*gib)
		}(),
		"one is being rebuilt": func() decide.Decision {
			g := rebuilding(40 * gib)
			g.volume().Replicas[0].Claim = cluster.Rebuilding
			return g.resized(wait, 77*gib)
		}(),
	} {
		if w, ok := d.(decide.Wait); !ok || w.For != wait.For {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// The first replacement shows what the others will be.
func TestReforecast_ASmallerReplacementCountsForThoseToCome(t *testing.T) {
	next := func(size int64, change func(*fixture)) decide.Decision {
		f := rebuilding(size)
		f.volume().Replicas = append(f.volume().Replicas, cluster.Replica{
			Name: "v-r", UID: "v-r", Claim: cluster.Idle, Node: "fresh", Owner: "fresh", DiskUUID: "newdisk", DiskPath: "/d", HealthyAt: noon,
		})
		f.plan.Turns = append(f.plan.Turns, decide.PlannedTurn{Node: ref(2), Strategy: policy.Refill})
		if change != nil {
			change(f)
		}
		return f.resized(decide.Remember{Note: decide.Note{Kind: decide.TurnOpened, Node: ref(2)}}, 50*gib)
	}
	for name, c := range map[string]struct {
		size   int64
		change func(*fixture)
		opens  bool
	}{
		"as large as before":  {100 * gib, nil, true},
		"smaller, and enough": {50 * gib, nil, true},
		"smaller, not enough": {40 * gib, nil, false},
		"nearly as large": {50 * gib, func(f *fixture) {
			f.mem.Turns[0].Open.Had.Storage[driver].Disks["/d"] = cluster.DiskFittings{Maximum: 50*gib + gib/4}
		}, true},
		"not what it was": {40 * gib, func(f *fixture) {
			f.mem.Turns[0].Open.Had.Storage[driver].Disks["/d"] = cluster.DiskFittings{Maximum: 40 * gib}
		}, true},
		"smaller than was said": {40 * gib, func(f *fixture) {
			f.plan.Replacement.Disk = 60 * gib
			f.mem.Turns[0].Open.Had.Storage[driver].Disks["/d"] = cluster.DiskFittings{}
		}, false},
		"nobody knows what it was": {40 * gib, func(f *fixture) { f.mem.Turns[0].Open.Had = nil }, true},
	} {
		_, opens := next(c.size, c.change).(decide.Remember)
		if opens != c.opens {
			t.Errorf("%s: opens %t", name, opens)
		}
	}
}
