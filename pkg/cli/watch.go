// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
	"github.com/safe-roll/kubectl-safe-roll/pkg/trail"
	"github.com/safe-roll/kubectl-safe-roll/pkg/view"
)

// watch tells a roll while it runs, and keeps what its end is told by.
type watch struct {
	progress *view.Progress
	// events is nil unless programs listen.
	events *view.Events
	// traces and metrics are what is left in the cluster and in a file; either
	// may be nil.
	traces  *trail.Events
	metrics *trail.Metrics
	began   time.Time
	last    *assess.Judgement
	// replicas is how many lay on each node when its turn opened.
	replicas map[cluster.UID]int
}

// watch begins to tell. It fails where the file of metrics cannot be written.
func (o *rollOptions) watch(ctx context.Context) (*watch, error) {
	streams := o.app.Streams
	w := &watch{began: time.Now(), replicas: map[cluster.UID]int{}}
	if o.metricsFile != "" {
		var err error
		if w.metrics, err = trail.NewMetrics(o.metricsFile, o.app.Version); err != nil {
			return nil, err
		}
	}
	set, err := o.conn.clientset()
	if err != nil {
		return nil, err
	}
	w.traces = trail.NewEvents(ctx, set, o.conn.who)
	w.progress = view.NewProgress(streams.ErrOut, styleOf(streams.ErrOut))
	if o.output == outputJSON {
		w.events = view.NewEvents(streams.Out, catalogue(o.app.Storages))
	}
	return w, nil
}

// close ends the telling. What could not be left behind is said, and fails
// nothing.
func (w *watch) close(errOut io.Writer, exit int) {
	w.progress.Close()
	errs := []error{w.traces.Close()}
	if w.metrics != nil {
		errs = append(errs, w.metrics.Close(exit))
	}
	if err := errors.Join(errs...); err != nil {
		fmt.Fprintf(errOut, "Note: %v\n", err)
	}
}

// report is a roll.Watcher.
func (w *watch) report(r roll.Report) {
	if r.Judgement != nil {
		w.last = r.Judgement
	}
	if d, ok := r.Decision.(decide.Remember); ok && d.Note.Kind == decide.TurnOpened && r.Judgement != nil {
		w.replicas[d.Note.Node.UID] = replicasOn(r.Judgement, d.Note.Node.Name)
	}
	w.progress.Watch(r)
	w.traces.Watch(r)
	if w.metrics != nil {
		w.metrics.Watch(r)
	}
	if w.events != nil {
		w.events.Watch(r)
	}
}

func replicasOn(j *assess.Judgement, node string) int {
	n := 0
	for i := range j.Volumes {
		for _, r := range j.Volumes[i].Replicas {
			if r.Replica.Node == node {
				n++
			}
		}
	}
	return n
}

// unsaid is a roll whose end could not be printed, as where the terminal has
// closed: how it ended counts for more.
func unsaid(res roll.Result, err error) error {
	return &exitError{code: exitAfter(res, err), err: err}
}

// exitAfter is the exit code of a roll, and of an error where there is no other.
func exitAfter(res roll.Result, err error) int {
	if err != nil && res.Exit == exitDone {
		return exitError1
	}
	return res.Exit
}
