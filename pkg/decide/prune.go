// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// relic is the object of a replica whose data are proven gone, and its volume.
type relic struct {
	volume  *assess.VolumeJudgement
	replica *cluster.Replica
	// rests are the replicas that were proven in its stead.
	rests []string
}

// prune deletes the objects of replicas whose data are gone, so that the
// storage neither counts them, nor starts them, nor waits for them to come
// back. Each is proven gone, and another replica of its volume proven good, in
// two looks.
func (t *tick) prune() Decision {
	relics := t.relics()
	if len(relics) == 0 {
		return nil
	}
	var digest []string
	for _, r := range relics {
		digest = append(digest, hash(string(r.replica.UID)+" "+strings.Join(r.rests, " ")))
	}
	if d := t.twoLooks(GatePrune, strings.Join(digest, ","), "replicas whose disks are gone may be pruned"); d != nil {
		return d
	}
	r := relics[0]
	return t.act(Action{
		Verb: Prune, Driver: r.volume.Driver, Volume: ObjectRef{r.volume.Volume.Name, r.volume.Volume.UID},
		Replica: ObjectRef{r.replica.Name, r.replica.UID},
		Why:     "the object of replica " + r.replica.Name + " of volume " + r.volume.Volume.Name + " is taken away: it went with its disk on " + r.replica.Node,
	})
}

// relics lists what may be pruned now and is in the way, in the judgement's
// order.
func (t *tick) relics() []relic {
	var out []relic
	for i := range t.j.Volumes {
		v := &t.j.Volumes[i]
		for k := range v.Replicas {
			r := &v.Replicas[k]
			if r.Replica.Deleting {
				continue
			}
			if siblings := t.neverHeld(v, r); len(siblings) > 0 {
				out = append(out, relic{v, r.Replica, siblings})
				continue
			}
			if !provenGone(t.j, r) || !t.inTheWay(v, r) {
				continue
			}
			if rests := t.provenSiblings(v, r.Replica); len(rests) > 0 {
				out = append(out, relic{v, r.Replica, rests})
			}
		}
	}
	return out
}

// neverHeld returns the siblings of a replica that went with the turn's node and
// never held anything, where its object keeps the storage from letting go of
// the node. Nothing can be lost with it; its volume keeps another one, for with
// none it would be made anew.
func (t *tick) neverHeld(v *assess.VolumeJudgement, r *assess.ReplicaJudgement) []string {
	st := t.s.Storage(v.Driver)
	if t.turn == nil || st == nil || st.KeepsNodes != cluster.Yes || r.Replica.Node != t.node() || t.s.Node(t.node()) != nil || !unwritten(v) {
		return nil
	}
	var out []string
	for i := range v.Replicas {
		if o := v.Replicas[i].Replica; o.UID != r.Replica.UID && !o.Deleting && t.live(o.Node) {
			out = append(out, string(o.UID))
		}
	}
	return out
}

// unwritten reports whether the volume shows no sign that it ever held data.
func unwritten(v *assess.VolumeJudgement) bool {
	x := v.Volume
	if x.Class != cluster.ClassOrdinary || x.Touched || x.Used > 0 || x.Engine.Present != cluster.Yes || x.Engine.Ever != cluster.No ||
		x.State != cluster.Detached || len(x.Replicas) == 0 || len(x.Doubts) > 0 {
		return false
	}
	for i := range x.Replicas {
		if c := x.Replicas[i].Claim; c != cluster.Untouched && c != cluster.Placeholder {
			return false
		}
	}
	return true
}

// live reports whether the node of that name is live, for certain.
func (t *tick) live(name string) bool {
	n := t.j.Node(name)
	return n != nil && n.Live == cluster.Yes
}

// provenGone reports whether the replica's data certainly do not exist any
// more: its machine is gone, or the one that bears the name now was looked into
// and has nothing of it. That its disk is another one is what the storage says,
// and alone not proof enough: it may delete the directory that the object names.
func provenGone(j *assess.Judgement, r *assess.ReplicaJudgement) bool {
	if r.Standing != cluster.StandingAbsent {
		return false
	}
	n, p := j.Snapshot.Node(r.Replica.Node), r.Replica.Probe
	return n == nil || p != nil && p.Node == n.Ref && (p.Seen == cluster.SeenNothing || p.Seen == cluster.SeenReplaced)
}

// inTheWay reports whether an absent replica keeps anything from going on: what
// the storage still counts does, whatever went with the turn's node, and what
// holds a rebuild back because it might return.
func (t *tick) inTheWay(v *assess.VolumeJudgement, r *assess.ReplicaJudgement) bool {
	if phantom(r) || squatter(t.j, r) || t.turn != nil && r.Replica.Node == t.node() {
		return true
	}
	return v.Condition == assess.Degraded && !beingWritten(v)
}

// phantom reports whether the storage takes a replica for one that is there
// though its data are gone.
func phantom(r *assess.ReplicaJudgement) bool {
	return r.Standing == cluster.StandingAbsent &&
		r.Replica.Claim != cluster.Failed && r.Replica.Claim != cluster.Placeholder
}

// squatter reports whether a failed replica that is proven gone keeps a place:
// on a live node, the storage puts no other replica of the volume there as long
// as the failed one might be used again.
func squatter(j *assess.Judgement, r *assess.ReplicaJudgement) bool {
	return r.Replica.Claim == cluster.Failed && j.Snapshot.Node(r.Replica.Node) != nil && provenGone(j, r)
}

func beingWritten(v *assess.VolumeJudgement) bool {
	for i := range v.Replicas {
		if v.Replicas[i].Standing == cluster.StandingRebuilding {
			return true
		}
	}
	return false
}

// provenSiblings lists the other replicas of the volume that are proven, now
// or since the drain of this turn ended.
func (t *tick) provenSiblings(v *assess.VolumeJudgement, not *cluster.Replica) []string {
	var out []string
	for i := range v.Replicas {
		r := &v.Replicas[i]
		if r.Replica.UID == not.UID || r.Standing != cluster.StandingGood {
			continue
		}
		if r.Proof == cluster.Proven || t.provedInTurn(r.Replica) {
			out = append(out, string(r.Replica.UID))
		}
	}
	return out
}

func (t *tick) provedInTurn(r *cluster.Replica) bool {
	if t.turn == nil || t.turn.DrainedAt.IsZero() {
		return false
	}
	at, ok := t.turn.Proved[r.UID]
	return ok && !at.Before(t.turn.DrainedAt)
}
