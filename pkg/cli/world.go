// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"io"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/live"
	"github.com/safe-roll/kubectl-safe-roll/pkg/observe"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// world is the cluster as the engine sees it, with the hands that the plan
// gives it. What the operator's commands print goes to lines.
func (c *connection) world(plan decide.Plan, lines io.Writer) (roll.World, error) {
	cfg, err := c.config()
	if err != nil {
		return nil, err
	}
	eyes, err := observe.NewCluster(observe.Config{
		REST: cfg, Storages: c.app.Storages, StorageNamespace: c.storageNamespace,
	})
	if err != nil {
		return nil, err
	}
	hands, err := act.New(act.Config{
		REST: cfg, Storages: c.app.Storages, Run: plan.Run, Commands: plan.Commands,
		CommandLimit: plan.Policy.CommandLimit, Out: lines, Err: lines,
	})
	if err != nil {
		return nil, err
	}
	return live.New(eyes, hands), nil
}
