// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

func TestBecause_EveryReasonHasWordsOfItsOwn(t *testing.T) {
	said := map[string]string{}
	for _, code := range []string{
		NodeNotReady, NodeLeaseOld, NodeLeaseMissing, NodeLeaseAhead, NodeDeleting, NodeNotRead, NodeAgeUnknown,
		StorageNodeMissing, StorageNodeDeleting, StorageNodeNotReady, StorageNodeReportOld, InputTwice,
		DiskOtherUUID, DiskElsewhere, DiskNotReported, DiskTwice, DiskNotDeclared, DiskNotReady, DiskOtherPath,
		ReplicaNodeGone, ReplicaNodeYounger, ReplicaNodeAsOld, ReplicaNoPlace, ReplicaOwnerElsewhere, ReplicaFailed,
		ReplicaRebuilding, ReplicaDeleting, ReplicaLeaving, ReplicaPlaceholder, ReplicaClaimUnknown, ReplicaNeverHealthy,
		ReplicaUnused, ReplicaBlank, ReplicaTwice, ReplicaNotServing, ReplicaReplaced, EngineNotRunning, EngineNodeNotLive,
		ReplicaDataMissing, ProbeNoAnswer, ProbeBlank, ProbeBroken, ProbeOtherDisk,
		StorageNodeSilent, ReplicaNodeRetired, ReplicaHealthyAhead,
	} {
		words := because(code)
		if strings.Contains(words, code) {
			t.Errorf("nobody has words for %s", code)
		}
		if other, twice := said[words]; twice {
			t.Errorf("%s and %s are both told as %q", code, other, words)
		}
		said[words] = code
	}
}

func TestGaps_EveryReasonHasWordsOfItsOwn(t *testing.T) {
	said := map[string]bool{}
	reasons := []cluster.GapReason{cluster.GapUnknown, cluster.GapForbidden, cluster.GapMissing, cluster.GapNotGiven,
		cluster.GapTruncated, cluster.GapFailed, cluster.GapMalformed}
	for _, r := range reasons {
		said[gapWords(r)] = true
	}
	if len(said) != len(reasons) {
		t.Errorf("%d reasons are told in %d ways", len(reasons), len(said))
	}
}

func TestCount_WhatHasNoPlaceCountsOnce(t *testing.T) {
	l := atRest3()
	l.r(1).Node, l.r(1).DiskUUID = "", ""
	l.r(2).Claim = cluster.Failed
	// One is good, one may be, one failed: three are out of reach.
	if v := l.judge().Volume("data"); v.Good != 1 || v.Doubtful != 1 || v.Condition != Degraded {
		t.Errorf("good %d, doubtful %d, %v", v.Good, v.Doubtful, v.Condition)
	}
}

// What is worse in the same place takes nothing from what is there.
func TestCount_APlaceIsWhatTheBestInItIs(t *testing.T) {
	twin := func(l *lab, c cluster.Claim) *cluster.Replica {
		r := replicaOf("data", "w1")
		r.Name, r.UID, r.Directory, r.Claim = "twin", "twin", "twin", c
		l.v("data").Replicas = append(l.v("data").Replicas, r)
		return l.r(len(l.v("data").Replicas) - 1)
	}
	l := newLab().detached("data", "w1")
	twin(l, cluster.Failed)
	if v := l.judge().Volume("data"); v.Condition != Whole || v.Good != 1 {
		t.Errorf("beside a failed one: %v with %d good", v.Condition, v.Good)
	}
	wantCodes(t, l.judge().Volume("data").Findings, Note, ReplicaFailed)
	l = newLab().detached("data", "w1")
	look(cluster.SeenData)(l)
	twin(l, cluster.Idle)
	if v := l.judge().Volume("data"); v.Good != 1 || v.Proven != 1 {
		t.Errorf("beside a plausible one: %d good, %d proven", v.Good, v.Proven)
	}
}

func TestFindings_WhatIsLostComesFirst(t *testing.T) {
	fs := []Finding{
		{Code: VolumeDataLost, Severity: Note}, {Code: VolumeDegraded, Severity: Danger},
		{Code: VolumeDataLost, Severity: Danger}, {Code: VolumeUnproven, Severity: Unclear},
		{Code: VolumeWouldBeFormatted, Severity: Danger},
	}
	sortFindings(fs)
	want := []string{VolumeDataLost + " Unsafe", VolumeWouldBeFormatted + " Unsafe", VolumeDegraded + " Unsafe", VolumeUnproven + " Unknown", VolumeDataLost + " Note"}
	var got []string
	for _, f := range fs {
		got = append(got, f.Code+" "+f.Severity.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestNoVolumes_OnlyPersistentVolumesOfTheStorageMissThem(t *testing.T) {
	l := newLab()
	pv(cluster.PersistentVolume{Name: "x", Driver: "other"})(l)
	for _, f := range l.judge().Findings {
		if f.Code == StorageNoVolumes && f.Severity != Note {
			t.Errorf("a PersistentVolume of another driver misses a volume: %s", f.Message)
		}
	}
}

func TestDisks_WhatIsNotReportedIsNotThereTwice(t *testing.T) {
	l := atRest2()
	other := *l.disk("w1")
	other.Reported = false
	l.sn("w3").Disks = append(l.sn("w3").Disks, other)
	if v := l.judge().Volume("data"); v.Good != 2 {
		t.Errorf("%d good: a disk that w3 does not report was taken for a second one\n%s", v.Good, say(l.judge().Findings))
	}
}

func TestFacts_TimesAndAnswersAreWords(t *testing.T) {
	for _, c := range []struct{ got, want cluster.Fact }{
		{timeFact("t", now().In(time.FixedZone("", 3600))), fact("t", "2026-03-01T12:00:00Z")},
		{timeFact("t", time.Time{}), fact("t", "")},
		{answerFact("a", cluster.Yes), fact("a", "yes")},
		{answerFact("a", cluster.No), fact("a", "no")},
		{answerFact("a", cluster.Unknown), fact("a", "unknown")},
		{answerFact("a", 99), fact("a", "unknown")},
	} {
		if c.got != c.want {
			t.Errorf("%v, want %v", c.got, c.want)
		}
	}
}

func TestBase_ACopyOnNoKnownDiskIsNone(t *testing.T) {
	l := atRest2()
	l.v("data").Base = "image"
	l.st().Bases = []cluster.Base{{Name: "image", Copies: []cluster.BaseCopy{{Ready: cluster.Yes}}}}
	l.disk("w3").UUID = ""
	wantCodes(t, l.judge().Findings, Unclear, VolumeNoBase)
}

func TestBase_ACopyOnADiskThatIsNotConfiguredIsNone(t *testing.T) {
	l := atRest2()
	l.v("data").Base = "image"
	l.st().Bases = []cluster.Base{{Name: "image", Copies: []cluster.BaseCopy{{DiskUUID: "disk-w3", Ready: cluster.Yes, ReadyAt: ago(10 * time.Hour)}}}}
	if got := l.judge().Verdict; got != cluster.Safe {
		t.Fatalf("%v with a copy on w3", got)
	}
	l.disk("w3").Declared = false
	if got := codes(l.judge().Findings, Unclear); !slices.Contains(got, VolumeNoBase) {
		t.Errorf("a copy on a disk that is not configured any more counts: %q", got)
	}
}

// Two storages may have volumes of one name: an orphan keeps the node for its
// own storage's.
func TestOrphan_IsOfItsOwnStoragesVolume(t *testing.T) {
	l := atRest2()
	l.v("data").Want = 3
	l.s.Storages = append(l.s.Storages, cluster.Storage{Driver: "other.example.org", Nodes: l.st().Nodes,
		Volumes: []cluster.Volume{{Name: "first"}, *l.v("data")},
		Orphans: []cluster.Orphan{{Name: "o", Node: "w3", Directory: "data-x", Volume: "data"}}})
	l.s.Storages[1].Volumes[1].Want = 2
	j := l.judge()
	if got := j.volumeOf("other.example.org", "data"); got == nil || got.Driver != "other.example.org" || got.Volume.Name != "data" {
		t.Errorf("the volume of the other storage is %+v", got)
	}
	if got := j.volumeOf(driver, "data"); got == nil || got.Driver != driver {
		t.Errorf("the volume of the first storage is %+v", got)
	}
	if got := j.volumeOf("other.example.org", "none"); got != nil {
		t.Errorf("a volume that is not there is %+v", got)
	}
}

func TestCondition_AWordThatIsNotOneIsUnknown(t *testing.T) {
	if got := (Going + 1).String(); got != ConditionUnknown.String() {
		t.Errorf("a condition that is none reads %q", got)
	}
}
