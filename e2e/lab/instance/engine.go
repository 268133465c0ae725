// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/longhorn/types/pkg/generated/enginerpc"
	"k8s.io/apimachinery/pkg/util/uuid"

	"github.com/safe-roll/kubectl-safe-roll/e2e/disk"
)

// engine is a running engine process. The plane's lock guards it.
type engine struct {
	name, volume, node string
	address            string // IP:PORT
	size               int64
	frontend           string
	frontendUp         bool
	unmap              bool
	snapshotMaxCount   int32
	snapshotMaxSize    int64
	snapshots          []snapshot
	modes              map[string]enginerpc.ReplicaMode // by the replica's address
	names              map[string]string                // of all replicas it ever had, by address
	rebuilds           map[string]*rebuild              // by the replica's address
	turn               int
}

type snapshot struct {
	name, created string
}

// rebuild is one copying of a replica, running or over.
type rebuild struct {
	from, state, failure string
	progress             int32
	running              bool
}

// readable returns the replicas that the engine reads from and writes to, in a
// fixed order.
func (e *engine) readable(p *Plane) []*replica {
	e.refresh(p)
	var out []*replica
	for address, mode := range e.modes {
		if mode == enginerpc.ReplicaMode_RW {
			out = append(out, p.replicas[address])
		}
	}
	slices.SortFunc(out, func(a, b *replica) int { return cmp.Compare(a.address, b.address) })
	return out
}

// refresh gives up replicas whose process is gone.
func (e *engine) refresh(p *Plane) {
	for address, mode := range e.modes {
		if mode != enginerpc.ReplicaMode_ERR && p.replicas[address] == nil {
			p.log.Info("replica is gone", "engine", e.name, "address", address)
			e.modes[address] = enginerpc.ReplicaMode_ERR
		}
	}
}

// start decides with which replicas the engine begins. Those that cannot be
// reached, whose size differs, or that were left half-copied are given up; so
// are, where writes are counted, those with fewer. Where they are not (the
// default since Longhorn 1.8), every other is taken, a blank one too.
func (e *engine) start(p *Plane, addresses []string) error {
	usable := map[*replica]int64{}
	var most int64
	for _, a := range addresses {
		e.modes[a] = enginerpc.ReplicaMode_ERR
		r := p.replicas[a]
		if r == nil {
			continue
		}
		m, err := disk.ReadMeta(r.dir)
		if err != nil || m.Size != e.size || m.Rebuilding && len(addresses) > 1 {
			continue
		}
		e.names[a] = r.name
		usable[r] = m.Revision
		most = max(most, m.Revision)
	}
	taken := 0
	for r, revision := range usable {
		if r.counted && revision < most {
			continue
		}
		e.modes[r.address] = enginerpc.ReplicaMode_RW
		taken++
	}
	if taken == 0 && len(addresses) > 0 {
		return fmt.Errorf("no backend replica of %v can be used", addresses)
	}
	return nil
}

// rebuildStep is how often a running copy goes on.
const rebuildStep = 200 * time.Millisecond

// addReplica takes a replica in by copying one that the engine reads, and
// returns when it is done.
func (p *Plane) addReplica(ctx context.Context, e *engine, address string) error {
	p.mu.Lock()
	e.refresh(p)
	source, target := e.readable(p), p.replicas[address]
	mode, there := e.modes[address]
	switch {
	case there && mode != enginerpc.ReplicaMode_ERR:
		p.mu.Unlock()
		return fmt.Errorf("replica %s is attached already", address)
	case len(source) == 0 || target == nil:
		p.mu.Unlock()
		return fmt.Errorf("cannot rebuild %s: %w", address, errNoProcess)
	}
	e.modes[address], e.names[address] = enginerpc.ReplicaMode_WO, target.name
	e.snap(string(uuid.NewUUID()))
	now := &rebuild{from: source[0].address, state: "in_progress", running: true}
	e.rebuilds[address] = now
	p.mu.Unlock()
	p.log.Info("rebuild begins", "engine", e.name, "replica", target.name, "from", source[0].name)
	err := p.copyReplica(ctx, e, source[0], target)
	p.mu.Lock()
	defer p.mu.Unlock()
	now.running = false
	if err != nil {
		now.state, now.failure = "error", err.Error()
		p.failed[e.volume]++
		e.modes[address] = enginerpc.ReplicaMode_ERR
		p.log.Warn("rebuild failed", "engine", e.name, "replica", target.name, "error", err)
		return err
	}
	now.state, now.progress = "complete", 100
	e.modes[address] = enginerpc.ReplicaMode_RW
	p.log.Info("rebuild is done", "engine", e.name, "replica", target.name)
	return nil
}

var errGone = errors.New("a process went away while it was copied")

// copyReplica copies at the plane's rate. Until the end the target is marked as
// half-built; the last piece is copied under the lock, so that no write falls
// between.
func (p *Plane) copyReplica(ctx context.Context, e *engine, source, target *replica) error {
	tick := time.NewTicker(rebuildStep)
	defer tick.Stop()
	copied := int64(0)
	for {
		done, err := p.copyPiece(e, source, target, copied)
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		p.mu.Lock()
		copied += max(1, p.rate*int64(rebuildStep)/int64(time.Second))
		p.mu.Unlock()
	}
}

func (p *Plane) copyPiece(e *engine, source, target *replica, copied int64) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.replicas[source.address] != source || p.replicas[target.address] != target || p.engines[e.address] != e {
		return false, errGone
	}
	raw, err := source.read()
	if err != nil {
		return false, err
	}
	from, err := disk.ReadMeta(source.dir)
	if err != nil {
		return false, err
	}
	n := min(copied, int64(len(raw)))
	if message := p.failing[e.volume]; message != "" && 2*n >= int64(len(raw)) {
		return false, errors.New(message)
	}
	done := n == int64(len(raw))
	if !done {
		e.rebuilds[target.address].progress = int32(n * 100 / int64(len(raw)))
	}
	return done, target.change(raw[:n], func(m *disk.Meta) { m.Rebuilding, m.Revision = !done, from.Revision })
}

// snap notes a snapshot.
func (e *engine) snap(name string) {
	e.snapshots = append(e.snapshots, snapshot{name: name, created: time.Now().UTC().Format(time.RFC3339)})
}

// arguments are the command line of a process as the manager writes it.
type arguments []string

// values returns what follows each occurrence of the flag.
func (a arguments) values(flag string) []string {
	var out []string
	for i, s := range a {
		if s == flag && i+1 < len(a) {
			out = append(out, a[i+1])
		}
	}
	return out
}

// value returns what follows the flag first, "" if it is not there.
func (a arguments) value(flag string) string {
	return strings.Join(a.values(flag)[:min(1, len(a.values(flag)))], "")
}

func (a arguments) has(flag string) bool { return slices.Contains(a, flag) }
