// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/spf13/cobra"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/view"
)

// followEvery is how often the journal is read to follow a roll, and
// followTries how many reads in a row may fail.
const (
	followEvery = 2 * time.Second
	followTries = 15
	// statusLimit bounds the look at the cluster that status takes besides.
	statusLimit = 15 * time.Second
)

// statusOptions are the flags of status.
type statusOptions struct {
	app    App
	conn   *connection
	output string
	watch  bool
}

func newStatus(app App, conn *connection, display string) *cobra.Command {
	o := &statusOptions{app: app, conn: conn, output: outputText}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "The roll in flight, or the latest one, from any machine",
		Long: `Tells from the journal in the cluster how far the roll is, who holds its lock,
and how to go on. With -w it goes on telling until the roll ends or stops; with
-o json one object is printed whenever something has changed.`,
		Example: examples(display, "% status", "% status -w", "% status -o json | jq .state"),
		Args:    nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(o.output, outputText); err != nil {
				return err
			}
			if o.watch && o.output != outputText && o.output != outputJSON {
				return usagef("-w goes with text or json")
			}
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", o.output, "text, "+dataOutputs)
	cmd.Flags().BoolVarP(&o.watch, "watch", "w", false, "go on telling until the roll ends or stops")
	return cmd
}

func (o *statusOptions) run(ctx context.Context) error {
	b, err := o.conn.book()
	if err != nil {
		return failed(err)
	}
	h, holder, err := b.Read(ctx)
	if err != nil {
		return failed(fmt.Errorf("the journal cannot be read: %w", err))
	}
	s := view.Status{History: h, Holder: holder, Now: time.Now()}
	if o.watch {
		return o.follow(ctx, b, s)
	}
	out := o.app.Streams.Out
	switch o.output {
	case outputText:
		if rolling(s) {
			looking, stop := context.WithTimeout(ctx, statusLimit)
			s.Judgement = <-o.conn.lookOut(looking) // nil where the cluster may not be read, or not in time
			stop()
		}
		return s.Text(out, styleOf(out))
	case outputJSON:
		return view.WriteJSON(out, s.Object())
	}
	d := data{object: s.Object(), rows: "turns"}
	for _, t := range s.Object().Turns {
		d.names = append(d.names, "node/"+t.Node)
	}
	return failed(printData(out, o.output, d))
}

// follow tells until the roll is over or nobody rolls any more.
func (o *statusOptions) follow(ctx context.Context, b *book.Book, s view.Status) error {
	out := o.app.Streams.Out
	lines := view.NewFollower(out, styleOf(out))
	var last any
	tell := func(s view.Status) error {
		if o.output != outputJSON {
			return lines.Tell(s.History, s.Holder, s.Now)
		}
		object := s.Object()
		if object.Holder != nil { // renewed all the time, and no news
			object.Holder.Renewed, object.Holder.Expires = nil, nil
		}
		if reflect.DeepEqual(last, object) {
			return nil
		}
		last = object
		return json.NewEncoder(out).Encode(object)
	}
	if o.output != outputJSON {
		if err := s.Text(out, styleOf(out)); err != nil {
			return failed(err)
		}
		lines.Skip(s.History, s.Now)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var seen <-chan *assess.Judgement
	if o.output != outputJSON && rolling(s) {
		seen = o.conn.lookOut(ctx)
	}
	failures := 0
	for {
		if err := tell(s); err != nil {
			return failed(err)
		}
		if !rolling(s) {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil // whoever watches may go at any time
		case j := <-seen:
			if j == nil { // it is closed
				seen = nil
			}
			lines.See(j, time.Now())
			continue
		case <-time.After(followEvery):
		}
		h, holder, err := b.Read(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && failures+1 >= followTries:
			return failed(fmt.Errorf("the journal cannot be read: %w", err))
		case err != nil:
			failures++
		default:
			failures, s.History, s.Holder = 0, h, holder
		}
		s.Now = time.Now()
	}
}

// rolling reports whether something more is to be expected: somebody holds the
// lock. A roll takes a moment to give it back after its last word.
func rolling(s view.Status) bool {
	n := len(s.History.Events)
	if n == 0 || !s.Holder.Expires.After(s.Now) || s.Holder.Identity == "" {
		return false
	}
	switch s.History.Events[n-1].Kind {
	case record.Finished, record.Aborted, record.Halted, record.Interrupted:
		return false
	default:
		return true
	}
}
