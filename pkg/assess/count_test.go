// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"fmt"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// What lies at one place counts once, as the best of it, in whatever order the
// replicas come.
func TestTallied_OnePlaceCountsOnceAsItsBest(t *testing.T) {
	of := func(s cluster.Standing, p cluster.Proof) ReplicaJudgement {
		return ReplicaJudgement{Replica: &cluster.Replica{Node: "n"}, Standing: s, Here: s, Proof: p}
	}
	proven, plausible := of(cluster.StandingGood, cluster.Proven), of(cluster.StandingGood, cluster.Plausible)
	absent, unknown, leaving := of(cluster.StandingAbsent, 0), of(cluster.StandingUnknown, 0), of(cluster.StandingLeaving, 0)
	for name, c := range map[string]struct {
		a, b ReplicaJudgement
		want tally
	}{
		"a good one and none":          {plausible, absent, tally{good: 1, maybe: 1, held: 1}},
		"a proven one and none":        {proven, absent, tally{good: 1, proven: 1, maybe: 1, held: 1}},
		"a proven and a plausible one": {proven, plausible, tally{good: 1, proven: 1, maybe: 1, held: 1, together: 1}},
		"two good ones":                {plausible, plausible, tally{good: 1, maybe: 1, held: 1, together: 1}},
		"one that may be and none":     {unknown, absent, tally{maybe: 1, held: 1}},
		"one that goes and none":       {leaving, absent, tally{held: 1}},
		"one that goes, one that may":  {leaving, unknown, tally{maybe: 1, held: 1}},
		"none and none":                {absent, absent, tally{}},
	} {
		for _, all := range [][]ReplicaJudgement{{c.a, c.b}, {c.b, c.a}} {
			if got := countHere(&cluster.Volume{}, all); got != c.want {
				t.Errorf("%s: %+v, want %+v", name, got, c.want)
			}
		}
	}
}

// Several PersistentVolumes of one volume are one place in the index, and those
// after them are found.
func TestBindings_FindWhatComesAfterTwins(t *testing.T) {
	pv := func(name, handle string) cluster.PersistentVolume {
		return cluster.PersistentVolume{Name: name, Driver: driver, Handle: handle, Bound: true}
	}
	b := newBindings([]cluster.PersistentVolume{pv("c", "c"), pv("a", "a"), pv("a-too", "a"), pv("b", "b")}, nil)
	for _, handle := range []string{"b", "a", "c"} {
		if got := b.of(driver, &cluster.Volume{Handle: handle}); got == nil || got.Name != handle {
			t.Errorf("%s: %+v", handle, got)
		}
	}
	if got := b.of(driver, &cluster.Volume{Handle: "d"}); got != nil {
		t.Errorf("d: %+v", got)
	}
}

func TestBecause_ADoubtSaysItsOwnCode(t *testing.T) {
	doubts := []cluster.Doubt{{Code: "storage/one", Says: "the one"}, {Code: "storage/other", Says: "the other"}}
	if got := because("storage/other", doubts); got != "the other" {
		t.Error(got)
	}
	if got := because("storage/none", doubts); got != "its storage says storage/none" {
		t.Error(got)
	}
}

// Nobody may take for lost what a salvage may bring back, nor the other way.
func TestWord_OnlyWhatMayBeSalvagedIsCalledFailed(t *testing.T) {
	for standing, want := range map[cluster.Standing]string{cluster.StandingFailed: "Failed", cluster.StandingAbsent: "Lost"} {
		vj := VolumeJudgement{Condition: Lost, Replicas: []ReplicaJudgement{{Here: standing}}}
		if got := vj.Word(); got != want {
			t.Errorf("%v: %s, want %s", standing, got, want)
		}
	}
}

func TestOnNode_NamesWhatMayLieThere(t *testing.T) {
	b := &byName{names: []string{"nfs", "zfs"}, of: map[string][]string{"nfs": {"pv-1"}, "zfs": {"pv-2"}}}
	f := b.onNode("w1")
	if text := fmt.Sprint(f.Evidence); !strings.Contains(text, "pv-1") || !strings.Contains(text, "pv-2") {
		t.Error(text)
	}
}
