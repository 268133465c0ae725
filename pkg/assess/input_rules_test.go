// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// inputCase bends a whole cluster with one whole volume on w1 and w2 and says
// which findings change the verdict, and which notes are made.
type inputCase struct {
	claim   string
	bend    func(*lab)
	codes   []string
	notes   []string
	verdict cluster.Verdict
}

func (c inputCase) lab() *lab {
	l := atRest2()
	c.bend(l)
	return l
}

func files(l *lab) { l.s.Source = cluster.SourceFiles }

func noLeases(l *lab) {
	for i := range l.s.Nodes {
		l.s.Nodes[i].LeaseRenewed = time.Time{}
	}
}

func gap(g cluster.Gap) func(*lab) {
	return func(l *lab) { l.s.Gaps = append(l.s.Gaps, g) }
}

func pv(p cluster.PersistentVolume) func(*lab) {
	return func(l *lab) { l.s.Persistent = append(l.s.Persistent, p) }
}

func inputCases() []inputCase {
	return []inputCase{
		{"a kind that is needed and was not read is no news", gap(cluster.Gap{Kind: "replicas.x", Reason: cluster.GapForbidden, Needed: true}),
			[]string{InputGapNeeded}, nil, dunno},
		{"a kind that helps and was not read is a note", gap(cluster.Gap{Kind: "settings.x", Reason: cluster.GapMissing}), nil, []string{InputGapHelpful}, safe},
		{"a kind for draining is a note until somebody drains", gap(cluster.Gap{Kind: "pods", Reason: cluster.GapNotGiven, ForDrain: true}), nil, []string{InputGapDrain}, safe},
		{"a kind that is needed is needed for draining too", gap(cluster.Gap{Kind: "nodes", Reason: cluster.GapFailed, ForDrain: true, Needed: true}),
			[]string{InputGapNeeded}, nil, dunno},
		{"no node is no cluster", func(l *lab) {
			l.s.Nodes, l.st().Volumes, l.s.Persistent, l.st().Nodes = nil, nil, nil, l.st().Nodes[:1]
		},
			[]string{InputNoNodes}, []string{StorageNoVolumes}, dunno},
		{"no node at all is no proof that one is gone", func(l *lab) { l.s.Nodes = nil }, []string{InputNoNodes, VolumeUnproven}, nil, dunno},
		{"no storage is no verdict", func(l *lab) { l.s.Storages, l.s.Persistent = nil, nil }, []string{InputNoStorage}, nil, dunno},
		{"an empty storage is safe", func(l *lab) { l.st().Volumes, l.s.Persistent = nil, nil }, nil, []string{StorageNoVolumes}, safe},
		{"a storage whose volumes are missing is not empty", func(l *lab) { l.st().Volumes = nil }, []string{StorageNoVolumes, PVNoVolume}, nil, dunno},
		{"a storage without nodes does not run", func(l *lab) { l.st().Volumes, l.s.Persistent, l.st().Nodes = nil, nil, nil },
			[]string{StorageNoNodes}, []string{StorageNoVolumes}, dunno},
		{"a doubt about the storage is a finding", func(l *lab) { l.st().Doubts = []cluster.Doubt{{Code: "odd/version"}} }, []string{"odd/version"}, nil, dunno},
		{"a doubt about the storage that leaves it good is a note", func(l *lab) {
			l.st().Doubts = []cluster.Doubt{{Code: "odd/version", AtMost: cluster.StandingGood}}
		}, nil, []string{"odd/version"}, safe},
		{"a storage node without a node is a note", func(l *lab) { l.remove("w3") }, nil, []string{StorageNodeLeft}, safe},
		{"a claim whose volume is missing is a finding", pv(cluster.PersistentVolume{Name: "pv-x", Driver: driver, Handle: "x", Bound: true}), []string{PVNoVolume}, nil, dunno},
		{"a claim that is bound to a node needs its volume all the same", pv(cluster.PersistentVolume{Name: "pv-x", Driver: driver, Handle: "x", Hostnames: []string{"w1"}, Bound: true}),
			[]string{PVNoVolume}, nil, dunno},
		{"a volume that nobody claims any more may hold data", pv(cluster.PersistentVolume{Name: "pv-x", Driver: driver, Handle: "x"}), []string{PVNoVolume}, nil, dunno},
		{"a PersistentVolume that is going is a note", pv(cluster.PersistentVolume{Name: "pv-x", Driver: driver, Handle: "x", Deleting: true}), nil, []string{PVNoVolume}, safe},
		{"another driver is not verified", pv(cluster.PersistentVolume{Name: "pv-x", Driver: "other.example.org", Handle: "x", Bound: true}), nil, []string{PVNotVerified}, safe},
		{"another kind is not verified", pv(cluster.PersistentVolume{Name: "pv-x", Bound: true}), nil, []string{PVNotVerified}, safe},
		{"a local one is not verified", pv(cluster.PersistentVolume{Name: "pv-x", Local: true, Bound: true}), nil, []string{PVLocal}, safe},
		{"a volume is known by its handle", func(l *lab) { l.v("data").Handle, l.s.Persistent[0].Handle = "h", "h" }, nil, nil, safe},
		{"a volume without a handle is known by its name", func(l *lab) { l.v("data").Handle = "" }, nil, nil, safe},
		{"directories that nobody names are a note", func(l *lab) { l.st().Orphans = []cluster.Orphan{{Name: "o", Node: "w1", Directory: "x-12345678"}} },
			nil, []string{OrphanKept}, safe},
		{"a node that is out and carries nothing is a note", func(l *lab) { l.node("w3").Ready = cluster.No }, nil, []string{NodeNotReady}, safe},
		{"a node that another tool marked to go is a note", func(l *lab) { l.node("w1").Taints = []string{"ToBeDeletedByClusterAutoscaler=1:NoSchedule"} }, nil, []string{NodeMarkedToGo}, safe},
		{"a cordoned node is a note", func(l *lab) { l.node("w1").Cordoned = true }, nil, []string{NodeCordoned}, safe},
		{"a node that is there twice is a finding", func(l *lab) { l.s.Nodes = append(l.s.Nodes, *l.node("w3")) }, []string{InputTwice}, []string{InputTwice}, dunno},
		{"files are judged against their newest lease", func(l *lab) {
			files(l)
			l.st().Reported = time.Time{}
			for i := range l.s.Nodes {
				l.s.Nodes[i].LeaseRenewed = ago(500 * time.Hour)
			}
		}, nil, nil, safe},
		{"files are judged against their newest report", func(l *lab) {
			files(l)
			for i := range l.s.Nodes {
				l.s.Nodes[i].LeaseRenewed = ago(500 * time.Hour)
			}
		}, []string{VolumeUnproven}, []string{NodeLeaseOld}, dunno},
		{"files without any lease are judged by Ready", func(l *lab) {
			files(l)
			noLeases(l)
			gap(cluster.Gap{Kind: "leases.coordination.k8s.io", Reason: cluster.GapNotGiven})(l)
		}, nil, []string{InputNoLeases}, safe},
		{"files without leases may miss other kinds too", func(l *lab) {
			files(l)
			noLeases(l)
			gap(cluster.Gap{Kind: "leases.coordination.k8s.io", Reason: cluster.GapNotGiven})(l)
			gap(cluster.Gap{Kind: "settings.x", Reason: cluster.GapNotGiven})(l)
		}, nil, []string{InputNoLeases, InputGapHelpful}, safe},
		{"leases that are needed are needed from files too", func(l *lab) {
			files(l)
			gap(cluster.Gap{Kind: "leases.coordination.k8s.io", Reason: cluster.GapNotGiven, Needed: true})(l)
		}, []string{InputGapNeeded}, nil, dunno},
		{"files with an empty list of leases know of none", func(l *lab) { files(l); noLeases(l) }, []string{VolumeUnproven}, []string{NodeLeaseMissing}, dunno},
		{"a cluster whose leases are hidden knows of none", func(l *lab) {
			noLeases(l)
			gap(cluster.Gap{Kind: "leases.coordination.k8s.io", Reason: cluster.GapNotGiven})(l)
		}, []string{VolumeUnproven}, []string{InputGapHelpful, NodeLeaseMissing}, dunno},
		{"files whose leases were cut off know of none", func(l *lab) {
			files(l)
			noLeases(l)
			gap(cluster.Gap{Kind: "leases.coordination.k8s.io", Reason: cluster.GapTruncated})(l)
		}, []string{VolumeUnproven}, []string{InputGapHelpful, NodeLeaseMissing}, dunno},
	}
}

func TestJudge_WhatTheInputIsWorth(t *testing.T) {
	for _, c := range inputCases() {
		t.Run(c.claim, func(t *testing.T) {
			j := c.lab().judge()
			wantCodes(t, j.Findings, Unclear, c.codes...)
			if j.Verdict != c.verdict {
				t.Errorf("verdict %v, want %v\n%s", j.Verdict, c.verdict, say(j.Findings))
			}
			var notes []Finding
			for _, f := range j.Findings {
				if f.Severity == Note && f.Subject.Kind != "Replica" {
					notes = append(notes, f)
				}
			}
			wantCodes(t, notes, Note, c.notes...)
		})
	}
}

func TestJudge_AVolumeIsNamedByTheClaimThatIsBound(t *testing.T) {
	for _, first := range []bool{true, false} {
		l := atRest2()
		l.s.Persistent[0].Bound = first
		pv(cluster.PersistentVolume{Name: "second", Driver: driver, Handle: "data", ClaimName: "second", Bound: !first})(l)
		want := "second"
		if first {
			want = "pv-data"
		}
		if got := l.judge().Volume("data").PV; got != want {
			t.Errorf("named by %s, not %s", got, want)
		}
	}
	l := atRest2()
	l.s.Persistent[0].Bound = false
	pv(cluster.PersistentVolume{Name: "second", Driver: driver, Handle: "data"})(l)
	if got := l.judge().Volume("data").PV; got != "pv-data" {
		t.Errorf("of two that are not bound it is named by %s", got)
	}
}

func TestJudge_OneNodeIsEnoughToMissTheOthers(t *testing.T) {
	l := atRest2()
	for _, name := range []string{"control", "w1", "w3"} {
		l.remove(name)
	}
	if rj := l.judge().Volume("data").Replicas[0]; rj.Standing != isAbsent {
		t.Errorf("%v (%s)", rj.Standing, rj.Code)
	}
}

func TestJudge_NothingIsUnknown(t *testing.T) {
	for _, s := range []*cluster.Snapshot{nil, {}, {Source: cluster.SourceLive}} {
		j := Judge(s, newLab().pol, now())
		if j.Verdict != dunno {
			t.Errorf("%v", j.Verdict)
		}
		ref := cluster.NodeRef{Name: "w1", UID: "u"}
		if j.MayDrain(ref).Verdict == safe || j.MayDelete(ref, Turn{}).Verdict == safe || len(Drain(s, newLab().pol, ref).Blocked) == 0 {
			t.Error("something is permitted in a cluster of which nothing is known")
		}
		if j.Volume("x") != nil || j.Node("x") != nil {
			t.Error("something was found in nothing")
		}
	}
}

func TestJudge_TheWorstComesFirst(t *testing.T) {
	l := newLab().detached("a", "w1", "w2").detached("b", "w2", "w3").detached("c", "w1")
	l.remove("w1")
	l.node("w3").Ready = cluster.No
	j := l.judge()
	if j.Verdict != unsafe || j.Findings[0].Code != VolumeDataLost || j.Findings[1].Code != VolumeDegraded {
		t.Fatalf("%v\n%s", j.Verdict, say(j.Findings))
	}
	for i := 1; i < len(j.Findings); i++ {
		if j.Findings[i].Severity > j.Findings[i-1].Severity {
			t.Errorf("%s comes after %s", j.Findings[i].Code, j.Findings[i-1].Code)
		}
	}
}

func TestJudge_NodesAreLiveOrNot(t *testing.T) {
	l := newLab()
	l.node("w1").Ready = cluster.No
	l.node("w2").LeaseRenewed = time.Time{}
	l.node("w3").LeaseRenewed = ago(time.Hour)
	j := l.judge()
	for name, want := range map[string]cluster.Answer{
		"control": cluster.Yes, "w1": cluster.No, "w2": cluster.Unknown, "w3": cluster.No,
	} {
		if got := j.Node(name).Live; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestJudgement_FindsByName(t *testing.T) {
	l := newLab().detached("a", "w1").detached("b", "w2")
	l.s.Storages = append(l.s.Storages, cluster.Storage{Driver: "second", Volumes: []cluster.Volume{{Name: "b"}, {Name: "c"}}})
	j := l.judge()
	if v := j.Volume("b"); v == nil || v.Driver != driver || v.PV != "pv-b" || v.ClaimNamespace != "apps" || v.ClaimName != "b" {
		t.Errorf("%+v", v)
	}
	if v := j.Volume("c"); v == nil || v.Driver != "second" {
		t.Errorf("%+v", v)
	}
	l.s.Persistent = append(l.s.Persistent, cluster.PersistentVolume{Name: "again", Driver: driver, Handle: "b", Bound: true})
	if v := l.judge().Volume("b"); v.PV != "pv-b" {
		t.Errorf("of two that are bound the second is named: %s", v.PV)
	}
	bare := &Judgement{Snapshot: j.Snapshot, Volumes: j.Volumes, Nodes: j.Nodes}
	if bare.Volume("a") == nil || bare.Volume("b") == nil || bare.Node("control") == nil || bare.Node("w2") == nil || bare.Volume("x") != nil || bare.Node("x") != nil {
		t.Error("a judgement that was put together by hand finds nothing")
	}
	again := *l.node("w1")
	again.Ref.UID = "again"
	l.s.Nodes = append(l.s.Nodes, again)
	if n := l.judge().Node("w1"); n.Node.Ref.UID != "uid-w1" {
		t.Errorf("of two nodes of one name the second is found: %+v", n.Node.Ref)
	}
}
