// SPDX-License-Identifier: Apache-2.0

package decide_test

import (
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// watchParts shows the wait's parts minute after minute, each as the function
// says, and returns the halt and after how many minutes it came.
func watchParts(parts func(minute int) []decide.Part) (decide.Halt, int) {
	var since decide.Waited
	since.Begin(noon)
	for m := range 300 {
		w := decide.Wait{For: "volumes", Limit: 30 * time.Minute, LimitName: "rebuild limit", Progress: time.Duration(m).String(), Parts: parts(m)}
		now := noon.Add(time.Duration(m) * time.Minute)
		since.See(w, now)
		if h, over := decide.Overdue(w, since, 4*time.Hour, now); over {
			return h, m
		}
	}
	return decide.Halt{}, 0
}

func TestOverdue_ABusyVolumeDoesNotHideAStuckOne(t *testing.T) {
	h, at := watchParts(func(m int) []decide.Part {
		return []decide.Part{
			{Name: "volume busy", Token: time.Duration(m).String()},
			{Name: "volume stuck", Token: "same", Why: "no disk takes a replica"},
		}
	})
	if at != 31 || h.Exit != decide.ExitLimit || !strings.Contains(h.Reason, "volume stuck (no disk takes a replica)") {
		t.Errorf("after %d minutes: %+v", at, h)
	}
}

func TestOverdue_WhatIsBegunAgainAndAgainGetsNowhere(t *testing.T) {
	_, at := watchParts(func(m int) []decide.Part {
		return []decide.Part{{Name: "volume v", Token: time.Duration(m % 5).String()}}
	})
	if at != 4+31 {
		t.Errorf("after %d minutes", at)
	}
}

func TestOverdue_WhatIsHeldBackOnPurposeIsNotStuck(t *testing.T) {
	_, at := watchParts(func(m int) []decide.Part {
		return []decide.Part{{Name: "volume v", Token: "same", Idle: m < 100}}
	})
	if at != 99+31 {
		t.Errorf("after %d minutes", at)
	}
	if h, at := watchParts(func(int) []decide.Part { return []decide.Part{{Name: "volume v", Idle: true}} }); at != 241 || !strings.Contains(h.Reason, "longest wait") {
		t.Errorf("idle for ever ends after %d minutes: %+v", at, h)
	}
}

// parts are those of the wait that is decided now.
func parts(t *testing.T, f *fixture) []decide.Part {
	t.Helper()
	w, ok := f.next().(decide.Wait)
	if !ok {
		t.Fatalf("want a wait, got %+v", f.next())
	}
	return w.Parts
}

func TestRebuild_SaysWhatKeepsEachVolume(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*fixture)
		says   string
		idle   bool
	}{
		"held back": {func(f *fixture) {
			f.volume().Pause = &cluster.Pause{Until: f.now.Add(time.Minute), Why: "it might return"}
			f.attach(2, cluster.Hold{Kind: cluster.HoldWorkload, Node: ref(2).Name})
		}, "it might return, until 12:01:00 UTC", true},
		"held back until a while ago": {func(f *fixture) {
			f.volume().Pause = &cluster.Pause{Until: f.now.Add(-time.Minute), Why: "it might return"}
			f.volume().Hindered = []string{"no disk"}
			f.attach(2, cluster.Hold{Kind: cluster.HoldWorkload, Node: ref(2).Name})
		}, "no disk", false},
		"queued": {func(f *fixture) {
			f.volume().Pause = &cluster.Pause{Why: "5 are written already"}
			f.attach(2, cluster.Hold{Kind: cluster.HoldWorkload, Node: ref(2).Name})
		}, "5 are written already", true},
		"it waits for its turn": {func(f *fixture) {
			f.addVolume("w", 2, 3)
			f.storage().Volumes[1].Want = 3
			f.storage().Volumes[1].Holds = []cluster.Hold{ourHold}
			f.storage().Volumes[1].State = cluster.Attaching
			f.plan.Policy.MaxWoken = 1
		}, "waits for its turn", true},
		"somebody holds it": {func(f *fixture) {
			f.volume().Holds = []cluster.Hold{{ID: "backup", Kind: cluster.HoldStorage, Why: "backup-controller"}}
		}, "held by backup", false},
		"it might start blank": {func(f *fixture) { f.volume().Replicas[1].Claim = cluster.ClaimUnknown }, "might be started without its data", false},
		"a look must prove it": {func(f *fixture) { f.s.Node(ref(3).Name).Created = noon }, "with --probe its directory is looked for", false},
		"nobody can open it": {func(f *fixture) {
			for i := range f.storage().Nodes {
				f.storage().Nodes[i].Serving = cluster.No
			}
		}, "no node could open it", false},
	} {
		t.Run(name, func(t *testing.T) {
			f := three(policy.Refill, 2, 3)
			f.volume().Want = 3
			turn := f.drained()
			turn.RetiredAt = noon
			f.removeNode(1)
			f.addNode(cluster.NodeRef{Name: "new", UID: "new"}, "newdisk")
			turn.Joined = cluster.NodeRef{Name: "new", UID: "new"}
			f.look()
			c.change(f)
			p := parts(t, f)
			if len(p) == 0 || !strings.Contains(p[0].Why, c.says) || p[0].Idle != c.idle {
				t.Errorf("%+v", p)
			}
		})
	}
}

func TestEvacuate_EachVolumeMustGetOn(t *testing.T) {
	f := three(policy.Evict, 1, 2)
	f.addVolume("w", 1, 2)
	f.drained()
	before := parts(t, f)
	f.storage().Volumes[0].Replicas[1].Leaving = false
	f.storage().Volumes[1].Replicas = append(f.storage().Volumes[1].Replicas, cluster.Replica{
		Name: "new", UID: "new", Claim: cluster.Rebuilding, Node: ref(3).Name, Owner: ref(3).Name, DiskUUID: "disk3", Progress: 50,
	})
	after := parts(t, f)
	if len(before) != 2 || before[0].Token != after[0].Token || before[1].Token == after[1].Token {
		t.Errorf("%+v\n%+v", before, after)
	}
}

func TestEvacuate_EndsWhenTheStorageLetsGoAndEveryVolumeIsWhole(t *testing.T) {
	f := three(policy.Evict, 2, 3)
	f.opened()
	f.storage().Nodes[0].Placement = cluster.Placement{Evacuate: true}
	f.volume().Holds = []cluster.Hold{{ID: "evict-v", Kind: cluster.HoldStorage, Node: ref(1).Name}}
	if w := wantWait(t, f.next(), decide.Evacuate); len(w.Left) != 1 || !strings.Contains(w.Left[0], "held by evict-v") {
		t.Errorf("%+v", w)
	}
	f.volume().Holds = nil
	f.volume().Want = 3 // one was lost on the way
	f.addNode(cluster.NodeRef{Name: "worker-4", UID: "n4"}, "disk4")
	f.look()
	if a := wantAct(t, f.next(), decide.Wake); a.HoldNode == ref(1).Name {
		t.Errorf("%+v", a)
	}
	f.volume().State = cluster.Attached // the storage's to rebuild, and this node may be the one it lacks
	if w := wantWait(t, f.next(), decide.Evacuate); !strings.Contains(w.Stuck, "kubectl safe-roll abort puts it back to use") {
		t.Errorf("%+v", w)
	}
	f.volume().State = cluster.Detached
	f.volume().Want = 2
	wantAct(t, f.next(), decide.Cordon)
}
