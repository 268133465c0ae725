// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/longhorn/types/pkg/generated/enginerpc"

	"github.com/safe-roll/kubectl-safe-roll/e2e/device"
	"github.com/safe-roll/kubectl-safe-roll/e2e/disk"
)

// Plane is the data plane of one cluster: every replica and engine process of
// all its machines. Its methods may be called concurrently.
type Plane struct {
	log *slog.Logger

	mu       sync.Mutex // guards what follows, and what hangs on it
	rate     int64
	replicas map[string]*replica // by address, tcp://IP:PORT
	engines  map[string]*engine  // by address, IP:PORT
	servers  map[*Server]bool
	failing  map[string]string // rebuilds of a volume that are to fail, and how
	failed   map[string]int    // how many did
	unknown  map[string]bool   // calls that nobody answers
}

// replica is a running replica process.
type replica struct {
	name, volume, node string
	address            string
	dir                string
	counted            bool // it counts its writes
}

// NewPlane returns a data plane without processes. Rebuilds copy rate bytes a
// second.
func NewPlane(rate int64) *Plane {
	return &Plane{
		log: slog.New(slog.DiscardHandler), rate: rate, replicas: map[string]*replica{}, engines: map[string]*engine{},
		servers: map[*Server]bool{}, failing: map[string]string{}, failed: map[string]int{}, unknown: map[string]bool{},
	}
}

// SetLog decides who is told what goes on, before the first process is started.
func (p *Plane) SetLog(log *slog.Logger) { p.log = log }

// Quiet runs do while nothing is written to any disk by the data plane.
func (p *Plane) Quiet(do func() error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return do()
}

// SetRate decides how many bytes a second rebuilds copy from now on.
func (p *Plane) SetRate(bytesPerSecond int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rate = bytesPerSecond
}

// FailRebuilds makes every rebuild of the volume fail half way with that
// message; an empty one lets them succeed again.
func (p *Plane) FailRebuilds(volume, message string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if message == "" {
		delete(p.failing, volume)
		return
	}
	p.failing[volume] = message
}

// FailedRebuilds counts the rebuilds of the volume that failed.
func (p *Plane) FailedRebuilds(volume string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed[volume]
}

// errNoProcess means that no such process runs.
var errNoProcess = errors.New("no such process runs")

// FailReplica has the volume's engine give up its replica on the node, as after
// an I/O error.
func (p *Plane) FailReplica(volume, node string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.engines {
		for address := range e.modes {
			if r := p.replicas[address]; e.volume == volume && r != nil && r.node == node {
				e.modes[address] = enginerpc.ReplicaMode_ERR
				return nil
			}
		}
	}
	return fmt.Errorf("replica of %s on %s: %w", volume, node, errNoProcess)
}

// KillReplica ends the process of the volume's replica on the node, as if it
// had crashed.
func (p *Plane) KillReplica(volume, node string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for address, r := range p.replicas {
		if r.volume == volume && r.node == node {
			delete(p.replicas, address)
			for s := range p.servers {
				s.crashed(r.name)
			}
			return nil
		}
	}
	return fmt.Errorf("replica of %s on %s: %w", volume, node, errNoProcess)
}

// Unanswered lists the calls that came and that nobody here answers, sorted.
func (p *Plane) Unanswered() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.unknown))
}

var _ device.Devices = (*Plane)(nil)

// DeviceNode implements device.Devices.
func (p *Plane) DeviceNode(volume string) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.engineOf(volume)
	if e == nil || !e.frontendUp {
		return "", false
	}
	return e.node, true
}

// engineOf returns the volume's running engine, nil if there is none.
func (p *Plane) engineOf(volume string) *engine {
	for _, e := range p.engines {
		if e.volume == volume {
			return e
		}
	}
	return nil
}

// ReadDevice implements device.Devices: from one read-write replica after the
// other, as the engine does, so that a blank sibling shows.
func (p *Plane) ReadDevice(volume string) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.engineOf(volume)
	if e == nil {
		return nil, fmt.Errorf("read %s: %w", volume, device.ErrNotAttached)
	}
	from := e.readable(p)
	if len(from) == 0 {
		return nil, fmt.Errorf("read %s: no replica can be read", volume)
	}
	e.turn++
	return from[e.turn%len(from)].read()
}

// WriteDevice implements device.Devices. A replica that cannot be written is
// given up.
func (p *Plane) WriteDevice(volume string, raw []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.engineOf(volume)
	if e == nil {
		return fmt.Errorf("write %s: %w", volume, device.ErrNotAttached)
	}
	written := 0
	for _, r := range e.readable(p) {
		if err := r.write(raw); err != nil {
			p.log.Warn("replica cannot be written", "replica", r.name, "error", err)
			e.modes[r.address] = enginerpc.ReplicaMode_ERR
			continue
		}
		written++
	}
	if written == 0 {
		return fmt.Errorf("write %s: no replica takes it", volume)
	}
	return nil
}

// open makes a blank replica where there is none.
func (r *replica) open(size int64) error {
	_, err := disk.ReadMeta(r.dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	m := disk.Meta{Size: size}
	if r.counted {
		m.Revision = 1
	}
	return disk.Create(r.dir, m)
}

func (r *replica) read() ([]byte, error) { return os.ReadFile(filepath.Join(r.dir, disk.DataFile)) }

// write replaces all bytes and counts it.
func (r *replica) write(raw []byte) error {
	return r.change(raw, func(m *disk.Meta) {
		if r.counted {
			m.Revision++
		}
	})
}

// change replaces all bytes, of a replica that is still there, and its
// description with them.
func (r *replica) change(raw []byte, describe func(*disk.Meta)) error {
	m, err := disk.ReadMeta(r.dir)
	if err != nil {
		return err
	}
	describe(&m)
	if err := os.WriteFile(filepath.Join(r.dir, disk.DataFile), raw, 0o644); err != nil {
		return err
	}
	return disk.WriteMeta(r.dir, m)
}
