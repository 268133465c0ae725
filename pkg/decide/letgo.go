// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"
	"slices"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Holds returns what takes back every hold of the roll, and nothing else of
// what it changed, the latest first.
func Holds(m Memory) []Action {
	return slices.DeleteFunc(TakeBack(m, StopInterrupted), func(a Action) bool { return a.Verb != Sleep })
}

// Untouchable says what nobody must touch until the roll goes on: the node of
// the open turn, the nodes that have the good replicas of volumes that are short
// of them, and the volumes whose storage might start a replica without its data.
func Untouchable(p Plan, j *assess.Judgement, m Memory) []string {
	t := &tick{plan: p, j: j, s: j.Snapshot, m: m, turn: m.Current()}
	var out []string
	if t.turn != nil {
		t.planned = PlannedTurn{Node: t.turn.Node}
		out = append(out, t.untouchableNode())
	}
	out = append(out, t.precious()...)
	if blank := t.blankStarters(); len(blank) > 0 {
		out = append(out, fmt.Sprintf("%s: start no pod on %s, and delete none of the replicas by hand: the storage might start a replica without its data",
			listed(blank), them(len(blank))))
	}
	return out
}

// untouchableNode is what must not be done with the node of the open turn.
func (t *tick) untouchableNode() string {
	if t.s.NodeByUID(t.turn.Node.UID) == nil {
		return "node " + t.node() + ": it is gone, and what it held is not everywhere whole again; take no other node out before its turn is finished"
	}
	return "node " + t.node() + ": do not delete or reboot it, or wipe its disks: its turn is open, and nothing says yet that it may go"
}

// precious names, per node, the volumes that have a good replica there and fewer
// than they should have in all.
func (t *tick) precious() []string {
	short, last := map[string][]string{}, map[string][]string{}
	for i := range t.j.Volumes {
		v := &t.j.Volumes[i]
		var on []string
		for _, r := range v.Replicas {
			if r.Standing == cluster.StandingGood {
				on = append(on, r.Replica.Node)
			}
		}
		if len(on) >= v.Volume.Want {
			continue
		}
		for _, n := range on {
			short[n] = append(short[n], v.Volume.Name)
			if len(on) <= v.Volume.Need {
				last[n] = append(last[n], v.Volume.Name)
			}
		}
	}
	var out []string
	for i := range t.s.Nodes {
		n := t.s.Nodes[i].Ref.Name
		if len(short[n]) == 0 {
			continue
		}
		line := fmt.Sprintf("node %s: do not drain, reboot or delete it, or wipe its disks: it has a good replica of %s short of replicas", n, thatAre(len(short[n])))
		if len(last[n]) > 0 {
			line += "; without it the data of " + listed(last[n]) + " are lost"
		}
		out = append(out, line)
	}
	return out
}

// blankStarters are the volumes of which the storage might start a replica
// without its data.
func (t *tick) blankStarters() []string {
	var out []string
	for i := range t.j.Volumes {
		v := &t.j.Volumes[i]
		for k := range v.Replicas {
			if startsBlank(t, v, &v.Replicas[k]) {
				out = append(out, v.Volume.Name)
				break
			}
		}
	}
	return out
}

// listed names a few of many.
func listed(names []string) string {
	const few = 5
	if len(names) > few {
		return strings.Join(names[:few], ", ") + fmt.Sprintf(" and %d more", len(names)-few)
	}
	return strings.Join(names, ", ")
}

func thatAre(n int) string {
	if n == 1 {
		return "a volume that is"
	}
	return Many(n, "volume") + " that are"
}

func them(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}
