// SPDX-License-Identifier: Apache-2.0

package view

import (
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// Events writes a roll as JSON, one object a line, for programs.
type Events struct {
	mu    sync.Mutex
	docs  Catalogue
	enc   *json.Encoder
	run   string
	place place
	// waits is the last wait that was written; the same one is written once.
	waits string
	err   error
}

// NewEvents returns an Events that writes to out.
func NewEvents(out io.Writer, docs Catalogue) *Events {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	return &Events{enc: enc, docs: docs}
}

// Err is the first write that failed.
func (e *Events) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// Watch is a roll.Watcher.
func (e *Events) Watch(r roll.Report) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.Plan != nil {
		e.run = r.Plan.Run
		e.place.locate(r)
	}
	ev, ok := e.event(r)
	if !ok || e.err != nil {
		return
	}
	e.err = e.enc.Encode(ev)
}

func (e *Events) event(r roll.Report) (v1alpha1.Event, bool) {
	ev := v1alpha1.Event{
		APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindEvent, At: time.Now().UTC(), Run: e.run,
		Type: string(r.Kind), Turn: e.place.turn, Turns: e.place.turns, Node: e.place.node,
		Phase: string(e.place.phase), Says: r.Text,
	}
	if r.Action != nil {
		ev.Verb, ev.Says = string(r.Action.Verb), r.Action.Why
	}
	if r.Outcome != nil {
		ev.Outcome = string(r.Outcome.Result)
		ev.Says = or(r.Outcome.Detail, ev.Says)
	}
	switch d := r.Decision.(type) {
	case decide.Wait:
		key := string(d.Phase) + d.For + d.Progress
		if key == e.waits {
			return ev, false
		}
		e.waits = key
		ev.Type, ev.Says, ev.Left = "waiting", d.For, d.Left
	case decide.Halt:
		if r.Kind == roll.ReportDecided {
			return ev, false // told when it halts
		}
		ev.Says, ev.Exit, ev.Findings, ev.Remedy, ev.Left = d.Reason, d.Exit, e.docs.Findings(d.Findings), d.Remedy, d.Missing
	case decide.Done:
		if r.Kind == roll.ReportDecided {
			return ev, false
		}
		ev.Says = d.Says
	case decide.Act, decide.Remember:
		return ev, false // told when it is done
	}
	return ev, true
}
