// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// Objects cannot show that a directory is missing. Where it is asked for, every
// reading of all kinds ends with a look into the directories: storages say which
// commands tell, one machine runs one of them at a time, and what it answers is
// kept until the next reading. A machine that does not answer is not asked
// again in the same reading.

// kindExec is how RBAC spells the right to look, in a Gap.
const kindExec = "pods/exec"

// askedOf is a probe with the storage that reads its answer.
type askedOf struct {
	plugin.Probe
	prober    plugin.Prober
	namespace string
}

// answer is what became of one probe.
type answer struct {
	at     time.Time
	sights []plugin.Sight
	err    error
}

// lookInside runs the probes of all storages and keeps the answers in st. What
// is not answered within the limit of a look is not answered.
func (c *Cluster) lookInside(ctx context.Context, st *state) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.cfg.LookLimit, errLookLimit(c.cfg.LookLimit))
	defer cancel()
	s := st.snapshot(0)
	byNode, order := c.probes(s)
	answers := make(map[string][]answer, len(order))
	for _, node := range order {
		answers[node] = make([]answer, len(byNode[node]))
	}
	var refused atomic.Bool
	var wg sync.WaitGroup
	slots := make(chan struct{}, c.cfg.ProbeParallel)
	for _, node := range order {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			c.askNode(ctx, s, byNode[node], answers[node], &refused)
		})
	}
	wg.Wait()
	st.look.Ended = time.Now()
	st.sightings = c.sightings()
	st.keepAnswers(s, order, byNode, answers)
}

// probes returns every probe, by node, and the nodes in order.
func (c *Cluster) probes(s *cluster.Snapshot) (map[string][]askedOf, []string) {
	byNode, order := map[string][]askedOf{}, []string(nil)
	for i, storage := range c.cfg.Storages {
		prober, ok := storage.(plugin.Prober)
		if !ok {
			continue
		}
		for _, p := range prober.Probes(s, &s.Storages[i]) {
			if byNode[p.Node.Name] == nil {
				order = append(order, p.Node.Name)
			}
			byNode[p.Node.Name] = append(byNode[p.Node.Name], askedOf{p, prober, s.Storages[i].Namespace})
		}
	}
	return byNode, order
}

// askNode runs the probes of one node, one after the other, until one of them
// is not answered.
func (c *Cluster) askNode(ctx context.Context, s *cluster.Snapshot, ps []askedOf, out []answer, refused *atomic.Bool) {
	var before error
	for i, p := range ps {
		a := &out[i]
		a.at = time.Now().Add(c.clock.skew())
		switch {
		case p.Lacks != "":
			a.err = errors.New(p.Lacks)
			continue
		case before != nil:
			a.err = before
			continue
		case refused.Load():
			a.err = errNoRight
			continue
		}
		output, err := c.run(ctx, p.Probe)
		if err == nil {
			a.sights, err = p.prober.Read(s, p.Probe, output)
		}
		if errors.Is(err, errForbidden) {
			refused.Store(true)
		}
		a.err, before = err, err
	}
}

// errNoRight is why nobody was asked after the first refusal.
var errNoRight = errors.New("the right to look was refused")

// run runs one probe within its limit.
func (c *Cluster) run(ctx context.Context, p plugin.Probe) ([]byte, error) {
	limit := c.cfg.ProbeLimit
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within the probe limit of %s", limit))
	defer cancel()
	out, err := c.execute(ctx, p)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return out, err
}

// sightings are those of the last reading.
func (c *Cluster) sightings() map[cluster.UID]cluster.Sighting {
	c.mu.Lock()
	st := c.state
	c.mu.Unlock()
	if st == nil {
		return nil
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	return maps.Clone(st.sightings)
}

// keepAnswers turns the answers into facts of the replicas, and what was not
// answered into Gaps. Of the last reading's sightings it keeps what no look can show again.
func (st *state) keepAnswers(s *cluster.Snapshot, order []string, byNode map[string][]askedOf, answers map[string][]answer) {
	replicas := map[cluster.UID]cluster.Replica{}
	for _, storage := range s.Storages {
		for _, v := range storage.Volumes {
			for _, r := range v.Replicas {
				replicas[r.UID] = r
			}
		}
	}
	before := st.sightings
	st.sightings = map[cluster.UID]cluster.Sighting{}
	var gaps probeGaps
	for _, node := range order {
		for i, p := range byNode[node] {
			a := answers[node][i]
			for _, t := range p.Targets {
				probe := cluster.Probe{Seen: cluster.SeenNoAnswer, At: a.at, Node: p.Node}
				if a.err != nil {
					probe.Facts = []cluster.Fact{{Name: "why", Value: a.err.Error()}}
				}
				st.sightings[t.Replica] = cluster.Sighting{Of: replicas[t.Replica], Probe: probe}
			}
			for _, sight := range a.sights {
				x := st.sightings[sight.Replica]
				x.Probe.Seen, x.Probe.Facts = sight.Seen, sight.Facts
				st.sightings[sight.Replica] = x
			}
			gaps.add(p, a.err)
		}
	}
	cluster.Remember(st.sightings, before, replicas)
	st.gaps = append(st.gaps, gaps.list...)
}

// probeGaps collects what was not answered: one Gap for a right that is missing,
// one for each node that was silent, up to a few.
type probeGaps struct {
	list []cluster.Gap
	seen map[string]bool
}

func (g *probeGaps) add(p askedOf, err error) {
	const most = 10
	gap := cluster.Gap{Kind: kindExec, Reason: cluster.GapFailed}
	key := p.Node.Name
	switch {
	case err == nil, errors.Is(err, errNoRight):
		return
	case errors.Is(err, errForbidden):
		key, gap.Reason = "", cluster.GapForbidden
		gap.Detail = fmt.Sprintf("looking into the replicas' directories needs the right to get and create %s in namespace %s: %v", kindExec, p.namespace, err)
	default:
		gap.Detail = fmt.Sprintf("the replicas' directories on node %s could not be looked into: %v", p.Node.Name, err)
	}
	if g.seen == nil {
		g.seen = map[string]bool{}
	}
	if g.seen[key] {
		return
	}
	g.seen[key] = true
	if len(g.list) < most {
		g.list = append(g.list, gap)
	}
}
