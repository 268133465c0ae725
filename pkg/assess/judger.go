// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// Judger judges one snapshot after the other of the same cluster, and judges
// anew only those volumes that have changed, or that stand on what has. Its
// judgements are those of Judge. The zero value has judged nothing yet; it is
// not safe for concurrent use.
type Judger struct {
	world *world
	last  *Judgement
}

// Judge is the package's Judge. Neither the snapshots nor the judgements may be
// changed afterwards: the next ones share what is as it was.
func (g *Judger) Judge(s *cluster.Snapshot, p policy.Policy, now time.Time) *Judgement {
	if s == nil {
		s = &cluster.Snapshot{}
	}
	w := newWorld(s, p, now, g.world)
	j := &Judgement{Snapshot: s, Policy: p, Now: w.now, Nodes: w.judgeNodes()}
	if blind(s) {
		j.Volumes = w.unjudged()
	} else {
		j.Volumes = w.judgeVolumes(g.memory(w))
	}
	var ofVolumes []Finding
	for i := range j.Volumes {
		ofVolumes = append(ofVolumes, j.Volumes[i].Findings...)
	}
	w.conclusion(j, ofVolumes)
	j.index = g.index(j)
	g.world, g.last = w, j
	return j
}

// memory is what of the last judgement holds in this world; nil for nothing.
func (g *Judger) memory(w *world) *memory {
	if g.last == nil || blind(g.last.Snapshot) || !w.comparable(g.world) {
		return nil
	}
	return &memory{was: g.world, is: w, all: g.last.Volumes, nodes: differ(w.nodes, g.world.nodes, (*nodeWorld).sameAs)}
}

// index is the last judgement's where each volume and node is in its place.
func (g *Judger) index(j *Judgement) index {
	if g.last == nil || len(g.last.Volumes) != len(j.Volumes) || len(g.last.Nodes) != len(j.Nodes) {
		return newIndex(j)
	}
	for i := range j.Volumes {
		if j.Volumes[i].Volume.Name != g.last.Volumes[i].Volume.Name {
			return newIndex(j)
		}
	}
	for i := range j.Nodes {
		if j.Nodes[i].Node.Ref.Name != g.last.Nodes[i].Node.Ref.Name {
			return newIndex(j)
		}
	}
	return g.last.index
}

// memory finds the judgements of the last time that still hold.
type memory struct {
	was, is *world
	// left are those of the storage in hand that were not passed yet: both times
	// they come in the order of their names.
	left []VolumeJudgement
	// all are those of every storage in turn.
	all []VolumeJudgement
	// nodes are those that are not what they were, by name.
	nodes map[string]bool
	// storage is the one in hand, and moved what is different of what its volumes
	// stand on.
	storage int
	moved   moved
}

// of turns to the next storage.
func (m *memory) of(storage int) {
	if m == nil {
		return
	}
	n := len(m.was.storages[storage].facts.Volumes)
	m.left, m.all = m.all[:n], m.all[n:]
	m.storage, m.moved = storage, m.is.storages[storage].moved(&m.was.storages[storage], m.nodes)
}

// recall returns the last judgement of the volume where it holds, else nil.
func (m *memory) recall(v *cluster.Volume) *VolumeJudgement {
	if m == nil {
		return nil
	}
	for len(m.left) > 0 && m.left[0].Volume.Name < v.Name {
		m.left = m.left[1:]
	}
	if len(m.left) == 0 || !v.SameAs(m.left[0].Volume) || !m.stands(v) {
		return nil
	}
	last := &m.left[0]
	m.left = m.left[1:]
	named := VolumeJudgement{Volume: v}
	m.is.named(&m.is.storages[m.storage], &named)
	if named.PV != last.PV || named.ClaimNamespace != last.ClaimNamespace || named.ClaimName != last.ClaimName {
		return nil
	}
	return last
}

// stands reports whether everything that the volume stands on is as it was.
func (m *memory) stands(v *cluster.Volume) bool {
	was, is := &m.was.storages[m.storage], &m.is.storages[m.storage]
	if m.moved.bases && v.Base != "" || was.twiceVolumes[v.Name] != is.twiceVolumes[v.Name] {
		return false
	}
	if m.moved.nodes[v.Engine.Node] || m.moved.nodes[v.Engine.Owner] {
		return false
	}
	for i := range v.Replicas {
		r := &v.Replicas[i]
		// A time that was yet to come may have come.
		if m.moved.nodes[r.Node] || m.moved.disks[r.DiskUUID] || m.was.later(r.HealthyAt, m.was.now) == cluster.Yes {
			return false
		}
	}
	return true
}
