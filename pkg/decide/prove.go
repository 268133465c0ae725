// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// prove sees to it that every volume with a replica on the node has shown,
// since the drain ended, that its data are served without it: attached ones
// show it now, detached ones are woken elsewhere and sleep again.
func (t *tick) prove() Decision {
	var waiting []string
	var parts []Part
	here := t.j.Machine(t.node())
	for i := range t.j.Volumes {
		v := &t.j.Volumes[i]
		switch {
		case v.Condition == assess.Going || v.Condition == assess.Unused || !here.Holds(v.Volume):
			continue
		case t.provedElsewhere(v) >= v.Volume.Need:
			if d := t.letSleep(v); d != nil {
				return d
			}
			continue
		case t.provenNowElsewhere(v) >= v.Volume.Need:
			return t.noteProved(v)
		}
		if d := t.wake(v); d != nil {
			return d
		}
		p := t.part(v)
		parts = append(parts, p)
		waiting = append(waiting, p.line("not served without "+t.node()+" since the drain"))
	}
	if len(waiting) == 0 {
		return t.nobodyAwake()
	}
	return t.waitForVolumes(Many(len(waiting), "volume")+" to be proven without "+t.node(), waiting, parts)
}

// provenNowElsewhere counts the replicas on other nodes that are proven now.
func (t *tick) provenNowElsewhere(v *assess.VolumeJudgement) int {
	n := 0
	for _, r := range v.Replicas {
		if r.Replica.Node != t.node() && r.ProvenSince(t.turn.DrainedAt) {
			n++
		}
	}
	return n
}

// provedElsewhere counts the good replicas on other nodes that were proven
// since the drain ended.
func (t *tick) provedElsewhere(v *assess.VolumeJudgement) int {
	n := 0
	for _, r := range v.Replicas {
		if r.Replica.Node == t.node() || r.Standing != cluster.StandingGood {
			continue
		}
		if at, ok := t.turn.Proved[r.Replica.UID]; ok && !at.Before(t.turn.DrainedAt) {
			n++
		}
	}
	return n
}

func (t *tick) noteProved(v *assess.VolumeJudgement) Decision {
	n := Note{
		Kind: Proved, Node: t.planned.Node,
		Says: "volume " + v.Volume.Name + " has its data without " + t.node(),
	}
	for _, r := range v.Replicas {
		if r.Replica.Node != t.node() && r.ProvenSince(t.turn.DrainedAt) {
			n.Replicas = append(n.Replicas, r.Replica.UID)
		}
	}
	return Remember{Note: n}
}

func (t *tick) waitForVolumes(what string, left []string, parts []Part) Decision {
	w := Wait{
		For: what, Left: left, Progress: t.volumeToken(), Parts: parts,
		Limit: t.policy().RebuildLimit, LimitName: "rebuild limit",
		Stuck: "see the events of the volumes, then run the same command again",
	}
	if t.unseen() {
		w.Fresh, w.Until = true, t.s.Look.Ended.Add(nextGlance+t.s.Look.Skew)
	}
	return w
}

// nextGlance is how long after the last consistent look directories are looked
// into again that were not seen: such a look is dear, and whoever does not answer
// is starting at best.
const nextGlance = 30 * time.Second

// unseen reports whether a look into a directory, which was asked for, would
// tell what has come to rest since the last one, or what nobody answered then.
func (t *tick) unseen() bool {
	if !t.plan.Probe {
		return false
	}
	for i := range t.j.Volumes {
		for k := range t.j.Volumes[i].Replicas {
			r := &t.j.Volumes[i].Replicas[k]
			if p := r.Replica.Probe; r.Replica.Claim == cluster.Idle && r.Standing != cluster.StandingGood && t.live(r.Replica.Node) &&
				(p == nil || p.Seen == cluster.SeenNoAnswer) {
				return true
			}
		}
	}
	return false
}
