// SPDX-License-Identifier: Apache-2.0

package roll

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

func vol(want, good int, state cluster.VolumeState) assess.VolumeJudgement {
	v := assess.VolumeJudgement{Volume: &cluster.Volume{Want: want, State: state}, Good: good, Condition: assess.Degraded}
	if good >= want {
		v.Condition = assess.Whole
	}
	return v
}

func judged(vs ...assess.VolumeJudgement) *assess.Judgement {
	return &assess.Judgement{
		Snapshot: &cluster.Snapshot{Storages: []cluster.Storage{{Driver: "d", Version: "v1"}}}, Volumes: vs,
	}
}

func TestSummary_CountsTheVolumeThatHasTheFewest(t *testing.T) {
	unused := vol(2, 0, cluster.Detached)
	unused.Condition = assess.Unused
	busy := vol(2, 0, cluster.Attached)
	busy.Condition = assess.Busy
	moving := vol(3, 2, cluster.Attached)
	moving.Leaving, moving.Condition = 1, assess.Whole
	doubted := vol(2, 1, cluster.Detached)
	doubted.Doubtful = 1
	got := summary(judged(vol(2, 2, cluster.Detached), doubted, unused, busy, moving, vol(2, 2, cluster.Attached)))
	want := record.Seen{Storages: []string{"d v1"}, Unjudged: 1, Classes: []record.Class{
		{Want: 2, Attached: true, Volumes: 1, Whole: 1, Least: 2, Might: 2, Lowest: 2},
		{Want: 2, Volumes: 2, Whole: 1, Least: 1, Might: 2, Lowest: 1},
		{Want: 3, Attached: true, Volumes: 1, Whole: 1, Least: 3, Might: 3, Lowest: 3},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestSight_ADipBetweenTwoEventsIsNotLost(t *testing.T) {
	var s sight
	see := func(good int) { s.see(judged(vol(3, good, cluster.Detached))) }
	see(3)
	s.tell(time.Now())
	see(1)
	see(3)
	n := s.news()
	if n == nil || n.Classes[0].Least != 3 || n.Classes[0].Lowest != 1 {
		t.Fatalf("told %+v", n)
	}
	s.tell(time.Now())
	if see(3); s.news() != nil {
		t.Error("a dip is told twice")
	}
}

func TestSight_ADipIsToldWhenTheClassIsSeenAgain(t *testing.T) {
	var s sight
	s.see(judged(vol(3, 3, cluster.Detached)))
	s.tell(time.Now())
	s.see(judged(vol(3, 1, cluster.Detached)))
	s.see(judged(vol(3, 3, cluster.Attached))) // somebody uses it now
	s.tell(time.Now())
	s.see(judged(vol(3, 3, cluster.Detached)))
	if n := s.news(); n == nil || n.Classes[0].Lowest != 1 {
		t.Errorf("told %+v", n)
	}
}

func TestKept_IsBounded(t *testing.T) {
	if n := len((&runner{}).kept(make([]assess.Finding, 5000))); n != keptFindings {
		t.Errorf("%d findings in one event", n)
	}
}
