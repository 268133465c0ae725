// SPDX-License-Identifier: Apache-2.0

package decide

// approval waits, where the plan pauses between nodes, until somebody has
// approved the turn. The first one was approved by starting the roll.
func (t *tick) approval() Decision {
	if !t.policy().Pause || len(t.m.Turns) == 0 || t.m.Approved == t.planned.Node {
		return nil
	}
	node := t.planned.Node
	return Wait{
		For:      "approval of the turn of " + node.Name + ": kubectl safe-roll approve",
		Progress: string(node.UID), Approve: &node,
		Limit: t.policy().LongestWait, LimitName: "longest wait",
		Stuck: "run the same command again, and kubectl safe-roll approve when " + node.Name + " may go",
	}
}
