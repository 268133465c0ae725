// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	lhclient "github.com/longhorn/longhorn-manager/k8s/pkg/client/clientset/versioned"

	"github.com/safe-roll/kubectl-safe-roll/e2e/device"
	"github.com/safe-roll/kubectl-safe-roll/e2e/disk"
	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/e2e/lab/instance"
	"github.com/safe-roll/kubectl-safe-roll/e2e/longhorn"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// Defaults of Options.
const (
	defaultDiskSize = 20 << 30
	// DefaultRate copies what a test writes in a second or two.
	DefaultRate = 40
)

// Options of a lab.
type Options struct {
	// Version of Longhorn, such as "v1.8.1"; empty means
	// longhorn.Version().
	Version string
	// Manager is the manager's binary, from longhorn.Build.
	Manager string
	// Settings overrides Longhorn's own defaults, by name.
	Settings map[string]string
	// DiskSize of each machine in bytes, of which memory is used only for what
	// is written; 0 means 20 GiB.
	DiskSize int64
	// Rate is how many bytes a second a rebuild copies; 0 means 40.
	Rate int64
}

// Cluster is what a lab is put into.
type Cluster struct {
	// Config reaches the API server, with all rights.
	Config *rest.Config
	// Port at which the API server answers on the lab's gateway.
	Port int
	// Machines of the fleet that has the lab as its hardware.
	Machines Machines
	// Program is the binary of e2e/cmd/labnode.
	Program string
	// Dir is a folder for the machines' roots; Logs one for logs, in which the
	// lab's own is lab.log.
	Dir, Logs string
}

// Machines is what the lab asks of the fleet; *hollow.Fleet is one.
type Machines interface {
	Nodes() []hollow.Node
}

// Lab is a Longhorn installation whose manager is the real one. It is hardware,
// runtime and VolumeDriver of one fleet. Its methods may be called concurrently.
type Lab struct {
	*device.Files
	// Plane is the data plane, where failures are ordered.
	Plane *instance.Plane

	opts    Options
	block   int
	gateway net.IP
	cluster Cluster
	log     *slog.Logger
	logFile *os.File
	kube    kubernetes.Interface
	storage lhclient.Interface
	cancel  context.CancelFunc
	tasks   sync.WaitGroup

	mu    sync.Mutex
	boxes map[string]*box // machines that are on
	disks map[string]bool // folders that are mounted
	runs  map[types.UID]running
	down  map[string]bool // machines whose manager is kept from running
}

// New returns a lab without machines, with addresses of its own. Put it into a
// cluster with Start before the first machine is made. Close ends it.
func New(o Options) (*Lab, error) {
	if err := Missing(); err != nil {
		return nil, err
	}
	if o.Version == "" {
		o.Version = longhorn.Version()
	}
	if o.DiskSize == 0 {
		o.DiskSize = defaultDiskSize
	}
	if o.Rate == 0 {
		o.Rate = DefaultRate
	}
	block, gateway, err := claimBlock()
	if err != nil {
		return nil, err
	}
	l := &Lab{
		opts: o, block: block, gateway: gateway, Plane: instance.NewPlane(o.Rate),
		boxes: map[string]*box{}, disks: map[string]bool{}, runs: map[types.UID]running{}, down: map[string]bool{},
	}
	l.Files = device.New(l.Plane)
	return l, nil
}

// Block is the block of addresses for the fleet.
func (l *Lab) Block() int { return l.block }

// Gateway is the address at which the machines must find the API server.
func (l *Lab) Gateway() net.IP { return l.gateway }

// Start installs Longhorn into the cluster. The lab lives until Close or until
// ctx ends.
func (l *Lab) Start(ctx context.Context, c Cluster) error {
	cfg := rest.CopyConfig(c.Config)
	cfg.QPS = -1
	cfg.WarningHandler = rest.NoWarnings{} // Longhorn's definitions use format int64
	c.Config, l.cluster = cfg, c
	var err error
	if l.logFile, err = os.OpenFile(filepath.Join(c.Logs, "lab.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644); err != nil {
		return fmt.Errorf("log of the lab: %w", err)
	}
	l.log = slog.New(slog.NewTextHandler(l.logFile, nil))
	l.Plane.SetLog(l.log)
	if l.kube, err = kubernetes.NewForConfig(cfg); err != nil {
		return fmt.Errorf("client of the lab: %w", err)
	}
	if l.storage, err = lhclient.NewForConfig(cfg); err != nil {
		return fmt.Errorf("Longhorn client of the lab: %w", err)
	}
	ctx, l.cancel = context.WithCancel(ctx)
	if err := l.serveNames(ctx); err != nil {
		return err
	}
	if err := l.attachVolumes(ctx); err != nil {
		return err
	}
	return l.install(ctx)
}

// Truth says which replicas lie on the disks of the fleet's machines, on or off,
// and what they hold. It asks the disks, never the objects.
func (l *Lab) Truth() (scenario.Truth, error) {
	t := scenario.Truth{}
	err := l.Plane.Quiet(func() error {
		for _, n := range l.cluster.Machines.Nodes() {
			if err := disk.Truth(n.Name, n.DiskDir, t); err != nil {
				return err
			}
		}
		return nil
	})
	return t, err
}

// errNoMachine means that no machine of that name is on.
var errNoMachine = errors.New("no such machine is on")

// StopManager ends the manager on a machine and keeps it from being started
// again, as a pod that crashes at once would.
func (l *Lab) StopManager(node string) error {
	b, ok := l.box(node)
	if !ok {
		return fmt.Errorf("manager of %s: %w", node, errNoMachine)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down[node] = true
	for _, r := range l.runs {
		if m, ok := r.(*manager); ok && m.box == b {
			m.crash()
		}
	}
	return nil
}

// StartManager lets it run again.
func (l *Lab) StartManager(node string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.down, node)
}

// managerDown says whether the manager on a machine is kept from running.
func (l *Lab) managerDown(node string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.down[node]
}

// closeLimit bounds the wait for what watches the cluster.
const closeLimit = 10 * time.Second

// Close ends everything and frees the addresses. Close the fleet first: its
// machines are switched off by it.
func (l *Lab) Close() error {
	if l.cancel != nil {
		l.cancel()
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.tasks.Wait()
	}()
	select {
	case <-ended:
	case <-time.After(closeLimit):
		return fmt.Errorf("the lab's own tasks have not ended after %s", closeLimit)
	}
	l.mu.Lock()
	boxes, disks := l.boxes, l.disks
	l.boxes = map[string]*box{}
	l.mu.Unlock()
	for _, b := range boxes {
		b.off()
	}
	var failed error
	for dir := range disks {
		failed = errors.Join(failed, l.Scrap(dir))
	}
	if l.logFile != nil {
		failed = errors.Join(failed, l.logFile.Close())
	}
	return errors.Join(failed, dropAddress(l.gateway.String()))
}
