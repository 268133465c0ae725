// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
	"github.com/safe-roll/kubectl-safe-roll/pkg/view"
)

func newAbort(app App, conn *connection, display string) *cobra.Command {
	o := &rollOptions{app: app, conn: conn, display: display, output: outputText}
	stays, now := "", false
	cmd := &cobra.Command{
		Use:   "abort",
		Short: "Give up the roll in flight: put back what it changed, as long as its node is still there",
		Long: `Puts back what the roll in flight changed: cordons, what the storage was told
about the node, volumes that were held awake. Refused once the turn's node is
gone: giving up then would leave volumes short of replicas, and '` + display + ` run'
finishes the turn. Not where its machine came back with its disks, or was only to
be rebooted: such a turn is given up so. Refused as well once a command that ends
the machine was run, although its Node is still there: put back to use, a machine
on its way out would take new pods and replicas with it. One that was rebooted is
not on its way out any more.

--now takes back only the holds on volumes that a roll which died keeps awake, so
that their pods can start, at any moment of a turn. The roll stays in flight, and
what nobody must touch until it goes on is named.`,
		Example: examples(display, "% status", "% abort", "% abort --now"),
		Args:    nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case now && stays != "":
				return usagef("--now puts nothing back to use, so there is nothing that --stays could say")
			case now:
				return o.giveUp(cmd.Context(), roll.Config{}, roll.LetGo)
			}
			return o.giveUp(cmd.Context(), roll.Config{Stays: stays}, roll.Abort)
		},
	}
	cmd.Flags().StringVar(&stays, "stays", "", "the node whose machine is certain to stay, although a command that ends it was run")
	cmd.Flags().BoolVar(&now, "now", false, "only let go of volumes that are held awake; the roll stays in flight, and what must not be touched is named")
	return cmd
}

// giveUp gives up the roll in flight, or its holds alone.
func (o *rollOptions) giveUp(ctx context.Context, want roll.Config, how func(context.Context, roll.Config) (roll.Result, error)) error {
	book, err := o.conn.book()
	if err != nil {
		return failed(err)
	}
	// Reading needs no lock, and leaves nothing behind where there is nothing.
	h, _, err := book.Read(ctx)
	if err != nil {
		return failed(fmt.Errorf("the journal cannot be read: %w", err))
	}
	if h.Over() {
		return o.nothingToAbort()
	}
	w, err := o.watch(ctx)
	if err != nil {
		return failed(err)
	}
	world, err := o.conn.world(decide.Plan{}, w.progress.Lines(), book.Guard, act.DryRunNone)
	if err != nil {
		w.close(o.app.Streams.ErrOut, exitError1)
		return failed(err)
	}
	defer world.close()
	cfg := o.conn.engine(ctx, book)
	cfg.World, cfg.Watch, cfg.Stays = world, w.report, want.Stays
	res, err := how(ctx, cfg)
	w.close(o.app.Streams.ErrOut, exitAfter(res, err))
	switch {
	case errors.Is(err, roll.ErrNothing):
		return o.nothingToAbort()
	case errors.Is(err, record.ErrHeld):
		return &exitError{code: exitHeld, err: fmt.Errorf("%w. Interrupt it there first; if that process is gone, abort takes over then", err)}
	case err != nil:
		return o.broken(err, res)
	}
	again := o.again(res.Plan)
	res.Plan.Turns = nil // nothing was done that a table could show
	if err := o.end(res, w); err != nil || len(res.Untouchable) == 0 {
		return err
	}
	return view.Untouchable{Left: res.Left, Lines: res.Untouchable, Again: again}.Text(o.app.Streams.Out, styleOf(o.app.Streams.Out))
}

func (o *rollOptions) nothingToAbort() error {
	_, err := fmt.Fprintln(o.app.Streams.Out, "No roll is in flight; there is nothing to put back.")
	return err
}
