// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"context"
	"sync"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// state is what one look has read, and what events have changed in it since.
type state struct {
	sources []source
	// versions are the lists' resourceVersions; empty where not read.
	versions []string
	gaps     []cluster.Gap
	look     cluster.Look
	leasesAt time.Time
	// shrunk: a list lost more than can be believed since the last look.
	shrunk bool

	// mu guards what events change.
	mu sync.Mutex
	// sightings are what was seen in the directories of replicas, by UID, as long
	// as these have not changed.
	sightings map[cluster.UID]cluster.Sighting
	core      *core
	readers   []plugin.Reader
	// counts is how many objects there are of each kind that was read.
	counts map[string]int
}

// begin joins what is Kubernetes' own.
func (st *state) begin(r cluster.Revision) *cluster.Snapshot {
	s := &cluster.Snapshot{Revision: r, Source: cluster.SourceLive, Look: st.look}
	s.Gaps = append(s.Gaps, st.gaps...)
	st.core.join(s)
	return s
}

// snapshot joins the state.
func (st *state) snapshot(r cluster.Revision) *cluster.Snapshot {
	st.mu.Lock()
	defer st.mu.Unlock()
	s := st.begin(r)
	for _, r := range st.readers {
		facts, gaps := r.Storage()
		facts.See(st.sightings)
		s.Storages = append(s.Storages, facts)
		s.Gaps = append(s.Gaps, gaps...)
	}
	return s
}

// restarts is how often a list that expired while it was paged is begun anew.
const restarts = 3

// look reads every kind into the core, and the storages', several at once.
func (c *Cluster) look(ctx context.Context, into *core) (*state, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.cfg.LookLimit, errLookLimit(c.cfg.LookLimit))
	defer cancel()
	st := &state{sources: sources(c.cfg.Storages, c.cfg.StorageNamespace), core: into, counts: map[string]int{}}
	st.versions = make([]string, len(st.sources))
	st.readers = make([]plugin.Reader, len(c.cfg.Storages))
	st.look.Began = time.Now()
	readings := make([]reading, len(st.sources))
	slots := make(chan struct{}, c.cfg.Parallel)
	var wg sync.WaitGroup
	for i, s := range st.sources {
		if s.storage < 0 {
			wg.Go(func() { readings[i] = c.readOwn(ctx, st, s, slots) })
		}
	}
	for i := range c.cfg.Storages {
		wg.Go(func() { c.readStorage(ctx, st, i, readings, slots) })
	}
	wg.Wait()
	st.leasesAt = st.look.Began
	if time.Since(st.look.Began) >= c.slow {
		c.againLeases(ctx, st, readings)
	}
	st.look.Ended = time.Now()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	st.look.Fresh, st.look.Skew = true, c.clock.skew()
	return st, st.conclude(readings)
}

// againLeases reads the leases once more, after a reading that took so long that
// they would tell of nodes that were not seen for a while. Where that fails they
// stay as old as they are.
func (c *Cluster) againLeases(ctx context.Context, st *state, readings []reading) {
	for i, s := range st.sources {
		if s.Name != kindLease || s.storage >= 0 || readings[i].gap != nil {
			continue
		}
		began, fresh := time.Now(), newCore()
		if r := c.clients.list(ctx, s, c.limits(), func(item []byte) error { return fresh.Put(s.Kind, item) }); r.gap == nil {
			readings[i], st.core.leases, st.leasesAt = r, fresh.leases, began
		}
	}
}

// readOwn reads one of Kubernetes' own kinds. Each is kept apart from the
// others, so nothing needs to be guarded.
func (c *Cluster) readOwn(ctx context.Context, st *state, s source, slots chan struct{}) reading {
	var r reading
	for range restarts {
		st.core.forget(s.Kind)
		r = c.readOne(ctx, s, slots, func(item []byte) error { return st.core.Put(s.Kind, item) })
		if !r.expired {
			break
		}
	}
	return r
}

// readStorage reads all kinds of one storage. A list that expired may have
// left objects behind that are gone by now, so it begins anew with all of them.
func (c *Cluster) readStorage(ctx context.Context, st *state, storage int, readings []reading, slots chan struct{}) {
	for range restarts {
		reader := c.cfg.Storages[storage].NewReader()
		st.readers[storage] = reader
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i, s := range st.sources {
			if s.storage != storage {
				continue
			}
			wg.Go(func() {
				readings[i] = c.readOne(ctx, s, slots, func(item []byte) error {
					mu.Lock()
					defer mu.Unlock()
					return reader.Put(s.Kind, item)
				})
			})
		}
		wg.Wait()
		expired := false
		for i, s := range st.sources {
			expired = expired || s.storage == storage && readings[i].expired
		}
		if !expired {
			return
		}
	}
}

func (c *Cluster) readOne(ctx context.Context, s source, slots chan struct{}, put func([]byte) error) reading {
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-ctx.Done():
		return s.failed(ctx.Err(), c.limits())
	}
	return c.clients.list(ctx, s, c.limits(), put)
}

func (c *Cluster) limits() limits { return limits{request: c.cfg.RequestLimit, page: c.cfg.Page} }

// conclude turns the readings into Gaps. It returns an error where no kind at
// all was answered: then nothing is known.
func (st *state) conclude(readings []reading) error {
	answered := false
	var silence error
	for i, r := range readings {
		answered = answered || r.silent == nil
		if silence == nil {
			silence = r.silent
		}
		st.versions[i] = r.version
		if r.version != "" {
			st.counts[st.sources[i].spelled()] = r.items
		}
		if st.sources[i].Name == kindDaemonSet && st.sources[i].storage < 0 {
			st.core.daemonsRead = r.gap == nil
		}
	}
	if !answered {
		return silence
	}
	for i, r := range readings {
		if r.gap != nil && !st.sources[i].harmless(r) {
			st.gaps = append(st.gaps, *r.gap)
		}
	}
	return nil
}

// harmless reports whether a kind that the server does not know may be passed
// over: the storage can do without it, so there is simply no object of it.
// Older versions lack some kinds; one that is not installed lacks needed ones.
func (s source) harmless(r reading) bool {
	return r.missing && s.storage >= 0 && s.Need != plugin.Needed
}
