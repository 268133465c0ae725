// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/view"
)

// The values of report's --output beside text and json.
const (
	outputHTML    = "html"
	outputJournal = "journal"
)

// maxLine bounds one event of a journal file; the journal in a cluster bounds
// the whole of it to 32 MiB.
const maxLine = 32 << 20

// reportOptions are the flags of report.
type reportOptions struct {
	app    App
	conn   *connection
	file   string
	output string
	check  bool
}

func newReport(app App, conn *connection, display string) *cobra.Command {
	o := &reportOptions{app: app, conn: conn, output: outputText}
	cmd := &cobra.Command{
		Use:   "report",
		Short: "What the latest roll did, as text, JSON or a page to hand on",
		Long: `Tells a roll from its journal: who ran it, what each turn took, how many good
replicas the volumes had at every moment, what waited for what, and why it
halted if it did. The journal of the latest roll lies in the cluster; -o journal
writes it as a file, one event a line, and -f reads such a file.

With --check it is judged, too: what of the invariants of a roll holds by this
journal, what is violated, and what no journal alone can tell.

-o html writes one page that needs nothing else: no network, no script.`,
		Example: examples(display,
			"% report",
			"% report -o html > roll.html",
			"% report -o journal > roll.jsonl        # keep it; the next roll replaces it",
			"% report -f roll.jsonl --check"),
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(o.output, outputText, outputHTML, outputJournal); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.file, "filename", "f", "", "read the journal from a file that -o journal wrote, or from - for standard input")
	f.BoolVar(&o.check, "check", false, "judge the journal by the invariants that every roll must keep; exit 3 where one is violated")
	f.StringVarP(&o.output, "output", "o", o.output, "text, html, journal (the events themselves), "+dataOutputs)
	return cmd
}

func (o *reportOptions) run(ctx context.Context) error {
	r := view.Report{Now: time.Now(), Catalogue: catalogue(o.app.Storages)}
	var err error
	if o.file != "" {
		r.History, err = readJournal(o.file, o.app.Streams.In)
	} else {
		r.History, r.Holder, err = o.conn.read(ctx)
	}
	if err != nil {
		return failed(err)
	}
	if len(r.History.Events) == 0 {
		return failed(errors.New("no roll was ever begun here, so there is nothing to report"))
	}
	if o.check {
		r.Check = checked(r.History)
	}
	if err := o.print(r); err != nil {
		return failed(err)
	}
	if o.check && r.Check.Verdict != v1alpha1.VerdictSafe {
		return exited(exitUnsafe)
	}
	return nil
}

func (o *reportOptions) print(r view.Report) error {
	out := o.app.Streams.Out
	switch o.output {
	case outputJSON:
		return view.WriteJSON(out, r.Object())
	case outputHTML:
		return r.HTML(out)
	case outputJournal:
		return writeJournal(out, r.History)
	case outputText:
		return r.Text(out, styleOf(out))
	default:
		object := r.Object()
		d := data{object: object, rows: "turns"}
		for _, t := range object.Turns {
			d.names = append(d.names, "node/"+t.Node)
		}
		return printData(out, o.output, d)
	}
}

// read reads the journal in the cluster, and who holds its lock.
func (c *connection) read(ctx context.Context) (record.History, record.Holder, error) {
	b, err := c.book()
	if err != nil {
		return record.History{}, record.Holder{}, err
	}
	h, holder, err := b.Read(ctx)
	if err != nil {
		err = fmt.Errorf("the journal cannot be read: %w", err)
	}
	return h, holder, err
}

func writeJournal(to io.Writer, h record.History) error {
	w := bufio.NewWriter(to)
	enc := json.NewEncoder(w)
	for _, e := range h.Events {
		if err := enc.Encode(e); err != nil {
			return fmt.Errorf("the journal could not be written: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("the journal could not be written: %w", err)
	}
	return nil
}

// readJournal reads a journal as writeJournal wrote it, and refuses what is
// not one whole journal: a report on half of it would be a lie.
func readJournal(path string, stdin io.Reader) (record.History, error) {
	from := stdin
	if path == "-" {
		path = "standard input"
	} else {
		f, err := os.Open(path)
		if err != nil {
			return record.History{}, err
		}
		defer f.Close()
		from = f
	}
	var h record.History
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var e record.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return h, fmt.Errorf("%s, line %d is no event of a journal: %w", path, n, err)
		}
		if err := follows(h.Events, e); err != nil {
			return h, fmt.Errorf("%s, line %d: %w", path, n, err)
		}
		h.Events = append(h.Events, e)
	}
	if err := lines.Err(); err != nil {
		return h, fmt.Errorf("%s: %w", path, err)
	}
	if len(h.Events) == 0 {
		return h, fmt.Errorf("%s holds no events", path)
	}
	return h, nil
}

// follows reports why an event cannot come next.
func follows(before []record.Event, e record.Event) error {
	switch {
	case len(before) == 0 && (e.Kind != record.Started || e.Plan == nil):
		return errors.New("a journal begins with the event started and its plan")
	case len(before) == 0:
		return nil
	case e.Run != before[0].Run:
		return fmt.Errorf("event of roll %q in the journal of roll %q", e.Run, before[0].Run)
	case e.Seq != before[len(before)-1].Seq+1:
		return fmt.Errorf("event %d stands where event %d should", e.Seq, before[len(before)-1].Seq+1)
	case e.Kind == record.Intent && e.Action == nil, e.Kind == record.Noted && e.Note == nil:
		return fmt.Errorf("event %d says %s and not what", e.Seq, e.Kind)
	default:
		return nil
	}
}
