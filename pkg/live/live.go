// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"fmt"
	"sync"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// Observer reads the cluster; *observe.Cluster is one.
type Observer interface {
	Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error)
	Await(ctx context.Context, since cluster.Revision) error
	// Expect says that there was a deed, and what must have been seen before
	// anything cached is no older than that.
	Expect(marks []cluster.Mark)
}

// Actor does one deed by the facts of a snapshot; *act.Actor is one.
type Actor interface {
	Perform(ctx context.Context, s *cluster.Snapshot, a decide.Action) (decide.Outcome, error)
	// Marks are what the last deed has read and changed.
	Marks() []cluster.Mark
}

// World is a cluster that is read and changed. Its methods may be called
// concurrently; deeds are done one after the other.
type World struct {
	observer Observer
	actor    Actor

	// deed is held while a deed is done and its marks are handed on.
	deed sync.Mutex

	mu   sync.Mutex
	last *cluster.Snapshot
}

// New joins the two.
func New(o Observer, a Actor) *World { return &World{observer: o, actor: a} }

// Observe reads the cluster, and keeps what it saw for the next deed.
func (w *World) Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error) {
	s, err := w.observer.Observe(ctx, f)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = s
	return s, nil
}

// Await returns when a later Observe may differ from the one of that revision.
func (w *World) Await(ctx context.Context, since cluster.Revision) error {
	return w.observer.Await(ctx, since)
}

// Perform does one deed by the facts of the last observation; where there was
// none, as when a roll is taken back before its first look, it looks first. What
// is observed later is never older than the deed.
func (w *World) Perform(ctx context.Context, a decide.Action) (decide.Outcome, error) {
	w.mu.Lock()
	s := w.last
	w.mu.Unlock()
	if s == nil {
		var err error
		if s, err = w.Observe(ctx, cluster.Fresh); err != nil {
			return decide.Outcome{}, fmt.Errorf("look before the deed: %w", err)
		}
	}
	w.deed.Lock()
	defer w.deed.Unlock()
	o, err := w.actor.Perform(ctx, s, a)
	w.observer.Expect(w.actor.Marks())
	return o, err
}
