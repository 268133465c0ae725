// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// volumeCase bends a volume "data" and says what it adds up to.
type volumeCase struct {
	claim     string
	world     func() *lab
	bend      func(*lab)
	condition Condition
	// codes of everything that changes the verdict.
	codes   []string
	verdict cluster.Verdict
}

func (c volumeCase) lab() *lab {
	l := c.world()
	if c.bend != nil {
		c.bend(l)
	}
	return l
}

func atRest2() *lab  { return newLab().detached("data", "w1", "w2") }
func atRest3() *lab  { return newLab().detached("data", "w1", "w2", "w3") }
func serving3() *lab { return newLab().attached("data", "w1", "w2", "w3") }
func unused2() *lab  { return newLab().unused("data", "w1", "w2") }

func volumeCases() []volumeCase {
	return slices.Concat(countCases(), useCases(), kindCases(), baseCases())
}

func countCases() []volumeCase {
	each := func(f func(*cluster.Replica)) func(*lab) {
		return func(l *lab) {
			for i := range l.v("data").Replicas {
				f(l.r(i))
			}
		}
	}
	return []volumeCase{
		{"two of two are whole", atRest2, nil, Whole, nil, safe},
		{"three of three are whole", serving3, nil, Whole, nil, safe},
		{"more than wanted are whole", atRest3, func(l *lab) { l.v("data").Want = 2 }, Whole, nil, safe},
		{"one of two for certain is degraded", atRest2, func(l *lab) { l.remove("w1") }, Degraded, []string{VolumeDegraded}, unsafe},
		{"one of two and one that may be cannot be told", atRest2, func(l *lab) { l.node("w1").Ready = cluster.No },
			ConditionUnknown, []string{VolumeUnproven}, dunno},
		{"none of two and both may be cannot be told", atRest2, func(l *lab) {
			l.node("w1").Ready, l.node("w2").Ready = cluster.No, cluster.No
		}, ConditionUnknown, []string{VolumeUnproven}, dunno},
		{"what may be does not make up for what is gone", atRest3, func(l *lab) {
			l.remove("w1")
			l.node("w2").Ready = cluster.No
		}, Degraded, []string{VolumeDegraded}, unsafe},
		{"whether one that may be holds the data cannot be told", atRest2, func(l *lab) {
			l.remove("w1")
			l.node("w2").Ready = cluster.No
		}, ConditionUnknown, []string{VolumeDegraded}, unsafe},
		{"none of two for certain is lost", atRest2, func(l *lab) { l.remove("w1"); l.remove("w2") }, Lost, []string{VolumeDataLost}, unsafe},
		{"all failed is lost", atRest2, each(func(r *cluster.Replica) { r.Claim = cluster.Failed }), Lost, []string{VolumeDataLost}, unsafe},
		{"re-created machines have nothing", atRest2, func(l *lab) { l.recreate("w1"); l.recreate("w2") }, Lost, []string{VolumeDataLost, VolumeWouldBeFormatted}, unsafe},
		{"one machine re-created and one gone is about to be formatted", atRest2, func(l *lab) { l.recreate("w1"); l.remove("w2") },
			Lost, []string{VolumeDataLost, VolumeWouldBeFormatted}, unsafe},
		{"a failed one beside re-created machines keeps it from being formatted", atRest2, func(l *lab) { l.recreate("w1"); l.r(1).Claim = cluster.Failed },
			Lost, []string{VolumeDataLost}, unsafe},
		{"one that may hold the data keeps it from being lost", atRest2, func(l *lab) { l.recreate("w1"); l.node("w2").Ready = cluster.No },
			ConditionUnknown, []string{VolumeDegraded}, unsafe},
		{"a loss that was accepted by name does not gate", atRest2, then(accept(VolumeAlreadyLost, "data"), func(l *lab) { l.recreate("w1"); l.remove("w2"); l.r(0).Claim = cluster.Failed }), Lost, nil, safe},
		{"what is about to be formatted cannot be accepted", atRest2, then(accept(VolumeAlreadyLost, "data"), func(l *lab) { l.recreate("w1"); l.remove("w2") }),
			Lost, []string{VolumeDataLost, VolumeWouldBeFormatted}, unsafe},
		{"a loss that was accepted for all was not accepted", atRest2, then(accept(VolumeAlreadyLost, ""), func(l *lab) { l.remove("w1"); l.remove("w2") }),
			Lost, []string{VolumeDataLost}, unsafe},
		{"the loss of another was accepted", atRest2, then(accept(VolumeAlreadyLost, "other"), func(l *lab) { l.remove("w1"); l.remove("w2") }),
			Lost, []string{VolumeDataLost}, unsafe},
		{"what is not lost was not accepted", atRest2, then(accept(VolumeAlreadyLost, "data"), func(l *lab) { l.remove("w1") }), Degraded, []string{VolumeDegraded}, unsafe},
		{"two of three needed and one left is lost", atRest3, func(l *lab) {
			l.v("data").Need = 2
			l.remove("w1")
			l.remove("w2")
		}, Lost, []string{VolumeDataLost}, unsafe},
		{"two of three needed and two left is degraded", atRest3, func(l *lab) { l.v("data").Need = 2; l.remove("w1") },
			Degraded, []string{VolumeDegraded}, unsafe},
		{"all being moved is whole as long as they are there", serving3, each(func(r *cluster.Replica) { r.Leaving = true }), Whole, nil, safe},
		{"one being moved and one failed is degraded", serving3, func(l *lab) { l.r(0).Leaving = true; l.r(1).Claim = cluster.Failed },
			Degraded, []string{VolumeDegraded}, unsafe},
		{"one being moved and one silent is unknown", atRest2, func(l *lab) { l.r(0).Leaving = true; l.node("w2").Ready = cluster.No },
			ConditionUnknown, []string{VolumeUnproven}, dunno},
		{"the last one being moved is degraded, not lost", atRest2, func(l *lab) { l.r(0).Leaving = true; l.r(1).Claim = cluster.Failed },
			Degraded, []string{VolumeDegraded}, unsafe},
		{"all being deleted is not yet lost", serving3, each(func(r *cluster.Replica) { r.Deleting = true }), ConditionUnknown, []string{VolumeDegraded}, unsafe},
		{"moved and arrived is whole", serving3, func(l *lab) { l.v("data").Want = 2; l.r(0).Leaving = true }, Whole, nil, safe},
		{"together is once", atRest2, func(l *lab) { *l.r(1) = replicaOf("data", "w1"); l.r(1).Name = "twin" },
			Degraded, []string{VolumeDegraded}, unsafe},
		{"together is once unless the volume allows it, by disk", atRest2, func(l *lab) {
			l.v("data").SharesNode = cluster.Yes
			*l.r(1) = replicaOf("data", "w1")
			l.r(1).Name, l.r(1).DiskUUID = "twin", "second"
			l.sn("w1").Disks = append(l.sn("w1").Disks, cluster.Disk{Name: "second", UUID: "second", Path: "/data", Declared: true, Reported: true, Ready: cluster.Yes})
		}, Whole, nil, safe},
		{"one disk is one place for who allows to share nodes", atRest2, func(l *lab) {
			l.v("data").SharesNode = cluster.Yes
			*l.r(1) = replicaOf("data", "w1")
			l.r(1).Name = "twin"
		}, Degraded, []string{VolumeDegraded}, unsafe},
		{"a replica of which nobody knows where it is may be anywhere", atRest2, func(l *lab) {
			l.v("data").Replicas = append(l.v("data").Replicas[:1], cluster.Replica{Name: "x", Claim: cluster.Idle}, cluster.Replica{Name: "y", Claim: cluster.Idle})
			l.v("data").Want = 3
		}, ConditionUnknown, []string{VolumeUnproven}, dunno},
		{"a single replica that is there is whole", func() *lab { return newLab().detached("data", "w1") }, nil, Whole, nil, safe},
		{"leftovers that failed take nothing away", atRest3, func(l *lab) {
			l.v("data").Want = 2
			l.r(2).Claim = cluster.Failed
		}, Whole, nil, safe},
	}
}

func useCases() []volumeCase {
	none := func(l *lab) { l.v("data").Replicas = nil }
	noPV := func(l *lab) { l.s.Persistent = nil }
	unusedWith := func(f func(*cluster.Volume)) func(*lab) { return func(l *lab) { f(l.v("data")) } }
	return []volumeCase{
		{"a volume that nobody used is whole as it is", unused2, nil, Unused, nil, safe},
		{"a volume that nobody used loses nothing with a node", unused2, func(l *lab) { l.remove("w1") }, Unused, nil, safe},
		{"blanks that are fewer than were made may have had a sibling", unused2, unusedWith(func(v *cluster.Volume) { v.Replicas = v.Replicas[:1] }),
			ConditionUnknown, []string{VolumeNoData}, dunno},
		{"placeholders that nobody used are whole as they are", unused2, unusedWith(func(v *cluster.Volume) {
			v.Replicas[0].Claim, v.Replicas[1].Claim = cluster.Placeholder, cluster.Placeholder
		}), Unused, nil, safe},
		{"blanks of a volume that was written are a loss", unused2, unusedWith(func(v *cluster.Volume) { v.Touched = true }), Lost, []string{VolumeDataLost, VolumeWouldBeFormatted}, unsafe},
		{"blanks of a volume that has a size are a loss", unused2, unusedWith(func(v *cluster.Volume) { v.Used = 1 }), Lost, []string{VolumeDataLost, VolumeWouldBeFormatted}, unsafe},
		{"blanks that were healthy once are a loss", unused2, unusedWith(func(v *cluster.Volume) { v.Replicas[0].HealthyAt = now() }), Lost, []string{VolumeDataLost, VolumeWouldBeFormatted}, unsafe},
		{"placeholders that failed once are a loss", unused2, unusedWith(func(v *cluster.Volume) {
			v.Replicas[0].Claim, v.Replicas[1].Claim, v.Replicas[1].FailedAt = cluster.Placeholder, cluster.Placeholder, now()
		}), Lost, []string{VolumeDataLost}, unsafe},
		{"a standby volume that serves nobody is not unused", unused2, unusedWith(func(v *cluster.Volume) { v.Class = cluster.ClassStandby }), ConditionUnknown, []string{VolumeNoData}, dunno},
		{"an engine that ran once may have written", unused2, unusedWith(func(v *cluster.Volume) { v.Engine.Ever = cluster.Yes }), ConditionUnknown, []string{VolumeNoData}, dunno},
		{"an engine of which nothing is known may have written", unused2, unusedWith(func(v *cluster.Volume) { v.Engine.Ever = cluster.Unknown }), ConditionUnknown, []string{VolumeNoData}, dunno},
		{"an engine that is not there may have written", unused2, unusedWith(func(v *cluster.Volume) { v.Engine.Present = cluster.No }),
			ConditionUnknown, []string{VolumeNoEngine, VolumeNoData}, dunno},
		{"blanks of an engine that ran once lose nothing with a node", unused2, func(l *lab) {
			l.v("data").Engine.Ever = cluster.Yes
			l.remove("w1")
			l.remove("w2")
		}, ConditionUnknown, []string{VolumeNoData}, dunno},
		{"a volume whose replicas are being made loses nothing", unused2, unusedWith(func(v *cluster.Volume) {
			v.State, v.Replicas = cluster.Creating, v.Replicas[:1]
		}), ConditionUnknown, []string{VolumeCreating, VolumeNoData}, dunno},
		{"a volume that is just attached is not unused", unused2, unusedWith(func(v *cluster.Volume) { v.State = cluster.Attaching }), ConditionUnknown, []string{VolumeNoData}, dunno},
		{"a volume that is just restored is not unused", unused2, unusedWith(func(v *cluster.Volume) { v.Busy = []string{"restoring"} }),
			Busy, []string{VolumeBusy, VolumeNoData}, dunno},
		{"a doubt about the volume takes its innocence", unused2, unusedWith(func(v *cluster.Volume) {
			v.Doubts = []cluster.Doubt{{Code: "odd/thing"}}
		}), ConditionUnknown, []string{"odd/thing", VolumeNoData}, dunno},
		{"a doubt that takes nothing away leaves its innocence", unused2, unusedWith(func(v *cluster.Volume) {
			v.Doubts = []cluster.Doubt{{Code: "odd/thing", AtMost: cluster.StandingGood}}
			v.Replicas[0].Doubts = []cluster.Doubt{{Code: "odd/thing", AtMost: cluster.StandingUnused}}
		}), Unused, nil, safe},
		{"a doubt about a replica takes its innocence", unused2, unusedWith(func(v *cluster.Volume) {
			v.Replicas[0].Doubts = []cluster.Doubt{{Code: "odd/thing"}}
		}), ConditionUnknown, []string{VolumeNoData}, dunno},
		{"a blank beside a copy that is gone is a loss", atRest2, func(l *lab) {
			l.r(0).Claim, l.r(0).HealthyAt = cluster.Untouched, time.Time{}
			l.remove("w2")
		}, Lost, []string{VolumeDataLost, VolumeWouldBeFormatted}, unsafe},
		{"a blank beside a copy that failed is a loss", atRest2, func(l *lab) {
			l.r(0).Claim, l.r(0).HealthyAt = cluster.Untouched, time.Time{}
			l.r(1).Claim = cluster.Failed
		}, Lost, []string{VolumeDataLost}, unsafe},
		{"a blank beside a copy is not whole", atRest2, func(l *lab) { l.r(0).Claim, l.r(0).HealthyAt = cluster.Untouched, time.Time{} },
			Degraded, []string{VolumeDegraded}, unsafe},
		{"no replica left of a volume that was written is a loss", atRest2, none, Lost, []string{VolumeDataLost, VolumeWouldBeFormatted}, unsafe},
		{"no replica left of a volume with a claim is a loss", unused2, none, Lost, []string{VolumeDataLost, VolumeWouldBeFormatted}, unsafe},
		{"no replica left of a volume that has a size is a loss", unused2, func(l *lab) { none(l); noPV(l); l.v("data").Used = 1 }, Lost, []string{VolumeDataLost, VolumeWouldBeFormatted}, unsafe},
		{"no replica of a volume that nothing refers to cannot be told", unused2, func(l *lab) { none(l); noPV(l) }, ConditionUnknown, []string{VolumeNoData}, dunno},
		{"placeholders of a volume whose engine ran cannot be told", unused2, func(l *lab) {
			l.v("data").Engine.Ever = cluster.Yes
			l.r(0).Claim, l.r(1).Claim = cluster.Placeholder, cluster.Placeholder
		}, ConditionUnknown, []string{VolumeNoData}, dunno},
	}
}

func kindCases() []volumeCase {
	with := func(f func(*cluster.Volume)) func(*lab) { return func(l *lab) { f(l.v("data")) } }
	return []volumeCase{
		{"a volume that is being deleted does not gate", atRest2, func(l *lab) { l.v("data").State = cluster.Deleting; l.remove("w1"); l.remove("w2") }, Going, nil, safe},
		{"a standby volume that serves is whole", serving3, with(func(v *cluster.Volume) { v.Class = cluster.ClassStandby }), Whole, nil, safe},
		{"a linked clone cannot be judged", atRest2, with(func(v *cluster.Volume) { v.Class = cluster.ClassLinkedClone }), ConditionUnknown, []string{VolumeLinkedClone}, dunno},
		{"shards cannot be judged", atRest2, with(func(v *cluster.Volume) { v.Class = cluster.ClassSharded }), ConditionUnknown, []string{VolumeSharded}, dunno},
		{"a kind never seen cannot be judged", atRest2, with(func(v *cluster.Volume) { v.Class = cluster.ClassUnknown }), ConditionUnknown, []string{VolumeKindUnknown}, dunno},
		{"a kind that is no word cannot be judged", atRest2, with(func(v *cluster.Volume) { v.Class = 99 }), ConditionUnknown, []string{VolumeKindUnknown}, dunno},
		{"a volume that wants none cannot be judged", atRest2, with(func(v *cluster.Volume) { v.Want = 0 }), ConditionUnknown, []string{VolumeNumbersUnknown}, dunno},
		{"a volume that needs none cannot be judged", atRest2, with(func(v *cluster.Volume) { v.Need = 0 }), ConditionUnknown, []string{VolumeNumbersUnknown}, dunno},
		{"a volume that needs more than it wants cannot be judged", atRest2, with(func(v *cluster.Volume) { v.Need = 3 }), ConditionUnknown, []string{VolumeNumbersUnknown}, dunno},
		{"a volume without an engine cannot be judged", atRest2, with(func(v *cluster.Volume) { v.Engine.Present = cluster.No }), ConditionUnknown, []string{VolumeNoEngine}, dunno},
		{"a volume in no known state cannot be judged", atRest2, with(func(v *cluster.Volume) { v.State = cluster.StateUnknown }), ConditionUnknown, []string{VolumeStateUnknown, VolumeUnproven}, dunno},
		{"a volume that is being made cannot be judged", atRest2, with(func(v *cluster.Volume) { v.State = cluster.Creating }), ConditionUnknown, []string{VolumeCreating, VolumeUnproven}, dunno},
		{"a volume on its way to being attached is judged as at rest", atRest2, with(func(v *cluster.Volume) { v.State = cluster.Attaching }), Whole, nil, safe},
		{"a volume on its way to being detached is judged as at rest", atRest2, with(func(v *cluster.Volume) { v.State = cluster.Detaching }), Whole, nil, safe},
		{"a busy volume must come to rest", serving3, with(func(v *cluster.Volume) { v.Busy = []string{"expanding"} }), Busy, []string{VolumeBusy}, dunno},
		{"a busy volume is not whole for certain without its replicas", serving3, func(l *lab) {
			l.v("data").Busy = []string{"expanding"}
			l.r(2).Claim = cluster.Failed
		}, Busy, []string{VolumeBusy, VolumeDegraded}, unsafe},
		{"what a busy volume writes may yet be good", serving3, func(l *lab) {
			l.v("data").Busy = []string{"restoring"}
			l.r(0).Claim, l.r(1).Claim, l.r(2).Claim = cluster.Rebuilding, cluster.Rebuilding, cluster.Untouched
			l.r(2).HealthyAt = time.Time{}
		}, Busy, []string{VolumeBusy, VolumeUnproven}, dunno},
		{"being busy hides no loss", atRest2, func(l *lab) {
			l.v("data").Busy = []string{"expanding"}
			l.remove("w1")
			l.remove("w2")
		}, Lost, []string{VolumeDataLost}, unsafe},
		{"a doubt about the volume is a finding", atRest2, with(func(v *cluster.Volume) {
			v.Doubts = []cluster.Doubt{{Code: "odd/thing", AtMost: cluster.StandingUnknown}}
		}), ConditionUnknown, []string{"odd/thing", VolumeUnproven}, dunno},
		{"a doubt about the volume that is certain is unsafe", atRest2, with(func(v *cluster.Volume) {
			v.Doubts = []cluster.Doubt{{Code: "odd/thing", AtMost: cluster.StandingFailed}}
		}), Lost, []string{"odd/thing", VolumeDataLost}, unsafe},
		{"a doubt that leaves the volume good is a note", atRest2, with(func(v *cluster.Volume) {
			v.Doubts = []cluster.Doubt{{Code: "odd/thing", AtMost: cluster.StandingGood}}
		}), Whole, nil, safe},
		{"a volume that is there twice cannot be judged", atRest2, func(l *lab) {
			l.st().Volumes = append(l.st().Volumes, *l.v("data"))
		}, Whole, []string{InputTwice}, dunno},
	}
}

func TestJudge_WhatAVolumeAddsUpTo(t *testing.T) {
	for _, c := range volumeCases() {
		t.Run(c.claim, func(t *testing.T) {
			j := c.lab().judge()
			vj := j.Volume("data")
			if vj.Condition != c.condition {
				t.Errorf("%v, want %v\n%s", vj.Condition, c.condition, say(vj.Findings))
			}
			wantCodes(t, vj.Findings, Unclear, c.codes...)
			if j.Verdict != c.verdict {
				t.Errorf("verdict %v, want %v\n%s", j.Verdict, c.verdict, say(j.Findings))
			}
			for _, f := range vj.Findings {
				if !strings.Contains(f.Message, "data") {
					t.Errorf("the message names no volume: %s", f.Message)
				}
				if f.Severity != Note && !strings.Contains(f.Message, "apps/data") && vj.PV != "" {
					t.Errorf("the message names no claim: %s", f.Message)
				}
			}
		})
	}
}

func TestJudge_TogetherIsSaid(t *testing.T) {
	l := atRest3()
	l.v("data").Want = 2
	*l.r(2) = replicaOf("data", "w1")
	l.r(2).Name = "twin"
	j := l.judge()
	wantCodes(t, j.Volume("data").Findings, Note, VolumeColocated)
	if j.Verdict != safe || j.Volume("data").Good != 2 {
		t.Errorf("%v, good %d", j.Verdict, j.Volume("data").Good)
	}
}
