// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"fmt"
	"strconv"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// MayDelete answers whether the node, and everything on it, may be deleted for
// good. Every volume (a) keeps its Floor without the node; (b) if it has a
// replica there, at least Need of the others are proven, since the drain ended
// where the asker is in a turn; (c) nothing of it is served or held from the
// node; (d) nothing of it is being rebuilt or otherwise changed; (e) no failed
// replica or orphan on the node may be the one that is still needed. And
// nothing else dies with the node. Files cannot answer: they know nothing of
// the present.
func (j *Judgement) MayDelete(ref cluster.NodeRef, t Turn) Permit {
	fs, judged := j.goesDown(ref, t, provenWithout, servedFrom, atRest, j.layered(), lastResort)
	if judged {
		fs = append(fs, j.orphansOn(ref)...)
		fs = append(fs, j.diesWith(ref)...)
		fs = append(fs, j.onlyBases(ref)...)
	}
	return permit(fs)
}

// provenWithout is (b): what merely looks good is not enough to give a copy up
// for; it must have been seen served without the node.
func provenWithout(say volumeVoice, m Machine, t Turn) *Finding {
	vj := say.vj
	v, node := vj.Volume, m.node
	if vj.Condition == Going || vj.Condition == Unused || !m.Holds(v) {
		return nil
	}
	places := map[string]bool{}
	for i := range vj.Replicas {
		if rj := &vj.Replicas[i]; rj.Replica.Node != node && rj.Standing == cluster.StandingGood && t.proven(rj) {
			places[placeName(v, rj.Replica)] = true
		}
	}
	if len(places) >= v.Need {
		return nil
	}
	how := "wake it without the node first"
	switch {
	case count(v, vj.Replicas, node).maybe < v.Need:
		how = "give it a replica elsewhere first"
	case len(say.blanks()) > 0:
		how = "have them probed, for it must not be attached as it is"
	}
	f := say.finding(VolumeNotProven, Unclear,
		fmt.Sprintf("%s has a replica on node %s, and %d of the %d others that must be seen serving were: %s.", "%s", node, len(places), v.Need, how),
		fact("replicas.provenElsewhere", strconv.Itoa(len(places))))
	if !t.DrainedAt.IsZero() {
		f.Evidence = append(f.Evidence, timeFact("turn.drainedAt", t.DrainedAt))
	}
	return &f
}

// proven reports whether the replica is proven now, or was since the drain
// ended. Outside a turn only now counts.
func (t Turn) proven(rj *ReplicaJudgement) bool {
	if rj.ProvenSince(t.DrainedAt) {
		return true
	}
	at := t.Proved[rj.Replica.UID] // never, where it is not there
	return !t.DrainedAt.IsZero() && !at.Before(t.DrainedAt)
}

// lastResort is (e): a failed replica holds what was written until it failed,
// and is what people salvage from when the others turn out to be worse. One
// that failed after our cordon failed because we drained the node, while its
// siblings were good: the gate before the cordon saw to that, (a) and (b) hold
// it still, so nothing older is lost with it. One whose disk is here and that
// names another node did not fail because of us.
func lastResort(say volumeVoice, m Machine, t Turn) *Finding {
	vj := say.vj
	v, node := vj.Volume, m.node
	if vj.Condition == Going || count(v, vj.Replicas, node).good >= v.Want {
		return nil
	}
	for i := range vj.Replicas {
		rj := &vj.Replicas[i]
		r := rj.Replica
		if !m.holds(r) || rj.Standing != cluster.StandingFailed || r.Node == node && t.failedByUs(r) {
			continue
		}
		f := say.finding(ReplicaLastResort, Danger,
			fmt.Sprintf("%s has failed replica %s on node %s, and fewer than %d good ones elsewhere: it may be needed to salvage from.", "%s", r.Name, node, v.Want),
			timeFact("replica.failedAt", r.FailedAt), timeFact("turn.cordonedAt", t.CordonedAt))
		return &f
	}
	return nil
}

// failedByUs reports whether the replica failed after the turn's cordon; one
// that does not say when did not. The storage writes whole seconds.
func (t Turn) failedByUs(r *cluster.Replica) bool {
	return !t.CordonedAt.IsZero() && !r.FailedAt.Before(t.CordonedAt.Truncate(time.Second))
}
