// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn"
)

func placers() map[string]forecast.Placer {
	return map[string]forecast.Placer{longhorn.Driver: longhorn.New().Placer()}
}

// propose makes the plan, as the command line does.
func (w *World) propose(ctx context.Context, c Case) (decide.Plan, string, error) {
	s, err := w.Connect(nil, c.Commands, Faults{}).Observe(ctx, cluster.Fresh)
	if err != nil {
		return decide.Plan{}, "", err
	}
	p := policy.Default()
	p.Strategy, p.Accepted = c.Strategy, c.Accepted
	p.LongestWait = cmp.Or(c.Longest, p.LongestWait)
	req := decide.Request{Run: fmt.Sprintf("r%d", w.opts.Seed), Goal: c.Goal, Commands: c.Commands, Policy: p}
	req.Replacement.Disk, req.Probe = c.Said, c.Probe
	for i := range c.Roll {
		if n := w.machine(fmt.Sprintf("worker-%d", i+1)); n != nil {
			req.Nodes = append(req.Nodes, n.ref())
		}
	}
	plan, no := decide.Propose(assess.Judge(s, p, time.Now()), req, placers())
	w.refused = no
	if len(no) > 0 {
		return plan, no[0].Message, nil
	}
	return plan, "", nil
}
