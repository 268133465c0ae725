// SPDX-License-Identifier: Apache-2.0

package hollow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

const (
	defaultHeartbeat   = 2 * time.Second
	defaultTermination = 500 * time.Millisecond
	// machinesPerBlock is how many machines a block of addresses is for.
	machinesPerBlock = 250
	// syncLimit bounds the first read of what the kubelets watch.
	syncLimit = time.Minute
)

// ErrNoNode means that the fleet has no machine of that name.
var ErrNoNode = errors.New("no such node in the fleet")

// ErrNodeExists means that the fleet has a machine of that name already, on or
// off.
var ErrNodeExists = errors.New("the fleet has a node of that name")

// Options of a fleet.
type Options struct {
	// Config reaches the API server, with all rights.
	Config *rest.Config
	// Driver mounts the volumes of driver.longhorn.io; nil mounts nothing, and
	// pods with such volumes run as soon as these are attached.
	Driver VolumeDriver
	// Hardware of the machines; nil is a folder for each, which is its disk.
	Hardware Hardware
	// Runtime of the pods; nil runs nothing, and every pod is ready at once.
	Runtime Runtime
	// Commands runs what kubectl exec asks for; nil, and no kubelet listens.
	Commands Commands
	// Block of addresses that the machines and pods get. Fleets whose addresses
	// are real, and that share a network, need different ones; a block is enough
	// for 250 machines.
	Block int
	// Dir is the folder for the machines' disks and the log kubelets.log.
	Dir string
	// Heartbeat is how often a machine renews its lease; 0 means 2 s. It must be
	// a small part of the controller manager's node monitor grace period.
	Heartbeat time.Duration
	// TerminationDelay is how long a pod takes to end, at most its grace period;
	// 0 means 0.5 s. TerminationAnnotation on a pod overrides it.
	TerminationDelay time.Duration
}

// Fleet is a set of machines. Its methods may be called concurrently.
type Fleet struct {
	opts    Options
	client  kubernetes.Interface
	version string // of the API server; the kubelets say that it is theirs
	log     *slog.Logger
	logFile *os.File
	watched *watched
	// endpoint is where the kubelets listen; nil where they do not.
	endpoint *endpoint

	ctx    context.Context //nolint:containedctx // the fleet's life, which no single call spans
	cancel context.CancelFunc

	mu       sync.Mutex
	machines map[string]*machine // by node name
	serial   int                 // of the last machine or disk made
}

// watched is what all kubelets of a fleet see, through one watch per kind.
type watched struct {
	factory informers.SharedInformerFactory
	pods    cache.SharedIndexInformer
	nodes   cache.SharedIndexInformer
	changed *broadcast // a claim, volume or attachment changed
}

// NewFleet returns a fleet without machines. It lives until Close, or until ctx
// ends; both stop all kubelets at once and leave the API objects as they are.
func NewFleet(ctx context.Context, opts Options) (*Fleet, error) {
	if opts.Heartbeat == 0 {
		opts.Heartbeat = defaultHeartbeat
	}
	if opts.TerminationDelay == 0 {
		opts.TerminationDelay = defaultTermination
	}
	if opts.Hardware == nil {
		opts.Hardware = bare{}
	}
	if opts.Runtime == nil {
		opts.Runtime = bare{}
	}
	cfg := rest.CopyConfig(opts.Config)
	cfg.QPS = -1
	cfg.ContentType = "application/vnd.kubernetes.protobuf"
	cfg.AcceptContentTypes = cfg.ContentType + ",application/json"
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("client of the fleet: %w", err)
	}
	version, err := client.Discovery().ServerVersion()
	if err != nil {
		return nil, fmt.Errorf("version of the API server: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(opts.Dir, "disks"), 0o755); err != nil {
		return nil, fmt.Errorf("disks of the fleet: %w", err)
	}
	logFile, err := os.OpenFile(filepath.Join(opts.Dir, "kubelets.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("log of the fleet: %w", err)
	}
	f := &Fleet{opts: opts, client: client, version: version.GitVersion, logFile: logFile, log: slog.New(slog.NewTextHandler(logFile, nil)), machines: map[string]*machine{}, serial: opts.Block * machinesPerBlock}
	f.ctx, f.cancel = context.WithCancel(ctx)
	f.listen()
	if err := f.watch(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// watch starts the watches and routes what they bring to the kubelets.
func (f *Fleet) watch() error {
	factory := informers.NewSharedInformerFactoryWithOptions(f.client, 0, informers.WithTransform(stripManagedFields))
	w := &watched{factory: factory, pods: factory.Core().V1().Pods().Informer(), nodes: factory.Core().V1().Nodes().Informer(), changed: newBroadcast()}
	f.watched = w
	err := w.pods.AddIndexers(cache.Indexers{byNode: podNode})
	if err != nil {
		return fmt.Errorf("watch pods: %w", err)
	}
	pods := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { f.podChanged(o, false) },
		UpdateFunc: func(_, o any) { f.podChanged(o, false) },
		DeleteFunc: func(o any) { f.podChanged(o, true) },
	}
	if _, err := w.pods.AddEventHandler(pods); err != nil {
		return fmt.Errorf("watch pods: %w", err)
	}
	wake := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { w.changed.send() },
		UpdateFunc: func(any, any) { w.changed.send() },
		DeleteFunc: func(any) { w.changed.send() },
	}
	for _, inf := range []cache.SharedIndexInformer{
		factory.Core().V1().PersistentVolumeClaims().Informer(),
		factory.Core().V1().PersistentVolumes().Informer(),
		factory.Storage().V1().VolumeAttachments().Informer(),
	} {
		if _, err := inf.AddEventHandler(wake); err != nil {
			return fmt.Errorf("watch volumes: %w", err)
		}
	}
	attached := cache.ResourceEventHandlerFuncs{UpdateFunc: func(before, after any) {
		a, aOK := before.(*corev1.Node)
		b, bOK := after.(*corev1.Node)
		if aOK && bOK && !slices.Equal(a.Status.VolumesAttached, b.Status.VolumesAttached) {
			w.changed.send()
		}
	}}
	if _, err := w.nodes.AddEventHandler(attached); err != nil {
		return fmt.Errorf("watch nodes: %w", err)
	}
	factory.Start(f.ctx.Done())
	limited, cancel := context.WithTimeoutCause(f.ctx, syncLimit, fmt.Errorf("sync limit of %s passed", syncLimit))
	defer cancel()
	for kind, ok := range factory.WaitForCacheSync(limited.Done()) {
		if !ok {
			return fmt.Errorf("first read of %v: %w", kind, context.Cause(limited))
		}
	}
	return nil
}

// stripManagedFields drops what no kubelet reads from what is kept in memory.
func stripManagedFields(o any) (any, error) {
	if m, err := meta.Accessor(o); err == nil {
		m.SetManagedFields(nil)
	}
	return o, nil
}

const byNode = "node"

// podNode indexes pods by the node they are bound to.
func podNode(o any) ([]string, error) {
	if pod, ok := o.(*corev1.Pod); ok && pod.Spec.NodeName != "" {
		return []string{pod.Spec.NodeName}, nil
	}
	return nil, nil
}

// podChanged hands a pod to the kubelet of its node, if that machine is on.
func (f *Fleet) podChanged(o any, gone bool) {
	if d, ok := o.(cache.DeletedFinalStateUnknown); ok {
		o = d.Obj
	}
	pod, ok := o.(*corev1.Pod)
	if !ok || pod.Spec.NodeName == "" {
		return
	}
	f.mu.Lock()
	m := f.machines[pod.Spec.NodeName]
	f.mu.Unlock()
	if m == nil {
		return
	}
	if k := m.kubelet(); k != nil {
		k.observe(pod, gone)
	}
}

// diskPath is the folder of a new disk: of one machine and never of another.
func (f *Fleet) diskPath(name string, serial int) string {
	return filepath.Join(f.opts.Dir, "disks", fmt.Sprintf("%s-%d", name, serial))
}

// Close stops every kubelet and every watch and returns when they have stopped.
// API objects and disks stay as they are.
func (f *Fleet) Close() {
	f.cancel()
	f.mu.Lock()
	machines := make([]*machine, 0, len(f.machines))
	for _, m := range f.machines {
		machines = append(machines, m)
	}
	f.mu.Unlock()
	for _, m := range machines {
		m.halt()
	}
	f.endpoint.close()
	if f.watched != nil {
		f.watched.factory.Shutdown()
	}
	_ = f.logFile.Close() // a second Close finds it closed
}

// broadcast wakes everybody who waits for a change.
type broadcast struct {
	mu sync.Mutex
	ch chan struct{}
}

func newBroadcast() *broadcast { return &broadcast{ch: make(chan struct{})} }

// next returns a channel that is closed by the next send. Ask for it before
// looking at what may change.
func (b *broadcast) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ch
}

func (b *broadcast) send() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.ch)
	b.ch = make(chan struct{})
}
