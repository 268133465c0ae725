// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// bar stops the storage from placing replicas on the node, and in the same
// change asks it to move away those that are there, where the strategy says so.
func (t *tick) bar() Decision {
	want := cluster.Placement{Accept: false, Evacuate: t.planned.Strategy == policy.Evict}
	for i := range t.s.Storages {
		st := &t.s.Storages[i]
		for _, sn := range st.Nodes {
			if sn.Name != t.node() || sn.Placement == want {
				continue
			}
			if want.Evacuate && !sn.Placement.Evacuate {
				if d := t.mayEvacuate(); d != nil {
					return d
				}
			}
			why := "no new replica may be placed on " + t.node()
			if want.Evacuate {
				why += ", and those on it shall move away while it is alive"
			}
			place := t.act(Action{
				Verb: Place, Driver: st.Driver, StorageNode: ObjectRef{sn.Name, sn.UID},
				Was: sn.Placement, To: want, Why: why,
			})
			if want.Evacuate && t.plan.Probe {
				return freshly(place) // it opens what sleeps
			}
			return place
		}
	}
	return nil
}

// mayEvacuate waits while a replica elsewhere might be taken for a good one and
// is not: told to move, the storage counts it, and may drop the one that holds
// the data. So it does where the one that is to move may be started blank: the
// storage opens what sleeps to move it, and copies nothing from nothing. It is asked
// whenever the moving is about to begin, because a turn may be gone on with long
// after it was opened.
func (t *tick) mayEvacuate() Decision {
	var left []string
	for i := range t.j.Volumes {
		v := &t.j.Volumes[i]
		if v.Condition == assess.Going || v.Condition == assess.Unused || !t.hasReplicaHere(v) {
			continue
		}
		sleeps := v.Volume.State == cluster.Detached && !unwritten(v)
		for _, r := range v.Replicas {
			elsewhere := r.Replica.Node != t.node()
			if elsewhere && misleads(r) || !elsewhere && sleeps && startsBlank(t, v, &r) {
				left = append(left, fmt.Sprintf("volume %s: replica %s on %s is %s", v.Volume.Name, r.Replica.Name, r.Replica.Node, r.Standing))
			}
		}
	}
	if len(left) == 0 {
		return nil
	}
	return Wait{
		For: "every replica of the volumes on " + t.node() + " to be good, or marked as failed", Left: left,
		Progress: t.volumeToken(), Limit: t.policy().SettleLimit, LimitName: "settle limit",
		Stuck: "kubectl safe-roll verify shows every reason",
	}
}

// misleads reports whether the storage may count a replica that is not known to
// be good: one that is neither marked as failed nor known to hold nothing.
func misleads(r assess.ReplicaJudgement) bool {
	switch r.Replica.Claim {
	case cluster.Failed, cluster.Placeholder, cluster.Untouched:
		return false
	}
	switch r.Standing {
	case cluster.StandingGood, cluster.StandingFailed, cluster.StandingLeaving, cluster.StandingUnused:
		return false
	default:
		return true
	}
}

// evacuate waits until the storage has moved every replica off the node, judged
// by where replicas are: what the storage says of a disk or of the volume as a
// whole measures nothing.
func (t *tick) evacuate() Decision {
	if t.planned.Strategy != policy.Evict {
		return nil
	}
	var left []string
	var parts []Part
	moving, holds := 0, 0
	for i := range t.j.Volumes {
		v := &t.j.Volumes[i]
		replicas, held := replicasOf(v.Volume, t.node()), heldHere(v.Volume, t.node())
		here := slices.Concat(replicas, held)
		if len(here) == 0 {
			continue
		}
		moving, holds = moving+len(replicas), holds+len(held)
		p := t.part(v)
		p.Token += fmt.Sprint(len(here))
		parts = append(parts, p)
		for _, what := range here {
			left = append(left, p.line(what))
		}
	}
	if len(left) == 0 {
		return nil
	}
	return Wait{
		For:      "the storage to move what it has away from " + t.node() + " (" + movingOrHeld(moving, holds) + " left)",
		Left:     left,
		Progress: t.volumeToken(), Parts: parts,
		Limit: t.policy().EvacuateLimit, LimitName: "evacuation limit",
		Stuck: "look for what keeps the volume from being placed elsewhere (space, tags, anti-affinity), or give up with kubectl safe-roll abort",
	}
}

// movingOrHeld counts the replicas. A storage opens volumes to move them, and
// what it holds them by is told when nothing else is left.
func movingOrHeld(replicas, holds int) string {
	if replicas > 0 {
		return Many(replicas, "replica")
	}
	return Many(holds, "attachment")
}

// keepWhole waits, before the first pod goes, until every volume has all its
// replicas without the node: moved away first, redundancy never dips.
func (t *tick) keepWhole() Decision {
	n := t.s.NodeByUID(t.planned.Node.UID)
	if t.planned.Strategy != policy.Evict || n == nil || n.Cordoned || !t.turn.CordonedAt.IsZero() {
		return nil
	}
	d := t.rebuild()
	if w, ok := d.(Wait); ok {
		w.Stuck = "a volume that has come since the plan was made may need " + t.node() +
			" itself: kubectl safe-roll abort puts it back to use, and a new plan takes the volume into account"
		return w
	}
	return d
}

// heldHere says that the storage itself holds the volume attached on the node,
// as while it moves a replica.
func heldHere(v *cluster.Volume, node string) []string {
	var out []string
	for _, h := range v.Holds {
		if h.Kind == cluster.HoldStorage && h.Node == node {
			out = append(out, "held by "+h.ID)
		}
	}
	return out
}

// replicasOf names the volume's replica objects on the node, those being
// deleted too: the storage may still need what they name.
func replicasOf(v *cluster.Volume, node string) []string {
	var out []string
	for i := range v.Replicas {
		if v.Replicas[i].Node == node {
			out = append(out, "replica "+v.Replicas[i].Name)
		}
	}
	return out
}

// replicasOn lists every replica object on the node.
func (t *tick) replicasOn(node string) []string {
	var out []string
	for i := range t.j.Volumes {
		for _, r := range replicasOf(t.j.Volumes[i].Volume, node) {
			out = append(out, "volume "+t.j.Volumes[i].Volume.Name+": "+r)
		}
	}
	return out
}

// volumeToken changes whenever a replica comes, goes, changes its claim or
// gets on with its rebuild, or a volume its state.
func (t *tick) volumeToken() string {
	var b []byte
	for i := range t.s.Storages {
		for k := range t.s.Storages[i].Volumes {
			v := &t.s.Storages[i].Volumes[k]
			b = strconv.AppendUint(append(b, v.UID...), uint64(v.State), 10)
			for r := range v.Replicas {
				r := &v.Replicas[r]
				b = strconv.AppendUint(append(append(b, ','), r.UID...), uint64(r.Claim), 10)
				b = strconv.AppendInt(append(b, '.'), int64(r.Progress), 10)
			}
		}
	}
	return hash(string(b))
}

// act completes an action with the turn's node.
func (t *tick) act(a Action) Decision {
	// A knob belongs to no node, and is put back whatever became of the turn's.
	if a.Node == (cluster.NodeRef{}) && a.Verb != SetAside && a.Verb != PutBack {
		a.Node = t.planned.Node
	}
	if wait := t.backOff(a); wait != nil {
		return wait
	}
	return Act{Action: a}
}

// longestAsked bounds how long a server that asks to be left alone is.
const longestAsked = 5 * time.Minute

// backOff spaces out deeds that were refused, so that nothing busy-loops: one
// second after the first refusal, doubled up to half a minute, and a little more.
// A server that asked for more gets it, within reason.
func (t *tick) backOff(a Action) Decision {
	if t.m.Refusals == 0 {
		return nil
	}
	pause := min(time.Second<<min(t.m.Refusals-1, 5), 30*time.Second)
	pause = max(pause, min(t.m.Asked, longestAsked))
	until := t.m.RefusedAt.Add(t.plan.Spread(pause, t.m.Refusals))
	if !until.After(t.now) {
		return nil
	}
	return Wait{
		For: "another try: " + a.Why, Left: []string{t.m.Refusal}, Progress: t.podToken() + t.volumeToken(),
		Until: until, Limit: t.policy().DrainLimit, LimitName: "drain limit",
		Stuck: "the last answer was: " + t.m.Refusal,
	}
}

func (t *tick) hasReplicaHere(v *assess.VolumeJudgement) bool {
	for _, r := range v.Volume.Replicas {
		if r.Node == t.node() {
			return true
		}
	}
	return false
}
