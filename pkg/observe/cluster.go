// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Cluster observes a cluster through its API. Observe and Await are to be
// called by one loop, not at the same time; Close ends its watches.
type Cluster struct {
	cfg     Config
	clients clients
	execute execute
	clock   *clock
	// slow is how long a reading may take before the leases are read once more
	// at its end.
	slow time.Duration
	// wall tells the time that passes in sleep too.
	wall func() time.Time

	// mu guards everything below.
	mu       sync.Mutex
	closed   bool
	state    *state
	last     *cluster.Snapshot
	revision cluster.Revision
	// asked is when the last reading of all kinds was begun, whether or not it
	// came to an end; took is how long the last that did has taken.
	asked time.Time
	took  time.Duration
	// joined is how long the last joining of events took; that of a whole reading
	// takes longer, and says nothing of the next event's.
	joined  time.Duration
	watches *watches
	// expected is what our deeds did since the last reading of all kinds.
	expected expected
}

// errClosed is returned by a Cluster that was closed.
var errClosed = errors.New("the cluster is not observed any more")

// leaseAge is how old leases may be before Cached reads them again: they are
// what tells that a node is alive, and they are not watched.
const leaseAge = 10 * time.Second

// NewCluster prepares to observe a cluster. It makes no request.
func NewCluster(cfg Config) (*Cluster, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Cluster{cfg: cfg, clock: &clock{}, slow: leaseAge, wall: wall}
	c.clients, err = cfg.connect(c.clock)
	if err != nil {
		return nil, err
	}
	c.execute = cfg.remote(c.clients.kubernetes)
	return c, nil
}

// Observe returns what is known of the cluster. Fresh reads every kind anew,
// consistently. Cached returns what the last reading and the events since then
// say, and reads anew where there was none, where a watch was lost, where the
// last reading is old or the machine has slept since, or where the watches do not
// catch up with a deed of ours (Expect). A kind that was refused is a Gap; an error means that the server
// could not be asked.
func (c *Cluster) Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error) {
	if awoke := c.awoke(); f == cluster.Cached && !awoke && c.abreast(ctx) {
		s, err := c.cached(ctx)
		if s != nil || err != nil {
			return s, err
		}
	}
	c.mu.Lock()
	c.asked = time.Now()
	deeds := c.expected
	c.watches.gather()
	c.mu.Unlock()
	st, err := c.look(ctx, newCore())
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.watches.forgo()
		return nil, fmt.Errorf("the cluster cannot be read: %w", err)
	}
	if c.cfg.Probe {
		c.lookInside(ctx, st)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errClosed
	}
	if !c.watches.adopt(st) {
		c.watches.stop()
		c.watches = nil
	}
	st.shrink(c.state)
	c.state, c.took = st, st.look.Ended.Sub(st.look.Began)
	c.expected.met(deeds)
	return c.keep(st), nil
}

// keep makes the state's present the last snapshot. mu is held.
func (c *Cluster) keep(st *state) *cluster.Snapshot {
	c.revision++
	c.last = st.snapshot(c.revision)
	return c.last
}

// cached returns the last reading with the events since, or nil where the
// cluster must be read anew.
func (c *Cluster) cached(ctx context.Context) (*cluster.Snapshot, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, errClosed
	case c.state == nil || c.state.shrunk || c.age() >= c.relist():
		return nil, nil
	case c.watches == nil:
		if c.age() < c.cfg.Pause {
			return c.again(), nil
		}
		return nil, nil
	case c.watches.lost():
		return nil, nil
	}
	renewed := c.renewLeases(ctx)
	if c.watches.take() || renewed {
		began := time.Now()
		c.keep(c.state)
		c.joined = time.Since(began)
	}
	return c.again(), nil
}

// again returns the last snapshot, which is not one that was asked for just
// now. mu is held.
func (c *Cluster) again() *cluster.Snapshot {
	s := *c.last
	s.Look.Fresh = false
	return &s
}

// age is how long ago the last reading began. mu is held.
func (c *Cluster) age() time.Duration { return time.Since(c.state.look.Began) }

// relist is how old the last reading may become. Where reading is slow, it is
// not done all the time. mu is held.
func (c *Cluster) relist() time.Duration { return max(c.cfg.Relist, 10*c.took) }

// renewLeases reads the leases again where they are old, and reports whether
// it did. Where that fails they stay as old as they are, and whoever judges
// sees it. mu is held.
func (c *Cluster) renewLeases(ctx context.Context) bool {
	st := c.state
	if time.Since(st.leasesAt) < leaseAge {
		return false
	}
	for i, s := range st.sources {
		if s.Name != kindLease || s.storage >= 0 || st.versions[i] == "" {
			continue
		}
		began, fresh := time.Now(), newCore()
		r := c.clients.list(ctx, s, c.limits(), func(item []byte) error { return fresh.Put(s.Kind, item) })
		if r.gap != nil {
			return false
		}
		st.mu.Lock()
		st.core.leases, st.leasesAt = fresh.leases, began
		st.mu.Unlock()
		return true
	}
	return false
}

// Close ends the watches and waits until they have ended. A closed Cluster
// observes no more.
func (c *Cluster) Close() {
	c.mu.Lock()
	w := c.watches
	c.closed, c.watches = true, nil
	c.mu.Unlock()
	w.stop()
}

func errLookLimit(limit time.Duration) error {
	return fmt.Errorf("reading all kinds took longer than the look limit of %s", limit)
}

// malformedAnswer reports whether the server answered with something that is
// no list of objects.
func malformedAnswer(err error) bool {
	var syntax *jsontext.SyntacticError
	var kind *json.SemanticError
	return errors.As(err, &syntax) || errors.As(err, &kind) || errors.Is(err, errNoList)
}
