// SPDX-License-Identifier: Apache-2.0

package roll

import (
	"context"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// World is all that the engine may learn from, or do to, a cluster.
type World interface {
	// Observe reads the cluster. What could not be read is a Gap in the
	// snapshot; an error means that nothing is known. What is cached may be old,
	// but every object that Perform has read or changed is seen as that left it,
	// or later.
	Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error)
	// Await returns when a later Observe may differ from the one of that
	// revision, or when ctx ends.
	Await(ctx context.Context, since cluster.Revision) error
	// Perform does exactly one deed, with its preconditions, and does not
	// retry. It never waits for consequences.
	Perform(ctx context.Context, a decide.Action) (decide.Outcome, error)
}

// Report is what the loop tells whoever watches it, at every tick. Any field
// but Kind may be nil.
type Report struct {
	Kind ReportKind
	// Judgement and Decision are of this tick.
	Judgement *assess.Judgement
	Decision  decide.Decision
	Plan      *decide.Plan
	Memory    *decide.Memory
	Action    *decide.Action
	Outcome   *decide.Outcome
	// Text is one line for people.
	Text string
}

// ReportKind is what a Report is about.
type ReportKind string

// The kinds of reports.
const (
	ReportStarted  ReportKind = "started"
	ReportResumed  ReportKind = "resumed"
	ReportDecided  ReportKind = "decided" // a decision was made; waits come here too
	ReportActing   ReportKind = "acting"  // the intent is written, the deed begins
	ReportActed    ReportKind = "acted"
	ReportNoted    ReportKind = "noted"
	ReportTrouble  ReportKind = "trouble" // a read failed; tried again
	ReportUndoing  ReportKind = "undoing"
	ReportHalted   ReportKind = "halted"
	ReportFinished ReportKind = "finished"
)

// Watcher is told what the loop does. It must not block for long.
type Watcher func(Report)
