// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// look makes the first replica of "data" one into whose directory somebody has
// looked, and found that.
func look(seen cluster.Seen, more ...func(*lab, *cluster.Replica)) func(*lab) {
	return func(l *lab) {
		r := l.r(0)
		r.Probe = &cluster.Probe{Seen: seen, At: ago(time.Minute), Node: l.node("w1").Ref,
			Facts: []cluster.Fact{{Name: "directory", Value: "replicas/x"}}}
		for _, f := range more {
			f(l, r)
		}
	}
}

// missed makes the first replica of "data" one whose directory was missing when a
// program looked that has ended since.
func missed(bend func(*cluster.Missing), more ...func(*lab, *cluster.Replica)) func(*lab) {
	return func(l *lab) {
		look(cluster.SeenNothing)(l)
		r := l.r(0)
		x, _ := r.Missing()
		if r.Probe = nil; bend != nil {
			bend(&x)
		}
		l.s.Missing = map[cluster.UID]cluster.Missing{r.UID: x}
		for _, f := range more {
			f(l, r)
		}
	}
}

// reborn makes the node younger than its replica, an hour ago.
func reborn(l *lab, r *cluster.Replica) {
	l.node("w1").Created = ago(time.Hour)
	l.node("w1").Ref.UID, r.Probe.Node.UID = "uid-again", "uid-again"
}

func probeCases() []replicaCase {
	used := func(l *lab, _ *cluster.Replica) { l.v("data").Used = 7 }
	return []replicaCase{
		{"data that were seen are proof", false, look(cluster.SeenData), isGood, "", safe},
		{"a directory that is missing is a loss", false, look(cluster.SeenNothing), isAbsent, ReplicaDataMissing, unsafe},
		{"no answer is not good", false, look(cluster.SeenNoAnswer), isUnknown, ProbeNoAnswer, dunno},
		{"a word never seen is no answer", false, look(99), isUnknown, ProbeNoAnswer, dunno},
		{"a blank directory of a volume that was written is not counted", false, look(cluster.SeenBlank, used), isUnknown, ProbeBlank, dunno},
		{"a blank directory of a volume that was never written changes nothing", false, look(cluster.SeenBlank), isGood, "", safe},
		{"a blank directory of a volume that a workload has used is not counted, whatever its engine says of its size", false,
			look(cluster.SeenBlank, func(l *lab, _ *cluster.Replica) { l.v("data").Mounted = true }), isUnknown, ProbeBlank, dunno},
		{"what was missing before the volume was opened is not counted", false, look(cluster.SeenRemade, used), isUnknown, ProbeBlank, dunno},
		{"nor is it while it is served", true, look(cluster.SeenRemade, used), isUnknown, ProbeBlank, dunno},
		{"of a volume that was never written it changes nothing", false, look(cluster.SeenRemade), isGood, "", safe},
		{"an earlier program saw that it was missing: it is served, and not counted", true, missed(nil, used), isUnknown, ProbeBlank, dunno},
		{"it was at rest, and not looked into again", false, missed(nil, used), isUnknown, ProbeBlank, dunno},
		{"somebody wrote into what was made anew", true, missed(nil, used, func(l *lab, r *cluster.Replica) { look(cluster.SeenData)(l) }), isUnknown, ProbeBlank, dunno},
		{"it is still missing", false, missed(nil, used, func(l *lab, _ *cluster.Replica) { look(cluster.SeenNothing)(l) }), isAbsent, ReplicaDataMissing, unsafe},
		{"it was rebuilt since", false, missed(func(x *cluster.Missing) { x.HealthyAt = x.HealthyAt.Add(-time.Second) }, used), isGood, "", safe},
		{"it was on another disk", false, missed(func(x *cluster.Missing) { x.DiskUUID = "former" }, used), isGood, "", safe},
		{"it was another machine's", false, missed(func(x *cluster.Missing) { x.Machine.UID = "former" }, used), isUnknown, ProbeNoAnswer, dunno},
		{"half a replica is not counted", false, look(cluster.SeenBroken), isUnknown, ProbeBroken, dunno},
		{"another disk proves nothing", false, look(cluster.SeenOtherDisk), isUnknown, ProbeOtherDisk, dunno},
		{"another disk without the directory proves nothing by itself", false, look(cluster.SeenReplaced), isUnknown, ProbeOtherDisk, dunno},
		{"the answer of another machine is none", false, look(cluster.SeenData, func(_ *lab, r *cluster.Replica) { r.Probe.Node.UID = "other" }), isUnknown, ProbeNoAnswer, dunno},
		{"nothing on another machine is no loss", false, look(cluster.SeenNothing, func(_ *lab, r *cluster.Replica) { r.Probe.Node.UID = "other" }), isUnknown, ProbeNoAnswer, dunno},
		{"an answer from before the node is none", false, look(cluster.SeenData, func(l *lab, r *cluster.Replica) { r.Probe.At = l.node("w1").Created }), isUnknown, ProbeNoAnswer, dunno},

		{"data on a node that is younger are proof", false, look(cluster.SeenData, reborn), isGood, "", safe},
		{"data that were seen outweigh the record of a former machine", false, look(cluster.SeenData, func(l *lab, r *cluster.Replica) {
			retired("w1", "uid-before", r.HealthyAt)(l)
		}), isGood, "", safe},
		{"data on a node of about the same age are proof", false, look(cluster.SeenData, func(l *lab, r *cluster.Replica) {
			r.HealthyAt = l.node("w1").Created.Add(5 * time.Second)
		}), isGood, "", safe},
		{"a younger node of which the storage has not told is not proven by data", false, look(cluster.SeenData, reborn, func(l *lab, _ *cluster.Replica) {
			l.sn("w1").Reported = ago(2 * time.Hour)
		}), cluster.StandingUnproven, ReplicaNodeYounger, dunno},
		{"nor one whose report has no time", false, look(cluster.SeenData, reborn, func(l *lab, _ *cluster.Replica) {
			l.sn("w1").Reported = time.Time{}
		}), cluster.StandingUnproven, ReplicaNodeYounger, dunno},
		{"nothing on a node that is younger is a loss", false, look(cluster.SeenNothing, reborn), isAbsent, ReplicaDataMissing, unsafe},
		{"a blank on a node that is younger is no proof", false, look(cluster.SeenBlank, reborn), cluster.StandingUnproven, ReplicaNodeYounger, dunno},
		{"data do not make up for a node without an age", false, look(cluster.SeenData, func(l *lab, _ *cluster.Replica) { l.node("w1").Created = time.Time{} }),
			isUnknown, NodeAgeUnknown, dunno},
		{"data do not make up for a replica that was never healthy", false, look(cluster.SeenData, func(_ *lab, r *cluster.Replica) { r.HealthyAt = time.Time{} }),
			isUnknown, ReplicaNeverHealthy, dunno},

		{"data do not make up for a disk that is not ready", false, look(cluster.SeenData, func(l *lab, _ *cluster.Replica) { l.disk("w1").Ready = cluster.No }), isUnknown, DiskNotReady, dunno},
		{"nothing on a disk that is not ready is no loss", false, look(cluster.SeenNothing, func(l *lab, _ *cluster.Replica) { l.disk("w1").Ready = cluster.No }), isUnknown, DiskNotReady, dunno},
		{"data do not make up for a silent node", false, look(cluster.SeenData, func(l *lab, _ *cluster.Replica) { l.node("w1").LeaseRenewed = ago(time.Hour) }), isUnknown, NodeLeaseOld, dunno},
		{"data do not make up for a disk that is another one", false, look(cluster.SeenData, func(l *lab, _ *cluster.Replica) { l.disk("w1").UUID = "new" }), isAbsent, DiskOtherUUID, unsafe},
		{"data do not make up for a failure", false, look(cluster.SeenData, func(_ *lab, r *cluster.Replica) { r.Claim = cluster.Failed }), cluster.StandingFailed, ReplicaFailed, unsafe},
		{"data do not make up for a doubt", false, look(cluster.SeenData, func(_ *lab, r *cluster.Replica) {
			r.Doubts = []cluster.Doubt{{Code: "odd/thing", AtMost: cluster.StandingFailed, Facts: []cluster.Fact{{Name: "a", Value: "b"}}}}
		}), cluster.StandingFailed, "odd/thing", unsafe},

		{"data do not serve where the engine does not list them", true, look(cluster.SeenData, func(_ *lab, r *cluster.Replica) { r.Claim = cluster.Idle }), isUnknown, ReplicaNotServing, dunno},
		{"an engine's replica on a younger node is proven by its data", true, look(cluster.SeenData, reborn), isGood, "", safe},
		{"what an engine serves is not lost with its directory", true, look(cluster.SeenNothing), isUnknown, ReplicaDataMissing, dunno},
	}
}

func TestProbe_SaysHowWellTheStandingIsKnown(t *testing.T) {
	for _, c := range []struct {
		seen cluster.Seen
		used int64
		want cluster.Proof
	}{{cluster.SeenData, 7, cluster.Proven}, {cluster.SeenBlank, 0, cluster.Plausible}} {
		l := newLab().detached("data", "w1", "w2")
		l.v("data").Used = c.used
		look(c.seen)(l)
		got := l.judge().Volume("data").Replicas
		if got[0].Proof != c.want || got[1].Proof != cluster.Plausible {
			t.Errorf("%s: proofs %s and %s, want %s and Plausible", c.seen, got[0].Proof, got[1].Proof, c.want)
		}
		if since := got[0].ProvenSince(ago(time.Minute)); since != (c.want == cluster.Proven) || got[1].ProvenSince(time.Time{}) {
			t.Errorf("%s: proven since the look: %t", c.seen, since)
		}
		if c.want == cluster.Proven && !slices.Contains(got[0].Evidence, cluster.Fact{Name: "probe.directory", Value: "replicas/x"}) {
			t.Errorf("the evidence is %v", got[0].Evidence)
		}
	}
}

func TestProbe_TheEvidenceIsWhatWasSeenAndWhere(t *testing.T) {
	seen, other, own := fact("probe.directory", "replicas/x"), fact("probe.node.uid", "other"), fact("node.uid", "uid-w1")
	for name, c := range map[string]struct {
		world func() *lab
		bend  func(*lab)
		want  []cluster.Fact
	}{
		"at rest":            {atRest2, look(cluster.SeenData), []cluster.Fact{seen}},
		"served":             {serving3, look(cluster.SeenData), []cluster.Fact{seen}},
		"on a younger node":  {atRest2, look(cluster.SeenData, reborn), []cluster.Fact{seen}},
		"nothing":            {atRest2, look(cluster.SeenNothing), []cluster.Fact{seen}},
		"by another machine": {atRest2, look(cluster.SeenData, func(_ *lab, r *cluster.Replica) { r.Probe.Node.UID = "other" }), []cluster.Fact{seen, other, own}},
	} {
		l := c.world()
		c.bend(l)
		rj := l.judge().Volume("data").Replicas[0]
		for _, f := range c.want {
			if !slices.Contains(rj.Evidence, f) {
				t.Errorf("%s: %v is not in the evidence %v", name, f, rj.Evidence)
			}
		}
	}
}

// TestMayDelete_ALookIsProofUntilTheDrainBegins: bytes that were written after
// a look are not in what it saw.
func TestMayDelete_ALookIsProofUntilTheDrainBegins(t *testing.T) {
	ask := func(drained time.Time) Permit {
		l := newLab().detached("data", "w2", "w1", "w3")
		for i := range 3 {
			n := l.node(l.r(i).Node)
			l.r(i).Probe = &cluster.Probe{Seen: cluster.SeenData, At: ago(time.Minute), Node: n.Ref}
		}
		return l.judge().MayDelete(l.node("w1").Ref, Turn{DrainedAt: drained})
	}
	wantCodes(t, ask(time.Time{}).Findings, Unclear)
	wantCodes(t, ask(ago(time.Hour)).Findings, Unclear)
	wantCodes(t, ask(ago(time.Second)).Findings, Unclear, VolumeNotProven)
}

func TestGap_OfLooksNamesTheRightThatIsMissing(t *testing.T) {
	l := atRest2()
	gap(cluster.Gap{Kind: "pods/exec", Reason: cluster.GapForbidden, Detail: "it needs the right to create pods/exec in namespace x"})(l)
	j := l.judge()
	if len(j.Findings) == 0 || j.Findings[0].Code != InputNoProbe || !strings.Contains(j.Findings[0].Message, "It needs the right to create pods/exec") {
		t.Errorf("findings %s", say(j.Findings))
	}
	wantCodes(t, j.Findings, Note, InputNoProbe)
	if j.Verdict != safe {
		t.Errorf("%v, although the replicas speak for themselves", j.Verdict)
	}
	l.s.Gaps[0].Detail = ""
	if f := l.judge().Findings[0]; f.Message != "Directories could not be looked into: reading it is forbidden." {
		t.Errorf("without a detail: %s", f.Message)
	}
}
