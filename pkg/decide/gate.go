// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// permitted lets a gate be looked through while the permission holds.
func (t *tick) permitted(g Gate, p assess.Permit, what string) Decision {
	if p.Verdict != cluster.Safe {
		return t.notYet(g, p, what)
	}
	return t.twoLooks(g, t.j.Digest(), what)
}

// twoLooks lets pass what has now been seen twice, in two consistent looks, the
// second begun at least the look interval after the first ended, with every
// live node's lease renewed in between and nothing changed that the first one
// rested on. It returns nil once passed, for as long as the facts stay the same.
func (t *tick) twoLooks(g Gate, digest, what string) Decision {
	if passed, ok := t.m.Passed[g]; ok {
		if rests(digest, passed.Digest) {
			return nil
		}
		return t.stillHolds(g, "the volumes' replicas or the nodes changed")
	}
	first, ok := t.m.Looks[g]
	// Looks are timed by this machine's clock, waits by the cluster's.
	again := first.Ended.Add(t.policy().LookInterval + t.s.Look.Skew)
	switch {
	case ok && !rests(digest, first.Digest):
		return t.stillHolds(g, "what the first look rested on has changed")
	case ok && t.now.Before(again):
		return t.lookAgain("a second look, to be sure: "+what, again)
	case !t.s.Look.Fresh:
		return t.lookAgain("a consistent look: "+what, t.now)
	case !ok:
		return Remember{Note: t.look(LookTaken, g, digest, what+": first look agrees")}
	case t.s.Look.Began.Before(first.Ended.Add(t.policy().LookInterval)):
		return t.lookAgain("a second look, to be sure: "+what, again)
	}
	if name := t.unrenewed(first); name != "" {
		return Wait{
			For: "node " + name + " to renew its lease: " + what, Progress: name,
			Until: t.now.Add(2 * time.Second), Fresh: true,
			Limit: t.policy().SettleLimit, LimitName: "settle limit",
			Stuck: "the kubelet of " + name + " does not renew its lease",
		}
	}
	return Remember{Note: t.look(GatePassed, g, digest, what+": second look agrees")}
}

// rests reports whether everything that is rested on now was so in the look: a
// digest may have parts, of which those that were dealt with fall away.
func rests(now, before string) bool {
	parts := strings.Split(before, ",")
	for part := range strings.SplitSeq(now, ",") {
		if !slices.Contains(parts, part) {
			return false
		}
	}
	return true
}

// notYet waits for a permission; a look that agreed before is void.
func (t *tick) notYet(g Gate, p assess.Permit, what string) Decision {
	if _, ok := t.m.Looks[g]; ok {
		return t.void(g, "it no longer holds")
	}
	if _, ok := t.m.Passed[g]; ok || g == GateDelete && t.turn.Permitted {
		return t.void(g, "it no longer holds")
	}
	return Wait{
		For: "certainty: " + what, Left: messages(p.Findings), Progress: t.volumeToken() + t.podToken(),
		Limit: t.policy().SettleLimit, LimitName: "settle limit",
		Stuck: t.uncertain(p),
	}
}

// uncertain is what to do where a permission does not come. A replica that has
// failed on the node before its last drain, such as by an earlier one that was taken
// back, may hold what no other does; it is rebuilt where it lies, once the node is
// in use again.
func (t *tick) uncertain(p assess.Permit) string {
	lastResort := func(f assess.Finding) bool { return f.Code == assess.ReplicaLastResort }
	if t.s.Node(t.node()) != nil && slices.ContainsFunc(p.Findings, lastResort) {
		return "kubectl safe-roll abort puts node " + t.node() + " back to use, so that what failed on it is rebuilt there; then begin anew"
	}
	return "kubectl safe-roll verify shows every reason"
}

// stillHolds voids a look because of what it rested on, while what it permits is
// permitted by what is there now.
func (t *tick) stillHolds(g Gate, why string) Decision {
	r := t.void(g, why)
	r.Note.Holds = true
	return r
}

func (t *tick) void(g Gate, why string) Remember {
	return Remember{Note: Note{
		Kind: LookVoided, Node: t.planned.Node, Gate: g,
		Says: fmt.Sprintf("the look (%s) is void: %s", g, why),
	}}
}

// lookAgain waits for consistent reads that begin at that time.
func (t *tick) lookAgain(what string, at time.Time) Decision {
	return Wait{
		For: what, Progress: at.String(), Until: at, Fresh: true,
		Limit: t.policy().SettleLimit, LimitName: "settle limit", Stuck: "the API server does not answer",
	}
}

func (t *tick) look(kind NoteKind, g Gate, digest, says string) Note {
	l := Look{Began: t.s.Look.Began, Ended: t.s.Look.Ended, Digest: digest, Leases: map[cluster.UID]time.Time{}}
	for i := range t.j.Nodes {
		if n := &t.j.Nodes[i]; n.Live == cluster.Yes {
			l.Leases[n.Node.Ref.UID] = n.Node.LeaseRenewed
		}
	}
	return Note{Kind: kind, Node: t.planned.Node, Gate: g, Look: &l, Says: says}
}

// unrenewed names a node that was live in the first look and has not renewed
// its lease since; empty if all have. The leaving node is not relied upon.
func (t *tick) unrenewed(first Look) string {
	for i := range t.j.Nodes {
		n := t.j.Nodes[i].Node
		before, ok := first.Leases[n.Ref.UID]
		if ok && n.Ref != t.planned.Node && !n.LeaseRenewed.After(before) {
			return n.Ref.Name
		}
	}
	return ""
}

// mayDelete is the gate before anything irreversible happens to the node.
func (t *tick) mayDelete() Decision {
	what := t.node() + " may be deleted"
	if d := t.permitted(GateDelete, t.j.MayDelete(t.planned.Node, t.assessTurn()), what); d != nil {
		return d
	}
	if t.plan.Goal == UntilDeletable {
		ref := t.planned.Node
		return Done{Deletable: &ref, Says: what + ": no volume needs it"}
	}
	return nil
}

// mayReboot is the gate before the machine goes down for a while: what lies on
// its disks comes back with it, so nothing has to be proven without it; but
// should it never come back, every volume has its Floor elsewhere.
func (t *tick) mayReboot() Decision {
	what := t.node() + " may be rebooted"
	if d := t.permitted(GateReboot, t.j.MayReboot(t.planned.Node), what); d != nil {
		return d
	}
	if t.plan.Goal == UntilRebootable {
		ref := t.planned.Node
		return Done{Rebootable: &ref, Says: what + ": every volume keeps its floor without it"}
	}
	return nil
}

func (t *tick) assessTurn() assess.Turn {
	return assess.Turn{CordonedAt: t.turn.CordonedAt, DrainedAt: t.turn.DrainedAt, Proved: t.turn.Proved}
}
