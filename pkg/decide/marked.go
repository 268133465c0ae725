// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"
	"slices"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// What another tool has marked as about to go is out in a moment. On another
// node the mark holds up everything that leads to a second node being out. On
// the turn's own it holds up what begins taking the node out, and what ends it:
// two hands that end one machine may end two. In between the turn goes on, for
// what it does there makes the loss of the node harmless.

const bringBack = "bring the node back or remove it from the cluster"

// markedToGo finds the nodes that a mark says are about to go, of those asked for.
func markedToGo(j *assess.Judgement, p policy.Policy, of func(cluster.NodeRef) bool) []assess.Finding {
	var out []assess.Finding
	for i := range j.Nodes {
		n := j.Nodes[i].Node
		if !of(n.Ref) || p.Accepts(assess.NodeMarkedToGo, n.Ref.Name) {
			continue
		}
		for _, g := range assess.MarkedToGo(n) {
			out = append(out, assess.Finding{
				Code: assess.NodeMarkedToGo, Severity: assess.Danger,
				Subject: assess.Subject{Kind: "Node", Name: n.Ref.Name}, Message: g.Message(n),
				Evidence: []cluster.Fact{{Name: "node.mark", Value: g.Mark}},
				Risk:     policy.Risk{Code: assess.NodeMarkedToGo, Name: n.Ref.Name},
			})
		}
	}
	return out
}

func (t *tick) isOwn(ref cluster.NodeRef) bool { return ref.UID == t.planned.Node.UID }

// outOrGoing is everything of that kind that refuses the first turn.
func (t *tick) outOrGoing() []assess.Finding {
	return append(t.othersOut(), markedToGo(t.j, t.policy(), func(cluster.NodeRef) bool { return true })...)
}

// othersStay waits while another node is about to go by someone else's hand (I1).
func (t *tick) othersStay() Decision {
	return t.untilUnmarked(markedToGo(t.j, t.policy(), func(ref cluster.NodeRef) bool { return !t.isOwn(ref) }))
}

// unclaimed waits while somebody else is about to take the turn's own node down.
func (t *tick) unclaimed() Decision {
	return t.untilUnmarked(markedToGo(t.j, t.policy(), t.isOwn))
}

// mineToTake is asked until the node is out by our hand.
func (t *tick) mineToTake() Decision {
	if !t.turn.CordonedAt.IsZero() {
		return nil
	}
	return t.unclaimed()
}

// mineToEnd is asked before we end the machine, delete its Node or reboot it.
// Where our command may have done so, or a person is to, the mark is that one's doing.
func (t *tick) mineToEnd() Decision {
	c := t.plan.Commands
	ours := c.Retire != "" || c.Replace != "" || c.DeleteNode
	if t.plan.Goal.Reboots() {
		ours = c.Reboot != ""
	}
	if !ours || len(t.turn.Begun) > 0 {
		return nil
	}
	return t.unclaimed()
}

func (t *tick) untilUnmarked(fs []assess.Finding) Decision {
	if len(fs) == 0 {
		return nil
	}
	n := t.s.Node(fs[0].Subject.Name)
	g := assess.MarkedToGo(n)[0]
	return Wait{
		For:  fmt.Sprintf("the mark %s to go from node %s, or the node itself: %s, and only one node may be out at a time", g.Mark, n.Ref.Name, g.Says),
		Left: messages(fs), Progress: fmt.Sprint("marks ", len(fs)),
		Limit: t.policy().SettleLimit, LimitName: "settle limit",
		Stuck: t.wayOut(fs),
	}
}

// wayOut says what to do about nodes that are out or about to go.
func (t *tick) wayOut(fs []assess.Finding) string {
	var ways []string
	for _, f := range fs {
		way := bringBack
		if n := t.s.Node(f.Subject.Name); n != nil && f.Code == assess.NodeMarkedToGo {
			way = n.Ref.Name + ": " + assess.MarkedToGo(n)[0].Remedy
		}
		if !slices.Contains(ways, way) {
			ways = append(ways, way)
		}
	}
	return strings.Join(ways, "; ")
}
