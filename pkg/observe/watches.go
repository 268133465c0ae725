// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"sync"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// watches follow the kinds that decide, from a state's lists on, and keep that
// state up to date. A nil *watches is one that was never begun.
type watches struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
	// feed lets one event at a time into the state, which another may take the
	// place of meanwhile (adopt).
	feed  sync.Mutex
	state *state
	// gathers: the events that come are kept in missed. from is up to which
	// versions each source had been seen when that began.
	gathers bool
	missed  []missed
	from    []string
	// wake gets a value when there is something to look at.
	wake chan struct{}
	// moved gets a value when a watch has got on.
	moved chan struct{}

	// mu may be taken while the state's is held, never the other way round.
	mu sync.Mutex
	// at are the versions up to which each source has been seen; empty for one
	// that is not watched.
	at []string
	// changed: facts of Kubernetes' own kinds differ. touched: there were
	// events of a storage, which may or may not have changed its facts.
	changed, touched bool
	// broken: a watch was lost, and with it the present. refused: a kind may
	// not be watched at all.
	broken, refused bool
}

// The retries of a watch that breaks: each waits twice as long as the one
// before, and up to a half more, because all watches of a server that goes away
// break together. After the last the watch is lost and everything is read anew.
const (
	watchRetries   = 4
	watchRetryWait = time.Second
)

// follow begins the watches of a state. They outlive ctx: they end when they
// are stopped.
func (c clients) follow(ctx context.Context, st *state) *watches {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w := &watches{cancel: cancel, state: st, wake: make(chan struct{}, 1), moved: make(chan struct{}, 1), at: make([]string, len(st.sources))}
	for i, s := range st.sources {
		if s.Decides && st.versions[i] != "" {
			w.at[i] = st.versions[i]
			w.done.Go(func() { w.keep(ctx, c, followed{s, i}, st.versions[i]) })
		}
	}
	return w
}

// followed is a source that is watched, and its index.
type followed struct {
	source
	i int
}

// keep follows one source until it is stopped or lost.
func (w *watches) keep(ctx context.Context, c clients, s followed, version string) {
	for failures := 0; ; {
		began := time.Now()
		next, err := c.watch(ctx, s.source, version, func(e event, o watched) error { return w.apply(s, e, o) })
		if next != version {
			failures, version = 0, next
		}
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, errRefused):
			w.note(func() { w.refused, w.broken = true, true })
			return
		case errors.Is(err, errExpired):
			w.note(func() { w.broken = true })
			return
		case err == nil && time.Since(began) > watchRetryWait:
			failures = 0 // it ended as watches do
			continue
		}
		failures++
		if failures > watchRetries {
			w.note(func() { w.broken = true })
			return
		}
		if !pause(ctx, spread(watchRetryWait<<(failures-1))) {
			return
		}
	}
}

// spread prolongs a pause by up to a half, so that many do not keep step.
func spread(d time.Duration) time.Duration { return d + rand.N(d/2+1) }

// apply brings one event into the state, unless the list has it.
func (w *watches) apply(s followed, e event, o watched) error {
	w.feed.Lock()
	defer w.feed.Unlock()
	if w.gathers = w.gathers && len(w.missed) < mostMissed; w.gathers {
		w.missed = append(w.missed, missed{s.i, e, o})
	}
	st := w.state
	if later, known := newer(o.Metadata.Version, st.versions[s.i]); known && !later {
		return nil
	}
	if err := w.change(s.source, e, o); err != nil {
		return err
	}
	w.move(s.i, o.Metadata.Version)
	return nil
}

// change brings the event into the state, and notes that there was one before
// anybody can read the state: whoever finds it there finds that it has changed.
func (w *watches) change(s source, e event, o watched) error {
	w.state.mu.Lock()
	defer w.state.mu.Unlock()
	changed, err := w.state.apply(s, e, o)
	if err != nil || !changed {
		return err
	}
	w.note(func() {
		w.changed = w.changed || s.storage < 0
		w.touched = w.touched || s.storage >= 0
	})
	return nil
}

// apply reports whether the event may have changed a fact. mu is held.
func (st *state) apply(s source, e event, o watched) (bool, error) {
	switch e.Type {
	case "ADDED":
		st.counts[s.spelled()]++
	case "DELETED":
		st.counts[s.spelled()]--
	}
	switch e.Type {
	case "ADDED", "MODIFIED":
		if s.storage < 0 {
			return st.core.put(s.Kind, e.Object)
		}
		return true, st.readers[s.storage].Put(s.Kind, e.Object)
	case "DELETED":
		if s.storage < 0 {
			st.core.Drop(s.Kind, o.Metadata.UID)
		} else {
			st.readers[s.storage].Drop(s.Kind, o.Metadata.UID)
		}
		return true, nil
	default:
		return false, nil // a bookmark
	}
}

// note changes what is known of the watches, and wakes whoever waits.
func (w *watches) note(change func()) {
	w.mu.Lock()
	change()
	w.mu.Unlock()
	stir(w.wake)
	stir(w.moved)
}

// stir has whoever waits for the channel have a look, now or next.
func stir(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // there is one to come
	}
}

// lost reports whether the state is not the present any more.
func (w *watches) lost() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.broken
}

// unwatchable reports whether a kind may not be watched.
func (w *watches) unwatchable() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.refused
}

// take reports whether anything may have changed since the last take.
func (w *watches) take() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	is := w.changed || w.touched
	w.changed, w.touched = false, false
	return is
}

// peek reports whether facts of Kubernetes have changed, and whether there
// were events of a storage.
func (w *watches) peek() (changed, touched bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed || w.broken, w.touched
}

// settled takes back that a storage was touched: its facts are as they were.
func (w *watches) settled() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.touched = false
}

// stop ends the watches and waits until they have ended.
func (w *watches) stop() {
	if w == nil {
		return
	}
	w.cancel()
	w.done.Wait()
}

// pause waits, and reports whether ctx still goes on.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// sameStorage compares what matters of a storage: not when it last reported,
// nor how full its disks and volumes are at the moment.
func sameStorage(a, b *cluster.Storage) bool {
	x, y := *a, *b
	x.Reported, y.Reported = time.Time{}, time.Time{}
	x.Nodes, y.Nodes = quiet(x.Nodes), quiet(y.Nodes)
	x.Volumes, y.Volumes = nil, nil
	if len(a.Volumes) != len(b.Volumes) || !reflect.DeepEqual(x, y) {
		return false
	}
	for i := range a.Volumes {
		if a.Volumes[i].SameAs(&b.Volumes[i]) {
			continue
		}
		v, w := a.Volumes[i], b.Volumes[i]
		v.Used, w.Used = 0, 0
		if !reflect.DeepEqual(&v, &w) {
			return false
		}
	}
	return true
}

// quiet copies the nodes without what changes all the time.
func quiet(in []cluster.StorageNode) []cluster.StorageNode {
	out := make([]cluster.StorageNode, len(in))
	for i, n := range in {
		n.Reported = time.Time{}
		disks := make([]cluster.Disk, len(n.Disks))
		for k, d := range n.Disks {
			d.Available = 0
			disks[k] = d
		}
		n.Disks = disks
		out[i] = n
	}
	return out
}
