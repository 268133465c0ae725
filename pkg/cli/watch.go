// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
	"github.com/safe-roll/kubectl-safe-roll/pkg/view"
)

// watch tells a roll while it runs, and keeps what its end is told by.
type watch struct {
	progress *view.Progress
	// events is nil unless programs listen.
	events *view.Events
	began  time.Time
	last   *assess.Judgement
	// replicas is how many lay on each node when its turn opened.
	replicas map[cluster.UID]int
}

func (o *rollOptions) watch() *watch {
	streams := o.app.Streams
	w := &watch{
		progress: view.NewProgress(streams.ErrOut, styleOf(streams.ErrOut)),
		began:    time.Now(), replicas: map[cluster.UID]int{},
	}
	if o.output == outputJSON {
		w.events = view.NewEvents(streams.Out)
	}
	return w
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
