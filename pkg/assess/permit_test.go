// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"slices"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// permitCase asks about node w1.
type permitCase struct {
	claim   string
	world   func() *lab
	bend    func(*lab)
	codes   []string
	verdict cluster.Verdict
}

func (c permitCase) lab() *lab {
	l := c.world()
	if c.bend != nil {
		c.bend(l)
	}
	return l
}

// w1 is the node that is asked about, as it is in the cluster.
func (c permitCase) drain() Permit {
	l := c.lab()
	return l.judge().MayDrain(asked(l))
}

func asked(l *lab) cluster.NodeRef {
	return cluster.NodeRef{Name: "w1", UID: "uid-w1"}
}

func accept(code, name string) func(*lab) {
	return func(l *lab) { l.pol.Accepted = append(l.pol.Accepted, policy.Risk{Code: code, Name: name}) }
}

// then bends in turn.
func then(fs ...func(*lab)) func(*lab) {
	return func(l *lab) {
		for _, f := range fs {
			f(l)
		}
	}
}

// elsewhere is a volume of three that w1 has one of, served from w2.
func elsewhere() *lab {
	l := newLab().detached("data", "w1", "w2", "w3")
	v := l.v("data")
	v.State, v.Engine.Running, v.Engine.Node, v.Engine.Owner = cluster.Attached, cluster.Yes, "w2", "w2"
	for i := range v.Replicas {
		v.Replicas[i].Claim = cluster.Serving
	}
	return l
}

func TestMayDrain_ASingleReplicaElsewhereIsNotToldOf(t *testing.T) {
	l := newLab().detached("data", "w2")
	wantCodes(t, l.judge().MayDrain(asked(l)).Findings, Note)
}

func TestPermits_TheWorstComesFirst(t *testing.T) {
	l := newLab().detached("a", "w1", "w2").detached("b", "w1")
	accept(VolumeOneCopy, "a")(l)
	j := l.judge()
	for what, p := range map[string]Permit{"drain": j.MayDrain(asked(l)), "delete": j.MayDelete(asked(l), Turn{})} {
		if len(p.Findings) < 2 || p.Findings[0].Code != VolumeLastCopy {
			t.Errorf("%s: %s", what, say(p.Findings))
		}
	}
}

func drainCases() []permitCase {
	all := then
	return []permitCase{
		{"two of three are the floor", atRest3, nil, nil, safe},
		{"a volume that has nothing there keeps its floor", func() *lab { return newLab().detached("data", "w2", "w3") }, nil, nil, safe},
		{"an empty cluster keeps its floor", newLab, nil, nil, safe},
		{"a node that is not there cannot be drained", atRest3, func(l *lab) { l.remove("w1") }, []string{NodeNotFound}, dunno},
		{"a node of the same name is another one", atRest3, func(l *lab) { l.node("w1").Ref.UID = "new" }, []string{NodeOtherIncarnation}, unsafe},
		{"one of two is one copy", atRest2, nil, []string{VolumeOneCopy}, unsafe},
		{"one copy may be accepted by name", atRest2, accept(VolumeOneCopy, "data"), nil, safe},
		{"one copy may be accepted for all", atRest2, accept(VolumeOneCopy, ""), nil, safe},
		{"one copy of another volume was accepted", atRest2, accept(VolumeOneCopy, "other"), []string{VolumeOneCopy}, unsafe},
		{"one copy may be the floor by policy", atRest2, func(l *lab) { l.pol.MinReplicas = 1 }, nil, safe},
		{"the last copy cannot be accepted", func() *lab { return newLab().detached("data", "w1") }, all(accept(VolumeOneCopy, ""), accept(VolumeLastCopy, "data")),
			[]string{VolumeLastCopy}, unsafe},
		{"the last copy cannot be a policy", func() *lab { return newLab().detached("data", "w1") }, func(l *lab) { l.pol.MinReplicas = 1 }, []string{VolumeLastCopy}, unsafe},
		{"a volume that needs two has no one copy", atRest3, all(func(l *lab) { l.v("data").Need = 2; l.remove("w3") }, accept(VolumeOneCopy, "")),
			[]string{VolumeLastCopy}, unsafe},
		{"a floor of three is not two", func() *lab { return newLab().detached("data", "w1", "w2", "w3") }, func(l *lab) { l.v("data").Want = 4 },
			[]string{VolumeBelowFloor}, unsafe},
		{"a floor of three may be lowered to one", func() *lab { return newLab().detached("data", "w1", "w2", "w3") },
			all(func(l *lab) { l.v("data").Want = 4 }, accept(VolumeOneCopy, "data")), nil, safe},
		{"what may be good elsewhere makes it unknown", atRest3, func(l *lab) { l.node("w2").Ready = cluster.No }, []string{VolumeUnproven}, dunno},
		{"what may be good elsewhere is not enough", atRest3, func(l *lab) {
			l.remove("w3")
			l.node("w2").Ready = cluster.No
		}, []string{VolumeBelowFloor}, unsafe},
		{"a silent node may be drained when the others hold", atRest3, func(l *lab) { l.node("w1").Ready = cluster.No }, nil, safe},
		{"a volume that is lost is lost for every node", atRest3, func(l *lab) {
			for i := range l.v("data").Replicas {
				l.r(i).Claim = cluster.Failed
			}
		}, []string{VolumeDataLost}, unsafe},
		{"a volume that is going does not gate", atRest2, func(l *lab) { l.v("data").State = cluster.Deleting }, nil, safe},
		{"a volume that nobody used does not gate", unused2, nil, nil, safe},
		{"a volume that may never have been used is unknown", unused2, func(l *lab) { l.v("data").Engine.Ever = cluster.Yes }, []string{VolumeNoData}, dunno},
		{"a volume that is claimed and has no replica is lost", unused2, func(l *lab) { l.v("data").Replicas = nil }, []string{VolumeDataLost}, unsafe},
		{"together elsewhere is once", atRest3, func(l *lab) { *l.r(2) = replicaOf("data", "w2"); l.r(2).Name = "twin" }, []string{VolumeOneCopy}, unsafe},
		{"what leaves elsewhere does not stay", atRest3, func(l *lab) { l.r(1).Leaving = true }, []string{VolumeOneCopy}, unsafe},
		{"what leaves elsewhere is not lost", func() *lab { return newLab().detached("data", "w2") }, func(l *lab) { l.r(0).Leaving = true },
			[]string{VolumeBelowFloor}, unsafe},
		{"one that stays of two that are needed is no one copy", atRest3, func(l *lab) {
			l.v("data").Need = 2
			l.r(0).Claim, l.r(2).Leaving = cluster.Failed, true
		}, []string{VolumeBelowFloor}, unsafe},
		{"what leaves the node is not needed", atRest3, func(l *lab) { l.r(0).Leaving = true }, nil, safe},
		{"a kind that cannot be counted is unknown wherever it lies", func() *lab { return newLab().detached("data", "w2", "w3") },
			func(l *lab) { l.v("data").Class = cluster.ClassSharded }, []string{VolumeNotJudged}, dunno},
		{"a busy volume on the node is unknown", serving3, func(l *lab) { l.v("data").Busy = []string{"purging"} }, []string{VolumeBusy}, dunno},
		{"a busy volume elsewhere is counted", func() *lab { return newLab().attached("data", "w2", "w3") }, func(l *lab) { l.v("data").Busy = []string{"purging"} }, nil, safe},
		{"a busy volume whose engine is there is unknown", func() *lab { return newLab().attached("data", "w2", "w3") }, func(l *lab) {
			l.v("data").Busy = []string{"purging"}
			l.v("data").Engine.Node = "w1"
		}, []string{VolumeBusy}, dunno},
		{"a busy volume that is held there is unknown", func() *lab { return newLab().attached("data", "w2", "w3") }, func(l *lab) {
			l.v("data").Busy = []string{"purging"}
			l.v("data").Holds = []cluster.Hold{{Node: "w1"}}
		}, []string{VolumeBusy}, dunno},
		{"a volume without an engine there is unknown", atRest3, func(l *lab) { l.v("data").Engine.Present = cluster.No }, []string{VolumeNotJudged}, dunno},
		{"a volume in no known state there is unknown", atRest3, func(l *lab) { l.v("data").State = cluster.StateUnknown }, []string{VolumeNotJudged, VolumeUnproven}, dunno},
		{"a volume that is being made there is unknown", atRest3, func(l *lab) { l.v("data").State = cluster.Creating }, []string{VolumeNotJudged, VolumeUnproven}, dunno},
		{"a kind that draining needs and was not read is unknown", atRest3, gap(cluster.Gap{Kind: "pods", ForDrain: true}), []string{InputGapDrain}, dunno},
		{"a kind that all need and was not read is unknown", atRest3, gap(cluster.Gap{Kind: "engines.x", Needed: true, ForDrain: true}), []string{InputGapNeeded}, dunno},
		{"a kind that helps does not gate", atRest3, gap(cluster.Gap{Kind: "settings.x"}), nil, safe},
		{"a claim whose volume is missing is unknown", atRest3, pv(cluster.PersistentVolume{Name: "x", Driver: driver, Handle: "x", Bound: true}), []string{PVNoVolume}, dunno},
		{"files may answer", atRest3, files, nil, safe},
	}
}

func TestMayDrain(t *testing.T) {
	for _, c := range drainCases() {
		t.Run(c.claim, func(t *testing.T) {
			p := c.drain()
			wantCodes(t, p.Findings, Unclear, c.codes...)
			if p.Verdict != c.verdict {
				t.Errorf("%v, want %v\n%s", p.Verdict, c.verdict, say(p.Findings))
			}
		})
	}
}

func TestMayDrain_ANodeWithoutAnIdentityIsNobody(t *testing.T) {
	l := atRest3()
	l.node("w1").Ref.UID = ""
	if p := l.judge().MayDrain(cluster.NodeRef{Name: "w1"}); p.Verdict != unsafe {
		t.Errorf("%v\n%s", p.Verdict, say(p.Findings))
	}
}

func TestMayDrain_WhatWasAcceptedIsStillSaid(t *testing.T) {
	l := atRest2()
	accept(VolumeOneCopy, "data")(l)
	wantCodes(t, l.judge().MayDrain(asked(l)).Findings, Note, VolumeOneCopy)
}

func TestMayDrain_EveryVolumeSpeaks(t *testing.T) {
	l := newLab().detached("a", "w1", "w2", "w3").detached("b", "w1", "w2").detached("c", "w1")
	p := l.judge().MayDrain(asked(l))
	wantCodes(t, p.Findings, Unclear, VolumeOneCopy, VolumeLastCopy)
	if len(p.Findings) != 2 || p.Findings[0].Subject.Name != "b" || p.Findings[1].Subject.Name != "c" {
		t.Errorf("%s", say(p.Findings))
	}
}

func TestMayDrain_TheEvidenceCountsWhatIsElsewhere(t *testing.T) {
	l := newLab().detached("data", "w1", "w2", "w3")
	l.node("w2").Ready = cluster.No
	l.v("data").Want = 4
	f := l.judge().MayDrain(asked(l)).Findings[0]
	for _, want := range []cluster.Fact{
		{Name: "node", Value: "w1"}, {Name: "replicas.goodElsewhere", Value: "1"}, {Name: "replicas.doubtfulElsewhere", Value: "1"},
		{Name: "volume.floor", Value: "3"}, {Name: "volume.want", Value: "4"},
	} {
		if !slices.Contains(f.Evidence, want) {
			t.Errorf("%v is not among %v", want, f.Evidence)
		}
	}
	if f.Subject != (Subject{Kind: "Volume", Namespace: "storage-system", Name: "data"}) {
		t.Errorf("%+v", f.Subject)
	}
}

// A refusal offers the risk that would lift it, and none that would not.
func TestMayDrain_OffersOnlyTheRiskThatWouldHelp(t *testing.T) {
	lost := func(on string) *lab {
		l := newLab().detached("data", on)
		l.r(0).Claim, l.r(0).FailedAt = cluster.Failed, ago(time.Hour)
		return l
	}
	for name, c := range map[string]struct {
		l    *lab
		code string
		want policy.Risk
	}{
		"one copy would be left":           {atRest2(), VolumeOneCopy, policy.Risk{Code: VolumeOneCopy, Name: "data"}},
		"the last copy is on it":           {newLab().detached("data", "w1"), VolumeLastCopy, policy.Risk{}},
		"lost, with nothing on the node":   {lost("w2"), VolumeDataLost, policy.Risk{Code: VolumeAlreadyLost, Name: "data"}},
		"lost, with something on the node": {lost("w1"), VolumeDataLost, policy.Risk{}},
	} {
		got, found := policy.Risk{}, false
		for _, f := range c.l.judge().MayDrain(asked(c.l)).Findings {
			if f.Code == c.code {
				got, found = f.Risk, true
			}
		}
		if !found || got != c.want {
			t.Errorf("%s: %+v (said: %t), want %+v", name, got, found, c.want)
		}
	}
}
