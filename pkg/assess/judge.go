// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"slices"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// Judge concludes from the facts what every replica, volume and node is worth,
// and whether every volume is whole. It never fails: what it cannot tell is a
// finding. The same arguments give the same Judgement, in the same order; the
// work is linear in nodes, volumes and replicas.
//
// Facts from files are judged against the newest time in them, facts from a
// cluster against now.
func Judge(s *cluster.Snapshot, p policy.Policy, now time.Time) *Judgement {
	return new(Judger).Judge(s, p, now)
}

// conclusion gathers all findings and draws the verdict; every volume has been
// judged.
func (w *world) conclusion(j *Judgement, ofVolumes []Finding) {
	if blind(w.snap) {
		j.Findings = w.gapFindings()
	} else {
		j.Findings = w.inputFindings()
	}
	for i := range j.Nodes {
		j.Findings = append(j.Findings, j.Nodes[i].Findings...)
	}
	j.Findings = append(j.Findings, ofVolumes...)
	sortFindings(j.Findings)
	j.Verdict = verdictOf(j.Findings)
}

// judgeVolumes judges every volume of every storage, in the snapshot's order.
func (w *world) judgeVolumes(m *memory) []VolumeJudgement {
	volumes := 0
	for i := range w.storages {
		volumes += len(w.storages[i].facts.Volumes)
	}
	out := make([]VolumeJudgement, 0, volumes)
	for i := range w.storages {
		st := &w.storages[i]
		st.volumes = len(st.facts.Volumes)
		m.of(i)
		for k := range st.facts.Volumes {
			v := &st.facts.Volumes[k]
			if last := m.recall(v); last != nil {
				out = append(out, *last)
				out[len(out)-1].Volume = v
				continue
			}
			out = append(out, w.judgeVolume(st, v))
		}
	}
	return out
}

// judgeVolume judges one volume.
func (w *world) judgeVolume(st *storageWorld, v *cluster.Volume) VolumeJudgement {
	all := make([]ReplicaJudgement, len(v.Replicas))
	vj := VolumeJudgement{Volume: v, Driver: st.facts.Driver, Replicas: all}
	w.named(st, &vj)
	w.judgeReplicas(st, v, all)
	t := count(v, all, "")
	vj.Good, vj.Proven = t.good, t.proven
	if vj.Moving = moving(all); vj.Moving {
		t = countHere(v, all)
	}
	vj.Leaving, vj.Doubtful = t.good-vj.Good, t.maybe-t.good
	w.conclude(st, &vj, t)
	w.waive(volumeVoice{vj: &vj, namespace: st.facts.Namespace})
	return vj
}

// named fills in what people know the volume by.
func (w *world) named(st *storageWorld, vj *VolumeJudgement) {
	if pv := w.bound.of(st.facts.Driver, vj.Volume); pv != nil {
		vj.PV, vj.ClaimNamespace, vj.ClaimName = pv.Name, pv.ClaimNamespace, pv.ClaimName
	}
}

// judgeReplicas fills in the standing of every replica of the volume.
func (w *world) judgeReplicas(st *storageWorld, v *cluster.Volume, all []ReplicaJudgement) {
	for i := range v.Replicas {
		r := &v.Replicas[i]
		why := w.stand(st, v, r)
		if slices.ContainsFunc(all[:i], func(before ReplicaJudgement) bool { return before.Replica.Name == r.Name }) {
			why = why.worse(unknown(ReplicaTwice, fact("replica", r.Name)))
		}
		all[i] = why.judgement(r)
	}
	w.judgeFresh(v, all)
	for i := range all {
		all[i].doubted(v.Doubts)
		all[i].doubted(all[i].Replica.Doubts)
		all[i].leaves()
	}
}

// stand applies the clauses to one replica. What is certain comes first: a
// replica that is surely bad is not merely unknown because its node is silent.
func (w *world) stand(st *storageWorld, v *cluster.Volume, r *cluster.Replica) reason {
	if r.Claim == cluster.Placeholder {
		return reason{standing: cluster.StandingUnused, code: ReplicaPlaceholder}
	}
	place := w.placeOf(st, r)
	why := claimed(r)
	if why.standing != cluster.StandingGood {
		return why.worse(place)
	}
	if p := w.snap.Looked(r); p != nil && place.standing == cluster.StandingGood {
		return w.probed(st, v, r, p)
	}
	return place.worse(w.incarnation(r)).worse(w.served(st, v, r))
}

// Volume returns the judgement of the volume with that name, or nil. Where two
// storages have a volume of that name it is the first.
func (j *Judgement) Volume(name string) *VolumeJudgement {
	i, ok := j.index.volumes[name]
	if !ok && j.index.volumes == nil {
		i = slices.IndexFunc(j.Volumes, func(v VolumeJudgement) bool { return v.Volume.Name == name })
		ok = i >= 0
	}
	if !ok {
		return nil
	}
	return &j.Volumes[i]
}

// Node returns the judgement of the node with that name, or nil.
func (j *Judgement) Node(name string) *NodeJudgement {
	i, ok := j.index.nodes[name]
	if !ok && j.index.nodes == nil {
		i = slices.IndexFunc(j.Nodes, func(n NodeJudgement) bool { return n.Node.Ref.Name == name })
		ok = i >= 0
	}
	if !ok {
		return nil
	}
	return &j.Nodes[i]
}

// index finds judgements by name without walking them.
type index struct {
	volumes map[string]int
	nodes   map[string]int
}

func newIndex(j *Judgement) index {
	x := index{volumes: make(map[string]int, len(j.Volumes)), nodes: make(map[string]int, len(j.Nodes))}
	for i := range j.Volumes {
		if _, ok := x.volumes[j.Volumes[i].Volume.Name]; !ok {
			x.volumes[j.Volumes[i].Volume.Name] = i
		}
	}
	for i := range j.Nodes {
		if _, ok := x.nodes[j.Nodes[i].Node.Ref.Name]; !ok {
			x.nodes[j.Nodes[i].Node.Ref.Name] = i
		}
	}
	return x
}
