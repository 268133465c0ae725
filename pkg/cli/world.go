// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"k8s.io/apimachinery/pkg/version"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/live"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// world is the cluster as the engine sees it, with the hands that the plan
// gives it. It must be closed.
type world struct {
	*live.World
	close func()
}

// world opens it. What the operator's commands print goes to lines; guard is asked
// before every change, nil for a dry run.
func (c *connection) world(plan decide.Plan, lines io.Writer, guard func(time.Duration) error, dry act.DryRun) (*world, error) {
	cfg, err := c.config()
	if err != nil {
		return nil, err
	}
	hands, err := act.New(act.Config{
		REST: cfg, Storages: c.app.Storages, Run: plan.Run, Commands: plan.Commands,
		CommandLimit: plan.Policy.CommandLimit, Guard: guard, DryRun: dry, Out: lines, Err: lines,
	})
	if err != nil {
		return nil, err
	}
	eyes, err := c.observer()
	if err != nil {
		return nil, err
	}
	return &world{World: live.New(eyes, hands), close: eyes.Close}, nil
}

// tick is the least time between two looks. What comes by watches costs what has
// changed, and whoever observes gathers events for as long as joining them is worth.
const tick = 200 * time.Millisecond

// engine is the engine's configuration: a deed must end, and the lock be
// renewed, well within the time that the lock holds.
func (c *connection) engine(ctx context.Context, b *book.Book) roll.Config {
	return roll.Config{
		Book: b, Approvals: b, By: c.author(ctx), Placers: placers(c.app.Storages),
		Advise: catalogue(c.app.Storages).Advise,
		Tick:   tick,
		Renew:  c.lockDuration / 4, DeedLimit: c.lockDuration / 3, WriteLimit: c.lockDuration / 3,
	}
}

// versionLimit bounds the question for the server's version, which nothing
// depends on.
const versionLimit = 5 * time.Second

// author is who rolls, and with what, for the journal.
func (c *connection) author(ctx context.Context) record.Author {
	a := record.Author{Who: c.who, Program: c.app.Version}
	set, err := c.clientset()
	if err != nil {
		return a
	}
	ctx, cancel := context.WithTimeoutCause(ctx, versionLimit, errors.New("version limit"))
	defer cancel()
	body, err := set.Discovery().RESTClient().Get().AbsPath("/version").DoRaw(ctx)
	if err != nil {
		return a
	}
	var v version.Info
	if json.Unmarshal(body, &v) == nil {
		a.Server = v.GitVersion
	}
	return a
}
