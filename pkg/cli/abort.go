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
)

func newAbort(app App, conn *connection, display string) *cobra.Command {
	o := &rollOptions{app: app, conn: conn, display: display, output: outputText}
	stays := ""
	cmd := &cobra.Command{
		Use:   "abort",
		Short: "Give up the roll in flight: put back what it changed, as long as its node is still there",
		Long: `Puts back what the roll in flight changed: cordons, what the storage was told
about the node, volumes that were held awake. Refused once the turn's node is
gone: giving up then would leave volumes short of replicas, and '` + display + ` run'
finishes the turn. Refused as well once a command that ends the machine was run,
although its Node is still there: put back to use, a machine on its way out would
take new pods and replicas with it.`,
		Example: examples(display, "% status", "% abort"),
		Args:    nothing,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.abort(cmd.Context(), stays) },
	}
	cmd.Flags().StringVar(&stays, "stays", "", "the node whose machine is certain to stay, although a command that ends it was run")
	return cmd
}

func (o *rollOptions) abort(ctx context.Context, stays string) error {
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
	world, err := o.conn.world(decide.Plan{}, w.progress.Lines(), act.DryRunNone)
	if err != nil {
		w.close(o.app.Streams.ErrOut, exitError1)
		return failed(err)
	}
	defer world.close()
	cfg := o.conn.engine(ctx, book)
	cfg.World, cfg.Watch, cfg.Stays = world, w.report, stays
	res, err := roll.Abort(ctx, cfg)
	w.close(o.app.Streams.ErrOut, exitAfter(res, err))
	switch {
	case errors.Is(err, roll.ErrNothing):
		return o.nothingToAbort()
	case errors.Is(err, record.ErrHeld):
		return &exitError{code: exitHeld, err: fmt.Errorf("%w. Interrupt it there first; if that process is gone, abort takes over then", err)}
	case err != nil:
		return o.broken(err, res)
	}
	res.Plan.Turns = nil // nothing was done that a table could show
	return o.end(res, w)
}

func (o *rollOptions) nothingToAbort() error {
	_, err := fmt.Fprintln(o.app.Streams.Out, "No roll is in flight; there is nothing to put back.")
	return err
}
