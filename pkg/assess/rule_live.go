// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"fmt"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Clause 2: a node is live when it is Ready and renews its lease. A machine
// that was switched off stays Ready until the node controller's grace period
// ends; only its lease tells at once.

// alive says whether the node is live, with the code and evidence where not.
func (w *world) alive(n *cluster.Node) (cluster.Answer, string, []cluster.Fact) {
	switch {
	case n.Deleting:
		return cluster.No, NodeDeleting, []cluster.Fact{fact("node", n.Ref.Name)}
	case n.Ready != cluster.Yes:
		return n.Ready, NodeNotReady, []cluster.Fact{
			fact("node", n.Ref.Name), answerFact("node.ready", n.Ready), fact("node.ready.reason", n.ReadyReason),
		}
	case !w.leases:
		return cluster.Yes, "", nil
	}
	return w.freshLease(n)
}

// freshLease says whether the node's lease speaks of the present. A lease from
// the future was written by a clock that is wrong, and would look fresh for as
// long as that clock is ahead after the machine has died.
func (w *world) freshLease(n *cluster.Node) (cluster.Answer, string, []cluster.Fact) {
	why := []cluster.Fact{
		fact("node", n.Ref.Name), timeFact("lease.renewTime", n.LeaseRenewed), timeFact("now", w.now),
	}
	age := w.now.Sub(n.LeaseRenewed)
	switch {
	case n.LeaseRenewed.IsZero():
		return cluster.Unknown, NodeLeaseMissing, why
	case age > w.pol.LeaseFresh:
		return cluster.No, NodeLeaseOld, why
	case -age > w.pol.ClockSkew:
		return cluster.Unknown, NodeLeaseAhead, why
	}
	return cluster.Yes, "", nil
}

// judgeNodes says of every node what can be said of it by itself. A node that
// is out endangers only what lies on it, so these are notes: the volumes speak
// for themselves.
func (w *world) judgeNodes() []NodeJudgement {
	out := make([]NodeJudgement, 0, len(w.snap.Nodes))
	for i := range w.snap.Nodes {
		n := &w.snap.Nodes[i]
		x := w.nodes[n.Ref.Name]
		nj := NodeJudgement{Node: n, Live: x.live}
		if x.live != cluster.Yes {
			nj.Findings = append(nj.Findings, nodeNote(n, x.code, x.why,
				fmt.Sprintf("Node %s is not live: %s.", n.Ref.Name, because(x.code))))
		}
		if n.Cordoned {
			nj.Findings = append(nj.Findings, nodeNote(n, NodeCordoned, nil,
				fmt.Sprintf("Node %s is cordoned: nothing new is placed there.", n.Ref.Name)))
		}
		nj.Findings = append(nj.Findings, markedNotes(n)...)
		out = append(out, nj)
	}
	return out
}

func nodeNote(n *cluster.Node, code string, why []cluster.Fact, message string) Finding {
	return Finding{Code: code, Severity: Note, Subject: Subject{Kind: "Node", Name: n.Ref.Name}, Message: message, Evidence: why}
}

// later says of two times from different clocks whether the first is certainly
// the later one; unknown within the margin of the clocks.
func (w *world) later(a, b time.Time) cluster.Answer {
	switch d := a.Sub(b); {
	case d > w.pol.ClockSkew:
		return cluster.Yes
	case d < -w.pol.ClockSkew:
		return cluster.No
	default:
		return cluster.Unknown
	}
}
