// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"iter"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// Rest counts the volumes that stand in nobody's way and were not kept.
type Rest struct {
	Volumes, Asleep, Replicas, Good, Proven int
	By                                      map[Condition]int
}

// Sift is Judge for a cluster that is too large to be held. The snapshot's
// storages have no volumes; those of each are a sequence, sorted by name, that
// makes them anew whenever it is walked. Of volumes that stand in nobody's way
// only their number and their findings are kept; All judges them once more. The
// verdict and the findings are those of Judge. May a node be drained or deleted
// is not to be asked of it.
func Sift(s *cluster.Snapshot, volumes []iter.Seq[cluster.Volume], p policy.Policy, now time.Time) *Judgement {
	w := newWorld(s, p, now, nil)
	for i := range min(len(w.storages), len(volumes)) {
		w.addImages(&w.storages[i], volumes[i]) // what is layered upon an image may prove a copy of it
	}
	j := &Judgement{Snapshot: s, Policy: p, Now: w.now, Nodes: w.judgeNodes()}
	j.again = func(yield func(*VolumeJudgement) bool) {
		for i := range w.storages {
			w.storages[i].volumes = 0
			if i < len(volumes) && !w.walk(&w.storages[i], volumes[i], yield) {
				return
			}
		}
	}
	var ofVolumes []Finding
	for vj := range j.again {
		ofVolumes = append(ofVolumes, vj.Findings...)
		if vj.Condition == Whole || vj.Condition == Unused || vj.Condition == Going {
			j.Rest.add(vj)
		} else {
			j.Volumes = append(j.Volumes, *vj)
		}
	}
	w.conclusion(j, ofVolumes)
	return j
}

// walk judges one volume after the other. It looks one ahead: two of one name
// are next to each other, and the first is as doubtful as the second.
func (w *world) walk(st *storageWorld, volumes iter.Seq[cluster.Volume], yield func(*VolumeJudgement) bool) bool {
	judge := func(v *cluster.Volume) VolumeJudgement {
		if blind(w.snap) {
			return w.unjudgedVolume(st, v)
		}
		return w.judgeVolume(st, v)
	}
	var before *cluster.Volume
	for v := range volumes {
		st.volumes++
		if before != nil && before.Name == v.Name {
			st.twiceVolumes[v.Name] = true
		}
		if before != nil {
			if vj := judge(before); !yield(&vj) {
				return false
			}
		}
		before = &v
	}
	if before == nil {
		return true
	}
	vj := judge(before)
	return yield(&vj)
}

func (r *Rest) add(vj *VolumeJudgement) {
	if r.By == nil {
		r.By = map[Condition]int{}
	}
	r.By[vj.Condition]++
	r.Volumes++
	if vj.Volume.State == cluster.Detached {
		r.Asleep++
	}
	r.Replicas += len(vj.Replicas)
	r.Good += vj.Good
	r.Proven += vj.Proven
}

// All yields the judgement of every volume, in the order of the snapshot's
// storages and of their volumes.
func (j *Judgement) All() iter.Seq[*VolumeJudgement] {
	if j.again != nil {
		return j.again
	}
	return func(yield func(*VolumeJudgement) bool) {
		for i := range j.Volumes {
			if !yield(&j.Volumes[i]) {
				return
			}
		}
	}
}

// sifted says that a judgement without its volumes permits nothing.
func (j *Judgement) sifted() []Finding {
	if j.again == nil {
		return nil
	}
	return []Finding{{Code: InputGapNeeded, Severity: Unclear, Subject: Subject{Kind: "Kind", Name: "volumes"},
		Message: "The volumes were judged one by one and not kept: what becomes of them without a node cannot be told."}}
}
