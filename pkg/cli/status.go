// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
	"github.com/safe-roll/kubectl-safe-roll/pkg/view"
)

func newStatus(app App, conn *connection, display string) *cobra.Command {
	output := outputText
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "The roll in flight, or the latest one, from any machine",
		Example: examples(display, "% status", "% status -o json | jq .state"),
		Args:    nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf(output, outputText, outputJSON); err != nil {
				return err
			}
			book, err := conn.book()
			if err != nil {
				return failed(err)
			}
			h, holder, err := book.Read(cmd.Context())
			if err != nil {
				return failed(fmt.Errorf("the journal cannot be read: %w", err))
			}
			s := view.Status{History: h, Holder: holder, Now: time.Now()}
			if output == outputJSON {
				return view.WriteJSON(app.Streams.Out, s.Object())
			}
			return s.Text(app.Streams.Out, styleOf(app.Streams.Out))
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", output, "text or json")
	return cmd
}

func newAbort(app App, conn *connection, display string) *cobra.Command {
	return &cobra.Command{
		Use:   "abort",
		Short: "Give up the roll in flight: put back what it changed, as long as its node is still there",
		Long: `Puts back what the roll in flight changed: cordons, what the storage was told
about the node, volumes that were held awake. Refused once the turn's node is
gone: giving up then would leave volumes short of replicas, and '` + display + ` run'
finishes the turn.`,
		Example: examples(display, "% status", "% abort"),
		Args:    nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			book, err := conn.book()
			if err != nil {
				return failed(err)
			}
			progress := view.NewProgress(app.Streams.ErrOut, styleOf(app.Streams.ErrOut))
			world, err := conn.world(decide.Plan{}, progress.Lines())
			if err != nil {
				progress.Close()
				return failed(err)
			}
			defer world.close()
			began := time.Now()
			cfg := conn.engine(book)
			cfg.World, cfg.Watch = world, progress.Watch
			res, err := roll.Abort(cmd.Context(), cfg)
			progress.Close()
			o := &rollOptions{app: app, conn: conn, display: display, output: outputText}
			switch {
			case errors.Is(err, roll.ErrNothing):
				_, err := fmt.Fprintln(app.Streams.Out, "No roll is in flight; there is nothing to put back.")
				return err
			case errors.Is(err, record.ErrHeld):
				return &exitError{code: exitHeld, err: fmt.Errorf("%w; interrupt it there first", err)}
			case err != nil:
				return o.broken(err, res)
			}
			return o.end(res, nil, time.Since(began))
		},
	}
}
