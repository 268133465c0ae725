// SPDX-License-Identifier: Apache-2.0

package roll

import (
	"context"
	"errors"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// approvalPoll is how often an approval is asked for: nothing tells us of one.
const approvalPoll = 3 * time.Second

// approved asks whether the turn was approved, and writes it down if so. A
// question that fails is asked again.
func (r *runner) approved(ctx context.Context, node cluster.NodeRef) (bool, error) {
	if r.Approvals == nil {
		return false, nil
	}
	c, cancel := context.WithTimeoutCause(ctx, r.WriteLimit, errors.New("the limit of a question for approval"))
	who, err := r.Approvals.Approved(c, r.plan.Run, node)
	cancel()
	if err != nil {
		r.Watch(Report{Kind: ReportTrouble, Text: "the approval cannot be read: " + err.Error()})
		return false, nil
	}
	if who == "" {
		return false, nil
	}
	n := decide.Note{Kind: decide.Approved, Node: node, Says: "the turn of " + node.Name + " was approved by " + who}
	r.did = true
	r.Watch(Report{Kind: ReportNoted, Text: n.Says})
	return true, r.write(ctx, record.Event{Kind: record.Noted, Phase: decide.Pause, Note: &n, Text: n.Says})
}
