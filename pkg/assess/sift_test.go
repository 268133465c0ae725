// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// apart takes the volumes out of a snapshot, as whoever reads a large cluster
// hands them over.
func apart(s *cluster.Snapshot) (*cluster.Snapshot, []iter.Seq[cluster.Volume]) {
	frame := *s
	frame.Storages = slices.Clone(s.Storages)
	var volumes []iter.Seq[cluster.Volume]
	for i := range frame.Storages {
		volumes = append(volumes, slices.Values(frame.Storages[i].Volumes))
		frame.Storages[i].Volumes = nil
	}
	return &frame, volumes
}

// A cluster that is judged volume by volume is judged as the whole would be, to
// the letter; and a judgement that has let go of its volumes permits nothing.
func TestSift_JudgesLikeJudge(t *testing.T) {
	t.Parallel()
	box := newDice()
	ask := func(t *rapid.T) {
		d := box.in(t)
		s, p := d.snapshot(), d.policy()
		for i := range s.Storages {
			slices.SortStableFunc(s.Storages[i].Volumes, func(a, b cluster.Volume) int { return strings.Compare(a.Name, b.Name) })
		}
		want := Judge(s, p, now())
		frame, volumes := apart(s)
		got := Sift(frame, volumes, p, now())
		if got.Verdict != want.Verdict {
			t.Fatalf("%v, want %v", got.Verdict, want.Verdict)
		}
		if diff := cmp.Diff(want.Findings, got.Findings); diff != "" {
			t.Fatalf("findings: %s", diff)
		}
		if diff := cmp.Diff(want.Nodes, got.Nodes); diff != "" {
			t.Fatalf("nodes: %s", diff)
		}
		for round := range 2 {
			var all []VolumeJudgement
			for vj := range got.All() {
				all = append(all, *vj)
			}
			if diff := cmp.Diff(slices.Concat([]VolumeJudgement{}, want.Volumes), slices.Concat([]VolumeJudgement{}, all)); diff != "" {
				t.Fatalf("volumes, round %d: %s", round, diff)
			}
		}
		var rest Rest
		for i := range want.Volumes {
			if vj := &want.Volumes[i]; slices.Contains([]Condition{Whole, Unused, Going}, vj.Condition) {
				rest.By = map[Condition]int{Whole: rest.By[Whole], Unused: rest.By[Unused], Going: rest.By[Going]}
				rest.By[vj.Condition]++
				rest.Volumes, rest.Replicas, rest.Good, rest.Proven = rest.Volumes+1, rest.Replicas+len(vj.Replicas), rest.Good+vj.Good, rest.Proven+vj.Proven
				if vj.Volume.State == cluster.Detached {
					rest.Asleep++
				}
			}
		}
		maps.DeleteFunc(rest.By, func(_ Condition, n int) bool { return n == 0 })
		if diff := cmp.Diff(rest, got.Rest); diff != "" || rest.Volumes+len(got.Volumes) != len(want.Volumes) {
			t.Fatalf("%d volumes stand in the way, of %d; the others: %s", len(got.Volumes), len(want.Volumes), diff)
		}
		for _, n := range s.Nodes {
			if got.MayDrain(n.Ref).Verdict == cluster.Safe || got.MayDelete(n.Ref, d.turn()).Verdict == cluster.Safe {
				t.Fatalf("node %s may go, and nobody knows what of", n.Ref.Name)
			}
		}
	}
	for range max(1, rounds/100) {
		rapid.Check(t, ask)
	}
}

// A copy of an image that no time vouches for is proven by a replica that is
// layered upon it, whether the volumes are held or come one by one.
func TestSift_AReplicaProvesTheImageUnderIt(t *testing.T) {
	l := newLab().detached("data", "w1", "w2", "w3")
	l.v("data").Base = "image"
	l.st().Bases = []cluster.Base{{Name: "image", Copies: []cluster.BaseCopy{{DiskUUID: "disk-w1", Ready: cluster.Yes}}}}
	frame, volumes := apart(l.s)
	if got, want := Sift(frame, volumes, l.pol, now()), Judge(l.s, l.pol, now()); got.Verdict != cluster.Safe || want.Verdict != cluster.Safe {
		t.Errorf("one by one %v, together %v\n%s", got.Verdict, want.Verdict, say(got.Findings))
	}
}
