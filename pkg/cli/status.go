// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

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
