// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"fmt"
	"slices"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// What people read, word for word: each sentence names the volume and its
// claim, the node, and why.
func TestFindings_ReadAsSentences(t *testing.T) {
	for _, c := range []struct {
		world func() *lab
		bend  func(*lab)
		want  string
	}{
		{atRest2, func(l *lab) { l.recreate("w1") },
			"Volume data (claim apps/data) is not whole: it has 1 of 2 good replicas (data-r-w1 on node w1: its node has other disks now)."},
		{atRest2, func(l *lab) { l.s.Persistent = nil; l.remove("w1") },
			"Volume data is not whole: it has 1 of 2 good replicas (data-r-w1 on node w1: its node is not in the cluster any more)."},
		{atRest2, func(l *lab) { l.r(0).Node = ""; l.node("w2").Ready = cluster.No },
			"Volume data (claim apps/data) cannot be judged: it has 0 of 2 good replicas (data-r-w1 on no known node: where it lies is not known; " +
				"data-r-w2 on node w2: its node is not Ready)."},
		{atRest2, func(l *lab) { l.v("data").Want = 3; l.r(1).Claim = cluster.Placeholder },
			"Volume data (claim apps/data) is not whole: it has 1 of 3 good replicas (no other replica)."},
		{atRest2, func(l *lab) { l.remove("w1"); l.remove("w2") },
			"Volume data (claim apps/data) has no copy of its data left that could be served (data-r-w1 on node w1: its node is not in the cluster any more; " +
				"data-r-w2 on node w2: its node is not in the cluster any more). Start nothing that uses it, and delete neither its replicas nor their directories."},
		{atRest2, func(l *lab) { l.s.Persistent, l.v("data").Replicas = nil, nil },
			"Volume data has no replica left although it was in use. Start nothing that uses it."},
		{atRest2, then(accept(VolumeAlreadyLost, "data"), func(l *lab) { l.r(0).Claim, l.r(1).Claim = cluster.Failed, cluster.Failed }),
			"Volume data (claim apps/data) is lost, which was accepted for the nodes that hold nothing of it."},
		{atRest2, func(l *lab) { l.r(0).Doubts = []cluster.Doubt{{Code: "odd/thing"}} },
			"Replica data-r-w1 of volume data (claim apps/data) on node w1 is not counted: its storage says odd/thing."},
		{atRest2, func(l *lab) { l.r(0).Doubts = []cluster.Doubt{{Code: "odd/thing", Says: "it is odd"}} },
			"Volume data (claim apps/data) cannot be judged: it has 1 of 2 good replicas (data-r-w1 on node w1: it is odd)."},
		{atRest2, func(l *lab) { l.v("data").Doubts = []cluster.Doubt{{Code: "odd/thing", Says: "all of it is odd"}} },
			"Volume data (claim apps/data) cannot be judged: it has 0 of 2 good replicas (data-r-w1 on node w1: all of it is odd; data-r-w2 on node w2: all of it is odd)."},
		{atRest2, func(l *lab) { l.v("data").Doubts = []cluster.Doubt{{Code: "odd/thing", Says: "all of it is odd"}} },
			"Volume data (claim apps/data) is Unknown at best: all of it is odd."},
		{atRest2, func(l *lab) {
			l.v("data").Doubts = []cluster.Doubt{{Code: "odd/thing", Says: "it is odd", AtMost: cluster.StandingGood}}
		},
			"Volume data (claim apps/data): it is odd."},
		{atRest2, func(l *lab) { l.node("w1").Ready = cluster.No }, "Node w1 is not live: its node is not Ready."},
		{newLab, func(*lab) {}, "Storage block.example.org has 0 volumes, and no PersistentVolume refers to one."},
		{atRest2, func(l *lab) { l.st().Volumes = nil },
			"Storage block.example.org has 0 volumes, and 1 PersistentVolumes refer to some: its volumes are missing."},
		{atRest2, func(l *lab) { pv(cluster.PersistentVolume{Name: "x"})(l); pv(cluster.PersistentVolume{Name: "y"})(l) },
			"PersistentVolumes (2) of no CSI driver are not verified: no plugin knows it."},
		{atRest2, func(l *lab) { pv(cluster.PersistentVolume{Name: "x", Driver: "other"})(l) },
			"PersistentVolumes (1) of driver other are not verified: no plugin knows it."},
		{atRest2, then(pv(cluster.PersistentVolume{Name: "x", Local: true, Hostnames: []string{"w1"}}), pv(cluster.PersistentVolume{Name: "y", Driver: "other", Hostnames: []string{"w1"}})),
			"PersistentVolumes (2) are bound to node w1 and not verified: they would be lost with it."},
		{atRest2, pv(cluster.PersistentVolume{Name: "x", Local: true}), "PersistentVolumes (1) are paths on some node and not verified: they would be lost with it."},
		{atRest2, pv(cluster.PersistentVolume{Name: "x", Driver: "other", Hostnames: []string{"w1", "w2"}}),
			"PersistentVolumes (1) of driver other are not verified: no plugin knows it."},
		{atRest3, func(l *lab) { l.recreate("w1") },
			"Volume data (claim apps/data) must not be attached as it is: its storage would start what may have no data " +
				"(data-r-w1 on node w1: its node has other disks now), which hangs or comes up blank."},
		{atRest3, func(l *lab) { l.r(0).Leaving = true },
			"Volume data (claim apps/data) is being moved by its storage: data-r-w1 on node w1 shall go, and counts only until then."},
	} {
		l := c.world()
		c.bend(l)
		fs := l.judge().Findings
		if !slices.ContainsFunc(fs, func(f Finding) bool { return f.Message == c.want }) {
			t.Errorf("nobody says %q:\n%s", c.want, say(fs))
		}
	}
}

// Files without pods are said to take the storage's word for the present; what
// a cluster does not show, and other kinds, are not.
func TestGaps_FilesWithoutPodsTakeTheStoragesWord(t *testing.T) {
	const drain = "so whether a node may be drained or deleted cannot be told"
	pods := cluster.Gap{Kind: "pods", Reason: cluster.GapNotGiven, ForDrain: true}
	for name, c := range map[string]struct {
		bend func(*lab)
		want string
	}{
		"files without pods": {then(files, gap(pods)),
			"pods: the files hold no list of it, " + drain + ", and what the storage says of its nodes is taken for the present."},
		"a cluster that hides them": {gap(cluster.Gap{Kind: "pods", Reason: cluster.GapForbidden, ForDrain: true}), "pods: reading it is forbidden, " + drain + "."},
		"another kind":              {then(files, gap(pods), gap(cluster.Gap{Kind: "budgets", Reason: cluster.GapNotGiven, ForDrain: true})), "budgets: the files hold no list of it, " + drain + "."},
	} {
		l := atRest2()
		c.bend(l)
		if fs := l.judge().Findings; !slices.ContainsFunc(fs, func(f Finding) bool { return f.Message == c.want }) {
			t.Errorf("%s: nobody says %q:\n%s", name, c.want, say(fs))
		}
	}
}

func TestFindings_SayEachDriverOnce(t *testing.T) {
	l := atRest2()
	for _, d := range []string{"b", "a", "b"} {
		pv(cluster.PersistentVolume{Name: "x", Driver: d})(l)
	}
	var names []string
	for _, f := range l.judge().Findings {
		if f.Code == PVNotVerified {
			names = append(names, f.Subject.Name)
		}
	}
	if !slices.Equal(names, []string{"b", "a"}) {
		t.Errorf("%v", names)
	}
}

func TestFindings_TheEvidenceListsTheFirstOfMany(t *testing.T) {
	l := atRest2()
	for i := range 30 {
		pv(cluster.PersistentVolume{Name: fmt.Sprintf("pv-%02d", i), Driver: "other"})(l)
	}
	for _, f := range l.judge().Findings {
		if f.Code != PVNotVerified {
			continue
		}
		if n := len(f.Evidence); n != 21 || f.Evidence[0].Value != "30" || f.Evidence[1].Value != "pv-00" || f.Evidence[20].Value != "pv-19" {
			t.Errorf("%d facts: %v", n, f.Evidence)
		}
	}
}

// What counts, or stands for no data, gets no note of its own; what does not
// count gets one, also where its doubt says why.
func TestJudge_OneNoteForEachReplicaThatDoesNotCount(t *testing.T) {
	for name, c := range map[string]struct {
		bend func(*lab)
		want []string
	}{
		"shall go":      {func(l *lab) { l.r(0).Leaving = true }, []string{VolumeMoving}},
		"a placeholder": {func(l *lab) { l.v("data").Want = 2; l.r(0).Claim = cluster.Placeholder }, nil},
		"failed":        {func(l *lab) { l.v("data").Want = 2; l.r(0).Claim = cluster.Failed }, []string{ReplicaFailed}},
		"doubted": {func(l *lab) {
			l.v("data").Want = 2
			l.r(0).Doubts = []cluster.Doubt{{Code: "odd/thing", AtMost: cluster.StandingFailed}}
		}, []string{"odd/thing"}},
	} {
		l := atRest3()
		c.bend(l)
		fs := l.judge().Volume("data").Findings
		wantCodes(t, fs, Note, c.want...)
		if len(fs) != len(c.want) {
			t.Errorf("%s: %s", name, say(fs))
		}
	}
}

func TestFindings_WhatLiesOnSomeNodeIsSaidOfTheVolumes(t *testing.T) {
	for _, c := range []struct {
		hosts []string
		want  Subject
	}{{nil, Subject{Kind: "PersistentVolume"}}, {[]string{"w1"}, Subject{Kind: "Node", Name: "w1"}}} {
		l := atRest2()
		pv(cluster.PersistentVolume{Name: "x", Local: true, Hostnames: c.hosts})(l)
		if fs := l.judge().Findings; len(fs) != 1 || fs[0].Subject != c.want {
			t.Errorf("%v: %+v", c.hosts, fs)
		}
	}
}

func TestFindings_TheEvidenceNamesTheOrphans(t *testing.T) {
	l := atRest2()
	l.st().Orphans = []cluster.Orphan{{Name: "o", Node: "w1", Directory: "data-x"}, {Name: "p", Node: "w2", Directory: "data-y"}}
	want := []cluster.Fact{fact("orphans", "2"), fact("orphan", "data-x on w1"), fact("orphan", "data-y on w2")}
	for _, f := range l.judge().Findings {
		if f.Code == OrphanKept && (!slices.Equal(f.Evidence, want) || f.Message[:1] != "2") {
			t.Errorf("%s %v", f.Message, f.Evidence)
		}
	}
}

func TestFindings_TheEvidenceOfACountIsTheCount(t *testing.T) {
	l := newLab().detached("data", "w1", "w2", "w3")
	l.v("data").Want = 4
	l.r(0).Leaving = true
	l.node("w2").Ready = cluster.No
	want := []cluster.Fact{
		{Name: "volume.want", Value: "4"}, {Name: "volume.need", Value: "1"}, {Name: "replicas.good", Value: "1"},
		{Name: "replicas.doubtful", Value: "1"}, {Name: "replicas.leaving", Value: "1"},
	}
	if f := l.judge().Findings[0]; f.Code != VolumeDegraded || !slices.Equal(f.Evidence, want) {
		t.Errorf("%s: %v", f.Code, f.Evidence)
	}
}

func TestMayDelete_AnImageThatLiesNowhereKnownIsSaidSo(t *testing.T) {
	l := elsewhere()
	l.st().Bases = []cluster.Base{{Name: "image", Copies: []cluster.BaseCopy{{DiskUUID: "x", Ready: cluster.Yes}}}}
	const want = "Image image has no copy that can be read, and where its copies lie cannot be told: node w1 may hold one."
	if fs := l.judge().MayDelete(asked(l), Turn{}).Findings; len(fs) != 1 || fs[0].Message != want {
		t.Errorf("%s", say(fs))
	}
}

func TestMayDelete_APathOnSomeNodeIsSaidAsOne(t *testing.T) {
	l := elsewhere()
	pv(cluster.PersistentVolume{Name: "p", Local: true, Bound: true, ClaimNamespace: "apps", ClaimName: "c"})(l)
	const want = "PersistentVolume p (claim apps/c) is a path on some node, and may be lost with node w1."
	if fs := l.judge().MayDelete(asked(l), Turn{}).Findings; len(fs) != 1 || fs[0].Message != want {
		t.Errorf("%s", say(fs))
	}
}
