// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
)

// Peer is a procedure by which people replace nodes today, written anew from
// its documented behaviour.
type Peer struct {
	Name string
	// Basis says what is imitated.
	Basis string
	// settings are changed before the first node.
	settings map[string]string
	// gate waits before a node is touched, leave after the cordon and before
	// the drain, after once the machine is gone; nil for nothing.
	gate  func(*procedure, *machine) error
	leave func(*procedure, *machine) error
	after func(*procedure, *machine) error
	// forced deletes the pods that a drain could not evict within that time;
	// 0 for never.
	forced time.Duration
}

// Peers are the procedures, the plainest first.
func Peers() []Peer {
	policy := func(value string) map[string]string { return map[string]string{"node-drain-policy": value} }
	return []Peer{
		{Name: "drain, delete", Basis: "kubectl drain without a timeout, then the machine is deleted; the storage's default drain policy guards"},
		{Name: "drain, forced after 10 minutes", Basis: "the same; what the drain could not evict is deleted (--disable-eviction)", forced: 10 * time.Minute},
		{Name: "every volume healthy", Basis: "before each node: robustness is healthy for every volume", gate: everyHealthy, forced: 10 * time.Minute},
		{Name: "no volume degraded", Basis: "the loosened form: no volume says degraded or faulted, so that detached ones do not block", gate: noneDegraded, forced: 10 * time.Minute},
		{Name: "engine loop", Basis: "Harvester's upgrade: for every running engine the volume is healthy", gate: enginesHealthy, forced: 10 * time.Minute},
		{Name: "policy: allow if stopped", Basis: "node-drain-policy allow-if-replica-is-stopped", settings: policy("allow-if-replica-is-stopped")},
		{Name: "policy: always allow", Basis: "node-drain-policy always-allow", settings: policy("always-allow")},
		{Name: "policy: block for eviction", Basis: "node-drain-policy block-for-eviction: a cordon moves the replicas, the drain waits", settings: policy("block-for-eviction")},
		{Name: "policy: evict the last", Basis: "node-drain-policy block-for-eviction-if-contains-last-replica", settings: policy("block-for-eviction-if-contains-last-replica")},
		{Name: "eviction, by the article", Basis: "allowScheduling=false and evictionRequested=true, wait for empty scheduledReplica, drain, delete", leave: evictByArticle},
		{Name: "careful script", Basis: "a community script: refuses where too few nodes would be left, evicts, waits for as many healthy replicas elsewhere as configured (stopped ones on a node of any other name count), deletes stale replicas afterwards", gate: enoughNodes, leave: healthyElsewhere, after: cleanStale},
	}
}

// errRefused is a procedure that does not begin.
var errRefused = errors.New("refused")

// errHang is a procedure that does not come to an end.
var errHang = errors.New("it waits for ever")

// patience is after how long a wait is taken for one without an end.
const patience = 6 * time.Hour

// procedure is one run of a peer.
type procedure struct {
	*World
	c Case
}

// Outcome is what came of a procedure.
type Outcome struct {
	// Lost names the volumes whose bytes are gone, or were formatted over when
	// their users came back.
	Lost []string
	// Short names those with fewer copies than configured at the end.
	Short []string
	// Hung is why it did not come to an end; empty where it did.
	Hung string
	// Refused is why it was not begun; empty where it was.
	Refused string
}

// RunPeer runs a peer over the cluster of a seed, and has every user log in
// afterwards. It must be called inside a bubble of testing/synctest.
func RunPeer(ctx context.Context, seed uint64, c Case, peer Peer) (Outcome, error) {
	w, err := world(seed, c)
	if err != nil {
		return Outcome{}, err
	}
	w.live(c)
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, value := range peer.settings {
		w.must(w.set(name, value))
	}
	o := Outcome{}
	p := &procedure{World: w, c: c}
	for i := range c.Roll {
		if err := p.replace(peer, fmt.Sprintf("worker-%d", i+1)); err != nil {
			o.Hung = err.Error()
			if errors.Is(err, errRefused) {
				o.Hung, o.Refused = "", err.Error()
			}
			break
		}
	}
	w.everybodyLogsIn()
	o.Lost, o.Short = w.lost(), w.short()
	return o, ctx.Err()
}

// RunOurs runs the tool over the cluster of a seed, and tells it like a peer.
func RunOurs(ctx context.Context, seed uint64, c Case) (Outcome, error) {
	w, err := world(seed, c)
	if err != nil {
		return Outcome{}, err
	}
	h, err := w.rolled(ctx, Roll{Seed: seed, Case: c})
	if err != nil {
		return Outcome{}, err
	}
	o := Outcome{}
	switch h.Ending {
	case Refused:
		o.Refused = h.Why
	case Halted, Errored:
		o.Hung = h.Why
	case Finished:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.everybodyLogsIn()
	o.Lost, o.Short = w.lost(), w.short()
	return o, nil
}

// replace drains a machine, deletes it and waits for its successor.
func (p *procedure) replace(peer Peer, name string) error {
	n := p.machine(name)
	if n == nil {
		return fmt.Errorf("%s is not there", name)
	}
	if peer.gate != nil {
		if err := peer.gate(p, n); err != nil {
			return fmt.Errorf("before %s: %w", name, err)
		}
	}
	p.cordon(n, true, oracle.Theirs)
	if peer.leave != nil {
		if err := peer.leave(p, n); err != nil {
			return fmt.Errorf("emptying %s: %w", name, err)
		}
	}
	if err := p.drained(n, peer.forced); err != nil {
		return fmt.Errorf("draining %s: %w", name, err)
	}
	p.powerOff(n)
	p.pass(retiring)
	p.remove(n, oracle.Theirs)
	if peer.after != nil {
		if err := peer.after(p, n); err != nil {
			return err
		}
	}
	p.pass(creating)
	if p.c.Commands.Create == NewName {
		name += "x"
	}
	next := p.join(name, "worker", p.disks.Blank(p.opts.DiskSize))
	return p.wait("the node is Ready", func() bool { return next.ready(p.now) })
}

// pass lets time pass.
func (p *procedure) pass(d time.Duration) {
	p.touched = true
	p.settleFor(d)
}

// wait asks every ten seconds, as scripts do.
func (p *procedure) wait(what string, cond func() bool) error {
	for end := p.now.Add(patience); !cond(); {
		if p.now.After(end) {
			return fmt.Errorf("%w: %s", errHang, what)
		}
		p.pass(10 * time.Second)
	}
	return nil
}

// drained evicts every pod but those of DaemonSets, again and again.
func (p *procedure) drained(n *machine, forced time.Duration) error {
	began := p.now
	return p.wait("a budget holds a pod", func() bool {
		left := 0
		for _, d := range slices.Clone(p.pods) {
			if d.node != n.name {
				continue
			}
			left++
			if !d.deleting && (p.budgetAllows(d) || forced > 0 && p.now.Sub(began) > forced) {
				p.end(d)
			}
		}
		return left == 0
	})
}

// everybodyLogsIn starts a pod on every volume that was ever written, which is
// when people learn what is left of their data, and lets them work a while.
func (w *World) everybodyLogsIn() {
	for _, n := range w.machines {
		w.cordon(n, false, oracle.Theirs)
	}
	for _, v := range w.volumes {
		if v.deleted || v.bytes == "" {
			continue
		}
		w.letGo(v.name)
		used := false
		for _, l := range w.loads {
			if l.volume == v.name {
				l.want, used = 1, true
			}
		}
		if !used {
			w.start(&workload{name: v.name, volume: v.name, want: 1})
		}
	}
	w.touched = true
	w.settleFor(20 * time.Minute)
}

// short names the volumes with fewer whole copies than are configured.
func (w *World) short() []string {
	var out []string
	for _, v := range w.volumes {
		if v.bytes != "" && !v.deleted && len(v.copies) < v.want {
			out = append(out, v.name)
		}
	}
	return out
}
