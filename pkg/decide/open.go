// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// preflight refuses what can be known before the first change of the turn.
func (t *tick) preflight() Decision {
	if d := t.sameMachine(); d != nil {
		return d
	}
	if fs := t.outOrGoing(); len(fs) > 0 && len(t.m.Turns) == 0 {
		return t.refuse(fs, t.wayOut(fs))
	}
	if d := t.onlyOneOut(); d != nil {
		return d
	}
	if d := t.unclaimed(); d != nil {
		return d
	}
	if set := assess.Drain(t.s, t.policy(), t.planned.Node); len(set.Blocked) > 0 {
		return t.refuse(set.Blocked, "move these pods yourself, or accept the risk by its name")
	}
	return nil
}

// keepsFloor refuses a turn without moving replicas first, where a volume would
// fall below its Floor.
func (t *tick) keepsFloor() Decision {
	if t.planned.Strategy == policy.Evict {
		return nil
	}
	if p := t.j.MayDrain(t.planned.Node); p.Verdict != cluster.Safe {
		return t.refuse(p.Findings, "add a node so that replicas can be moved first, or wait until the volumes are whole")
	}
	return nil
}

// sameMachine halts where the planned machine is not there, by UID (L5).
func (t *tick) sameMachine() Decision {
	if t.s.NodeByUID(t.planned.Node.UID) != nil {
		return nil
	}
	reason := fmt.Sprintf("node %s (UID %s) is not in the cluster", t.node(), t.planned.Node.UID)
	if n := t.s.Node(t.node()); n != nil {
		reason = fmt.Sprintf("node %s is another machine now: it was planned with UID %s and has %s",
			t.node(), t.planned.Node.UID, n.Ref.UID)
	}
	return Halt{Exit: ExitUnsafe, Reason: reason, Remedy: "make a new plan: kubectl safe-roll verify, then run"}
}

func (t *tick) refuse(fs []assess.Finding, remedy string) Decision {
	reason := "node " + t.node() + " may not go now"
	if len(fs) > 0 {
		reason += ": " + clause(fs[0].Message)
	}
	return Halt{Exit: exitOf(fs), Reason: reason, Findings: fs, Remedy: remedy}
}

// onlyOneOut waits while another node is out by someone else's hand, or is about
// to be (I1).
func (t *tick) onlyOneOut() Decision {
	if d := t.othersLive(); d != nil {
		return d
	}
	return t.othersStay()
}

// othersLive waits while another node is out.
func (t *tick) othersLive() Decision {
	fs := t.othersOut()
	if len(fs) == 0 {
		return nil
	}
	return Wait{
		For: "every other node to be live", Left: messages(fs), Progress: fmt.Sprint(len(fs)),
		Limit: t.policy().SettleLimit, LimitName: "settle limit",
		Stuck: bringBack,
	}
}

// othersOut finds the nodes that are out, other than the turn's own.
func (t *tick) othersOut() []assess.Finding {
	return othersOut(t.j, t.policy(), map[cluster.UID]bool{t.planned.Node.UID: true})
}

func othersOut(j *assess.Judgement, p policy.Policy, own map[cluster.UID]bool) []assess.Finding {
	var out []assess.Finding
	for i := range j.Nodes {
		n := &j.Nodes[i]
		if n.Live == cluster.Yes || own[n.Node.Ref.UID] || p.Accepts(CodeOtherOut, n.Node.Ref.Name) {
			continue
		}
		severity := assess.Danger
		if n.Live == cluster.Unknown {
			severity = assess.Unclear
		}
		out = append(out, assess.Finding{
			Code: CodeOtherOut, Severity: severity,
			Subject: assess.Subject{Kind: "Node", Name: n.Node.Ref.Name},
			Message: sentence("node %s is not known to be live, and only one node may be out at a time", n.Node.Ref.Name),
			Evidence: []cluster.Fact{
				{Name: "node.ready", Value: n.Node.ReadyReason},
				{Name: "lease.renewed", Value: n.Node.LeaseRenewed.UTC().Format("2006-01-02T15:04:05Z")},
			},
			Risk: policy.Risk{Code: CodeOtherOut, Name: n.Node.Ref.Name},
		})
	}
	return out
}

// verifyWhole gates every turn: every volume has its configured replicas, and
// nothing is on the move.
func (t *tick) verifyWhole() Decision {
	left := messages(worst(t.j.Findings))
	for i := range t.j.Volumes {
		if v := &t.j.Volumes[i]; v.Moving {
			left = append(left, "volume "+v.Volume.Name+" is being moved by its storage")
		}
	}
	if len(left) == 0 {
		return nil
	}
	return Wait{
		For: "every volume to be whole and at rest before the turn of " + t.node(), Left: left, Progress: t.volumeToken(),
		Limit: t.policy().SettleLimit, LimitName: "settle limit",
		Stuck: "kubectl safe-roll verify shows every reason",
	}
}

// open writes down what must be known of the node when it is gone.
func (t *tick) open() Decision {
	n := t.s.NodeByUID(t.planned.Node.UID)
	had := fittings(t.s, n)
	o := OpenTurn{Cordoned: n.Cordoned, Had: &had, Boot: n.BootID}
	for i := range t.s.Nodes {
		o.Seen = append(o.Seen, t.s.Nodes[i].Ref.UID)
		if t.s.Nodes[i].Ref != t.planned.Node {
			o.Names = append(o.Names, t.s.Nodes[i].Ref.Name)
		}
	}
	for i := range t.s.Storages {
		for _, sn := range t.s.Storages[i].Nodes {
			if sn.Name != t.node() {
				continue
			}
			for _, d := range sn.Disks {
				if d.UUID != "" {
					o.Disks = append(o.Disks, d.UUID)
				}
			}
		}
	}
	return Remember{Note: Note{
		Kind: TurnOpened, Node: t.planned.Node, Turn: &o,
		Says: fmt.Sprintf("turn of %s: %s, because %s", t.node(), t.planned.Strategy, t.planned.Why),
	}}
}
