// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act"
	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/view"
)

// The values of --dry-run, as kubectl has them.
const (
	dryRunNone   = "none"
	dryRunClient = "client"
	dryRunServer = "server"
)

// mostNotes bounds what a rehearsal writes into a memory of its own before
// there is something to do.
const mostNotes = 20

// rehearse shows the plan and what would be done first; on the server it is
// also sent, to be thrown away. No lock is taken and no journal written.
func (o *rollOptions) rehearse(ctx context.Context, plan decide.Plan, mem decide.Memory) error {
	dry := act.DryRunNone
	if o.dryRun == dryRunServer {
		dry = act.DryRunServer
	}
	w, err := o.conn.world(plan, io.Discard, nil, dry)
	if err != nil {
		return failed(err)
	}
	defer w.close()
	s, err := w.Observe(ctx, cluster.Fresh)
	if err != nil {
		return failed(err)
	}
	r := view.Rehearsal{Plan: plan, Decision: first(s, plan, mem), Catalogue: catalogue(o.app.Storages)}
	if d, ok := r.Decision.(decide.Act); ok && dry == act.DryRunServer {
		out, err := w.Perform(ctx, d.Action)
		if err != nil {
			return failed(fmt.Errorf("%s: %w", d.Action.Why, err))
		}
		r.Outcome = &out
	}
	out := o.app.Streams.Out
	if o.output == outputJSON {
		err = r.JSON(out)
	} else {
		err = r.Text(out, styleOf(out))
	}
	if err != nil {
		return failed(err)
	}
	return exited(rehearsed(r))
}

// first is the first decision that is more than a note.
func first(s *cluster.Snapshot, plan decide.Plan, mem decide.Memory) decide.Decision {
	if mem.Looks == nil {
		_, mem = record.Replay(record.History{Events: []record.Event{{Kind: record.Started}}})
	}
	now := time.Now().Add(s.Look.Skew)
	j := assess.Judge(s, plan.Policy, now)
	var d decide.Decision
	for range mostNotes {
		d = decide.Next(plan, j, mem, now)
		note, ok := d.(decide.Remember)
		if !ok {
			return d
		}
		record.Apply(&mem, record.Event{Kind: record.Noted, Note: &note.Note, At: now})
	}
	return d
}

// rehearsed is the exit code: that of a halt, and 1 where the server would not
// take the deed.
func rehearsed(r view.Rehearsal) int {
	if h, ok := r.Decision.(decide.Halt); ok {
		return h.Exit
	}
	if r.Outcome != nil && r.Outcome.Result != decide.Performed {
		return exitError1
	}
	return exitDone
}
