// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

func claimCases() []replicaCase {
	doubt := func(s cluster.Standing) func(*lab) {
		return func(l *lab) {
			l.r(0).Doubts = []cluster.Doubt{{Code: "odd/thing", AtMost: s, Facts: []cluster.Fact{{Name: "a", Value: "b"}}}}
		}
	}
	claim := func(c cluster.Claim) func(*lab) { return func(l *lab) { l.r(0).Claim = c } }
	both := func(fs ...func(*lab)) func(*lab) {
		return func(l *lab) {
			for _, f := range fs {
				f(l)
			}
		}
	}
	silent := func(l *lab) { l.node("w1").Ready = cluster.No }
	return []replicaCase{
		{"a failed replica failed", false, claim(cluster.Failed), cluster.StandingFailed, ReplicaFailed, unsafe},
		{"a failed replica failed though its node is silent", false, both(claim(cluster.Failed), silent), cluster.StandingFailed, ReplicaFailed, unsafe},
		{"a failed replica on a node that is gone is absent", false, both(claim(cluster.Failed), func(l *lab) { l.remove("w1") }), isAbsent, ReplicaNodeGone, unsafe},
		{"a replica that is being written is not whole", false, claim(cluster.Rebuilding), cluster.StandingRebuilding, ReplicaRebuilding, unsafe},
		{"a replica of which nothing is known does not count", false, claim(cluster.ClaimUnknown), isUnknown, ReplicaClaimUnknown, dunno},
		{"a claim that is no word does not count", false, claim(99), isUnknown, ReplicaClaimUnknown, dunno},
		{"a placeholder is no replica", false, claim(cluster.Placeholder), cluster.StandingUnused, ReplicaPlaceholder, unsafe},
		{"a placeholder that is being moved is still no replica", false, both(claim(cluster.Placeholder), func(l *lab) { l.r(0).Leaving = true }),
			cluster.StandingUnused, ReplicaPlaceholder, unsafe},
		{"a replica that is being deleted is going", false, func(l *lab) { l.r(0).Deleting = true }, cluster.StandingLeaving, ReplicaDeleting, unsafe},
		{"a replica that is being moved is going", false, func(l *lab) { l.r(0).Leaving = true }, cluster.StandingLeaving, ReplicaLeaving, safe},
		{"a replica that is being moved is going though its node is silent", false, both(silent, func(l *lab) { l.r(0).Leaving = true }),
			cluster.StandingLeaving, ReplicaLeaving, dunno},
		{"a failed replica that is being moved failed", false, both(claim(cluster.Failed), func(l *lab) { l.r(0).Leaving = true }),
			cluster.StandingFailed, ReplicaFailed, unsafe},
		{"a replica that is being deleted is not merely moved", false, func(l *lab) { l.r(0).Deleting, l.r(0).Leaving = true, true },
			cluster.StandingLeaving, ReplicaDeleting, unsafe},
		{"what is wrong with the node is said before what is wrong with its storage", false, both(silent, func(l *lab) { l.sn("w1").Ready = cluster.No }),
			isUnknown, NodeNotReady, dunno},
		{"what is wrong with the storage is said before what is wrong with the disk", false, func(l *lab) {
			l.sn("w1").Ready, l.disk("w1").Ready = cluster.No, cluster.No
		}, isUnknown, StorageNodeNotReady, dunno},
		{"a doubt that it failed outweighs a rebuild", false, both(claim(cluster.Rebuilding), doubt(cluster.StandingFailed)), cluster.StandingFailed, "odd/thing", unsafe},
		{"a doubt that it is there at all outweighs a failure", false, both(claim(cluster.Failed), doubt(cluster.StandingAbsent)), isAbsent, "odd/thing", unsafe},
		{"a doubt that it is being written outweighs that it leaves", false, both(func(l *lab) { l.r(0).Leaving = true }, doubt(cluster.StandingRebuilding)),
			cluster.StandingRebuilding, "odd/thing", unsafe},
		{"a doubt outweighs what a probe could prove", false, both(func(l *lab) { l.node("w1").Created = ago(time.Hour) }, doubt(cluster.StandingUnknown)),
			isUnknown, "odd/thing", dunno},
		{"a blank among copies certainly holds nothing", false, claim(cluster.Untouched), cluster.StandingUnused, ReplicaNeverHealthy, unsafe},
		{"a blank on a node that is gone is absent", false, both(claim(cluster.Untouched), func(l *lab) { l.remove("w1") }), isAbsent, ReplicaNodeGone, unsafe},
		{"a doubt takes a replica down", false, doubt(cluster.StandingUnknown), isUnknown, "odd/thing", dunno},
		{"a doubt that is certain makes the volume degraded", false, doubt(cluster.StandingFailed), cluster.StandingFailed, "odd/thing", unsafe},
		{"a doubt that leaves it good takes nothing away", false, doubt(cluster.StandingGood), isGood, "", safe},
		{"a doubt does not lift a failed replica", false, both(claim(cluster.Failed), doubt(cluster.StandingUnknown)), cluster.StandingFailed, ReplicaFailed, unsafe},
		{"a claim that is not known is explained by its doubt", false, both(claim(cluster.ClaimUnknown), doubt(cluster.StandingUnknown)), isUnknown, "odd/thing", dunno},
		{"what is unknown for another reason keeps it", false, both(silent, doubt(cluster.StandingUnknown)), isUnknown, NodeNotReady, dunno},
		{"a doubt that leaves an unknown claim good explains nothing", false, both(claim(cluster.ClaimUnknown), doubt(cluster.StandingGood)), isUnknown, ReplicaClaimUnknown, dunno},
		{"a doubt that it ever held data outweighs a silent node", false, both(silent, doubt(cluster.StandingUnused)), cluster.StandingUnused, "odd/thing", unsafe},
		{"a doubt about a placeholder takes nothing away", false, both(claim(cluster.Placeholder), doubt(cluster.StandingFailed)),
			cluster.StandingUnused, ReplicaPlaceholder, unsafe},
		{"a doubt about a replica that is not needed changes no verdict", false, func(l *lab) {
			l.v("data").Replicas = append(l.v("data").Replicas, replicaOf("data", "w3"))
			l.v("data").Want = 1
			l.r(0).Doubts = []cluster.Doubt{{Code: "odd/thing", AtMost: cluster.StandingUnproven, Facts: []cluster.Fact{{Name: "a"}}}}
		}, cluster.StandingUnproven, "odd/thing", safe},
	}
}

// sibling adds one that is being written in the first replica's place, but for
// how it is bent.
func sibling(bend func(*cluster.Replica)) func(*lab) {
	return func(l *lab) {
		r := *l.r(0)
		r.Name, r.UID, r.Claim = "other", "other", cluster.Rebuilding
		bend(&r)
		l.v("data").Replicas = append(l.v("data").Replicas, r)
	}
}

func engineCases() []replicaCase {
	return []replicaCase{
		{"what a running engine lists counts", true, nil, isGood, "", safe},
		{"an engine that is not there says nothing", true, func(l *lab) { l.v("data").Engine.Present = cluster.Unknown }, isUnknown, EngineNotRunning, dunno},
		{"an engine that does not run says nothing", true, func(l *lab) { l.v("data").Engine.Running = cluster.No }, isUnknown, EngineNotRunning, dunno},
		{"an engine that does not say it runs says nothing", true, func(l *lab) { l.v("data").Engine.Running = cluster.Unknown }, isUnknown, EngineNotRunning, dunno},
		{"an engine on a silent node says nothing", true, func(l *lab) { l.node("w3").Ready = cluster.Unknown }, isUnknown, EngineNodeNotLive, dunno},
		{"an engine on a node that is gone says nothing", true, func(l *lab) { l.remove("w3") }, isUnknown, EngineNodeNotLive, dunno},
		{"an engine on no node says nothing", true, func(l *lab) { l.v("data").Engine.Node = "" }, isUnknown, EngineNodeNotLive, dunno},
		{"an engine that a dead node reports says nothing", true, func(l *lab) {
			l.v("data").Engine.Owner = "control"
			l.node("control").LeaseRenewed = ago(time.Minute)
		}, isUnknown, EngineNodeNotLive, dunno},
		{"an engine whose reporter is not ready in the storage's eyes says nothing", true, func(l *lab) { l.sn("w3").Ready = cluster.No }, isUnknown, StorageNodeNotReady, dunno},
		{"an engine whose reporter's storage node goes says nothing", true, func(l *lab) { l.sn("w3").Deleting = true }, isUnknown, StorageNodeDeleting, dunno},
		{"an engine that a node without the storage reports says nothing", true, func(l *lab) { l.v("data").Engine.Owner = "control" }, isUnknown, StorageNodeMissing, dunno},
		{"an engine whose reporter's pod is not ready says nothing", true, reporter("w3", cluster.No), isUnknown, StorageNodeSilent, dunno},
		{"an engine whose reporter's pod is ready counts", true, reporter("w3", cluster.Yes), isGood, "", safe},
		{"a replica that the engine does not list does not count", true, func(l *lab) { l.r(0).Claim = cluster.Idle }, isUnknown, ReplicaNotServing, dunno},
		{"a replica in whose place another is written does not count", true, sibling(func(*cluster.Replica) {}), isUnknown, ReplicaReplaced, dunno},
		{"a sibling that is written beside it takes nothing away", true, sibling(func(r *cluster.Replica) { r.Directory = "elsewhere" }), isGood, "", safe},
		{"a sibling that is written on another disk takes nothing away", true, sibling(func(r *cluster.Replica) { r.DiskUUID = "second" }), isGood, "", safe},
		{"a sibling that is written on another node takes nothing away", true, sibling(func(r *cluster.Replica) { r.Node = "w3" }), isGood, "", safe},
		{"a sibling in its place that is not written takes nothing away", true, sibling(func(r *cluster.Replica) { r.Claim = cluster.Failed }), isGood, "", safe},
		{"a standby volume at rest is not judged by its replicas", false, func(l *lab) { l.v("data").Class = cluster.ClassStandby }, isUnknown, ReplicaNotServing, dunno},
		{"a standby volume is judged by its engine", true, func(l *lab) { l.v("data").Class = cluster.ClassStandby }, isGood, "", safe},
	}
}

func TestJudge_ProofNeedsARunningEngine(t *testing.T) {
	if p := newLab().detached("data", "w1", "w2").judge().Volume("data").Replicas[0].Proof; p != cluster.Plausible {
		t.Errorf("at rest: %q", p)
	}
	l := newLab().detached("data", "w1", "w2")
	l.node("w1").Created, l.r(0).Created, l.r(0).HealthyAt = ago(time.Hour), ago(time.Minute), ago(time.Minute)
	if p := l.judge().Volume("data").Replicas[0].Proof; p != cluster.Plausible {
		t.Errorf("at rest, made on its node: %q", p)
	}
	if p := good(cluster.Proven).worse(good(cluster.ProofNone)).proof; p != cluster.Proven {
		t.Errorf("a clause that proves nothing takes away a proof: %q", p)
	}
	if p := newLab().attached("data", "w1", "w2").judge().Volume("data").Replicas[0].Proof; p != cluster.Proven {
		t.Errorf("served: %q", p)
	}
}

func TestJudge_ReplicasOfAVolumeThatNobodyUsedAreUnused(t *testing.T) {
	l := newLab().unused("data", "w1", "w2")
	l.remove("w2")
	for i, rj := range l.judge().Volume("data").Replicas {
		if rj.Standing != cluster.StandingUnused || rj.Code != ReplicaUnused {
			t.Errorf("%d: %v (%s)", i, rj.Standing, rj.Code)
		}
	}
	if vj := newLab().unused("data", "w1").judge().Volume("data"); vj.Condition != Unused {
		t.Errorf("a volume of one replica: %v", vj.Condition)
	}
}

// What the last replica, a blank, is worth depends upon whether its siblings
// ever held data, and whether one may hold them still.
func TestJudge_ABlankIsJudgedByItsSiblings(t *testing.T) {
	ran := func(l *lab) { l.v("data").Engine.Ever = cluster.Yes }
	claims := func(c cluster.Claim) func(*lab) { return func(l *lab) { l.r(0).Claim = c } }
	blank := func(l *lab) {
		r := l.r(len(l.v("data").Replicas) - 1)
		r.Claim, r.HealthyAt = cluster.Untouched, time.Time{}
	}
	const isUnused = cluster.StandingUnused
	for name, c := range map[string]struct {
		world    func() *lab
		bend     func(*lab)
		standing cluster.Standing
		code     string
	}{
		"nobody used any":                       {unused2, func(*lab) {}, isUnused, ReplicaUnused},
		"of a volume that was written":          {unused2, func(l *lab) { l.v("data").Touched = true }, isUnused, ReplicaBlank},
		"of a volume that wants none":           {unused2, func(l *lab) { l.v("data").Want = 0 }, isUnknown, ReplicaNeverHealthy},
		"an engine ran once":                    {unused2, ran, isUnknown, ReplicaNeverHealthy},
		"an engine ran, beside a placeholder":   {unused2, then(ran, claims(cluster.Placeholder)), isUnknown, ReplicaNeverHealthy},
		"beside one that failed, without times": {unused2, claims(cluster.Failed), isUnused, ReplicaBlank},
		"beside one that may be whole":          {unused2, claims(cluster.Idle), isUnknown, ReplicaNeverHealthy},
		"beside a good one":                     {atRest2, blank, isUnused, ReplicaNeverHealthy},
		"beside one on a silent node":           {atRest2, then(blank, func(l *lab) { l.node("w1").Ready = cluster.No }), isUnused, ReplicaNeverHealthy},
		"beside one on a younger node":          {atRest2, then(blank, func(l *lab) { l.node("w1").Created = ago(time.Hour) }), isUnused, ReplicaNeverHealthy},
		"beside one that is being deleted":      {atRest2, then(blank, func(l *lab) { l.r(0).Deleting = true }), isUnused, ReplicaNeverHealthy},
		"beside one that is being written":      {atRest2, then(blank, claims(cluster.Rebuilding)), isUnused, ReplicaBlank},
		"beside one that is gone":               {atRest2, then(blank, func(l *lab) { l.remove("w1") }), isUnused, ReplicaBlank},
		"beside a good one and a failed one":    {atRest3, then(blank, func(l *lab) { l.r(1).Claim = cluster.Failed }), isUnused, ReplicaNeverHealthy},
	} {
		l := c.world()
		c.bend(l)
		rs := l.judge().Volume("data").Replicas
		if rj := rs[len(rs)-1]; rj.Standing != c.standing || rj.Code != c.code {
			t.Errorf("%s: %v (%s), want %v (%s)", name, rj.Standing, rj.Code, c.standing, c.code)
		}
	}
}

func TestJudge_WhatNobodyUsedHasNothingToMove(t *testing.T) {
	l := newLab().unused("data", "w1", "w2")
	l.r(0).Leaving = true
	if rj := l.judge().Volume("data").Replicas[0]; rj.Standing != cluster.StandingUnused || rj.Code != ReplicaUnused {
		t.Errorf("%v (%s)", rj.Standing, rj.Code)
	}
}

func TestJudge_TheEvidenceOfALeavingReplicaBeginsWithItsNode(t *testing.T) {
	l := atRest3()
	l.r(0).Leaving = true
	if e := l.judge().Volume("data").Replicas[0].Evidence; len(e) != 3 || e[0] != fact("replica.node", "w1") {
		t.Errorf("%v", e)
	}
}

func TestJudge_ADoubtThatTakesNothingAwayIsStillSaid(t *testing.T) {
	l := atRest2()
	l.r(1).Doubts = []cluster.Doubt{{Code: "odd/thing", AtMost: cluster.StandingGood}}
	fs := l.judge().Findings
	wantCodes(t, fs, Note, "odd/thing")
	if fs[0].Subject != (Subject{Kind: "Replica", Namespace: "storage-system", Name: "data-r-w2"}) {
		t.Errorf("%+v", fs[0].Subject)
	}
}

func TestJudge_ALeavingReplicaThatIsDoubtedIsNotStillThere(t *testing.T) {
	l := newLab().attached("data", "w1", "w2", "w3")
	l.r(2).Leaving = true
	l.r(2).Doubts = []cluster.Doubt{{Code: "odd/thing", AtMost: cluster.StandingFailed}}
	if vj := l.judge().Volume("data"); vj.Replicas[2].Here != cluster.StandingFailed || vj.Leaving != 0 || vj.Moving {
		t.Errorf("here %v, leaving %d, moving %v", vj.Replicas[2].Here, vj.Leaving, vj.Moving)
	}
	l.r(2).Doubts[0].AtMost = isUnknown
	vj := l.judge().Volume("data")
	if vj.Replicas[2].Standing != cluster.StandingLeaving || vj.Replicas[2].Here != isUnknown || !vj.Moving || vj.Condition != ConditionUnknown {
		t.Errorf("%v, here %v, moving %v: %v", vj.Replicas[2].Standing, vj.Replicas[2].Here, vj.Moving, vj.Condition)
	}
}

func TestJudge_CountsWhatIsProvenByPlace(t *testing.T) {
	l := newLab().attached("data", "w1", "w2", "w3")
	twin := replicaOf("data", "w1")
	twin.Name, twin.UID, twin.Directory, twin.Claim = "twin", "twin", "twin", cluster.Serving
	l.v("data").Replicas = append(l.v("data").Replicas, twin)
	l.r(1).Claim = cluster.Failed
	if vj := l.judge().Volume("data"); vj.Good != 2 || vj.Proven != 2 || vj.Doubtful != 0 {
		t.Errorf("good %d, proven %d, doubtful %d", vj.Good, vj.Proven, vj.Doubtful)
	}
	rest := newLab().detached("data", "w1", "w2", "w3")
	rest.node("w3").Ready = cluster.No
	if vj := rest.judge().Volume("data"); vj.Good != 2 || vj.Proven != 0 || vj.Doubtful != 1 {
		t.Errorf("at rest: good %d, proven %d, doubtful %d", vj.Good, vj.Proven, vj.Doubtful)
	}
}

func TestJudge_TheSecondOfOneNameDoesNotCount(t *testing.T) {
	l := newLab().detached("data", "w1", "w2")
	l.r(1).Name = l.r(0).Name
	j := l.judge()
	if rj := j.Volume("data").Replicas[1]; rj.Standing != isUnknown || rj.Code != ReplicaTwice {
		t.Errorf("%v (%s)", rj.Standing, rj.Code)
	}
	if j.Verdict != dunno {
		t.Errorf("verdict %v", j.Verdict)
	}
}

func TestJudge_ALeavingReplicaIsStillThereUnlessSomethingElseIsWrong(t *testing.T) {
	l := newLab().attached("data", "w1", "w2", "w3")
	l.r(0).Leaving, l.r(1).Leaving = true, true
	l.node("w2").LeaseRenewed = ago(time.Hour)
	vj := l.judge().Volume("data")
	if a, b, c := vj.Replicas[0].Here, vj.Replicas[1].Here, vj.Replicas[2].Here; a != isGood || b != isUnknown || c != isGood {
		t.Errorf("here: %v %v %v", a, b, c)
	}
	if vj.Leaving != 1 || vj.Good != 1 || vj.Doubtful != 1 || !vj.Moving || vj.Condition != ConditionUnknown {
		t.Errorf("leaving %d, good %d, doubtful %d, moving %v: %v", vj.Leaving, vj.Good, vj.Doubtful, vj.Moving, vj.Condition)
	}
	l.node("w2").LeaseRenewed = now()
	if vj := l.judge().Volume("data"); vj.Leaving != 2 || vj.Good != 1 || !vj.Moving || vj.Condition != Whole {
		t.Errorf("leaving %d, good %d, moving %v: %v", vj.Leaving, vj.Good, vj.Moving, vj.Condition)
	}
}

func TestJudge_WhatIsLostOrStandsForNothingIsNotMoving(t *testing.T) {
	for name, bend := range map[string]func(*lab){
		"asked to go": func(*lab) {}, "a placeholder": func(l *lab) { l.r(0).Claim = cluster.Placeholder },
		"failed":                 func(l *lab) { l.r(0).Claim = cluster.Failed },
		"on a node that is gone": func(l *lab) { l.remove("w1") },
		"not asked":              func(l *lab) { l.r(0).Leaving = false },
	} {
		l := atRest3()
		l.r(0).Leaving = true
		bend(l)
		if vj := l.judge().Volume("data"); vj.Moving != (name == "asked to go") {
			t.Errorf("%s: moving %v", name, vj.Moving)
		}
	}
}
