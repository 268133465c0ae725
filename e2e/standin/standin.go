// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	lhclient "github.com/longhorn/longhorn-manager/k8s/pkg/client/clientset/versioned"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/safe-roll/kubectl-safe-roll/e2e/device"
	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// Namespace is where the stand-in's objects are.
const Namespace = hollow.LonghornNamespace

// defaultDiskSize is what a disk holds if nothing else is said.
const defaultDiskSize = 50 << 30

// Options of a stand-in.
type Options struct {
	// Config reaches the API server, with all rights.
	Config *rest.Config
	// Behaviour of the version imitated; the zero value is model.V181().
	Behaviour model.Behaviour
	// Timing of what happens; the zero value is model.FastTiming().
	Timing model.Timing
	// Settings overrides Longhorn's own defaults, by name.
	Settings map[string]string
	// DiskSize is what each disk claims to hold, in bytes; 0 means 50 GiB.
	DiskSize int64
	// Seed of names; 0 is a seed as well.
	Seed uint64
	// Log takes what goes wrong on the way; nil means nobody reads it.
	Log *slog.Logger
}

// Machines is what the stand-in asks of the nodes; *hollow.Fleet is one.
type Machines interface {
	Nodes() []hollow.Node
}

// Standin stands in for a Longhorn installation. Its methods may be called
// concurrently. It is the VolumeDriver of its fleet, by its file systems.
type Standin struct {
	*device.Files
	opts      Options
	kube      kubernetes.Interface
	longhorn  lhclient.Interface
	watched   *watched
	wake      chan struct{}
	cancel    context.CancelFunc
	admission *admission
	done      chan struct{}

	mu       sync.Mutex // guards what follows
	model    *model.Model
	disks    *disks
	machines Machines
	revision uint64
	entries  map[model.Ref]*entry
	retry    map[model.Ref]bool
	turns    map[string]int
	told     map[string]bool // Kubernetes nodes
	err      error

	managerPods map[string]bool
}

// New returns a stand-in that does nothing yet. It can be given to the fleet
// as its driver.
func New(o Options) (*Standin, error) {
	if o.Timing == (model.Timing{}) {
		o.Timing = model.FastTiming()
	}
	if o.DiskSize == 0 {
		o.DiskSize = defaultDiskSize
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	cfg := rest.CopyConfig(o.Config)
	cfg.QPS = -1
	cfg.WarningHandler = rest.NoWarnings{} // Longhorn's finalizer has no domain
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("client of the stand-in: %w", err)
	}
	lh, err := lhclient.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("Longhorn client of the stand-in: %w", err)
	}
	s := &Standin{
		opts: o, kube: kube, longhorn: lh, wake: make(chan struct{}, 1), done: make(chan struct{}),
		entries: map[model.Ref]*entry{}, retry: map[model.Ref]bool{},
		turns: map[string]int{},
	}
	s.Files = device.New(s)
	s.disks = &disks{size: o.DiskSize, sizes: map[string]int64{}, machines: map[string]hollow.Node{}, seen: map[string]model.Disk{}}
	s.model = model.New(model.Options{Namespace: Namespace, Behaviour: o.Behaviour, Timing: o.Timing, Seed: o.Seed}, s.disks)
	return s, nil
}

// Start installs Longhorn's resource definitions and begins to act; the
// namespace must exist. It returns when the settings can be read from the API
// server. The stand-in lives until Close or until ctx ends.
func (s *Standin) Start(ctx context.Context, machines Machines) error {
	if err := InstallCRDs(ctx, s.opts.Config, s.opts.Behaviour.Lacks()...); err != nil {
		return err
	}
	s.mu.Lock()
	s.machines = machines
	s.mu.Unlock()
	ctx, s.cancel = context.WithCancel(ctx)
	if err := s.watch(ctx); err != nil {
		s.cancel()
		return err
	}
	s.model.Step(time.Now()) // its defaults, before the overrides
	for name, value := range s.opts.Settings {
		if err := s.model.Patch(model.Ref{Kind: model.Settings, Name: name}, settingPatch(value)); err != nil {
			s.cancel()
			return fmt.Errorf("setting %s: %w", name, err)
		}
	}
	if err := s.turn(ctx); err != nil {
		s.cancel()
		return err
	}
	if err := s.admit(ctx); err != nil {
		s.cancel()
		return err
	}
	go s.loop(ctx)
	return nil
}

// Close ends it and returns when it has ended. Objects and disks stay.
func (s *Standin) Close() {
	if s.cancel == nil {
		return
	}
	s.cancel()
	<-s.done
	s.admission.close()
	s.watched.stop()
}

// Err is the last error of the loop that was not overcome by trying again, nil
// if all is well.
func (s *Standin) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// SetRebuild decides how long copying a replica of the volume takes and whether
// it fails, from the next copy on; an empty name means all other volumes.
func (s *Standin) SetRebuild(volume string, r model.Rebuild) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.model.SetRebuild(volume, r)
}

// SetDiskSize decides how much the disks of machines that are made from now on
// claim to hold.
func (s *Standin) SetDiskSize(bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disks.size = bytes
}

// GrowDisks makes every disk that is there at least that large.
func (s *Standin) GrowDisks(bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disks.grow(bytes)
}

// WhyBudget tells why the disruption budget of a node's instance manager does
// not go away; empty if it may.
func (s *Standin) WhyBudget(node string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.model.Pods() {
		if p.Node == node {
			return s.model.WhyBudget(p.Name)
		}
	}
	return ""
}

// poke makes the loop look again soon.
func (s *Standin) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// errNotStarted is returned by what needs a running stand-in.
var errNotStarted = errors.New("the stand-in has not been started")
