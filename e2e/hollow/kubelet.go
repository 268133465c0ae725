// SPDX-License-Identifier: Apache-2.0

package hollow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// errNoAddress means that a node has no pod address left.
var errNoAddress = errors.New("no free pod address on the node")

// kubelet is the life of a machine between power on and power off.
type kubelet struct {
	fleet  *Fleet
	name   string
	uid    types.UID // of the Node that it registered
	ip     string
	serial int
	log    *slog.Logger

	ctx    context.Context //nolint:containedctx // from power on to power off, which no single call spans
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu      sync.Mutex
	stopped bool
	pods    map[types.UID]*podWorker
	ips     map[int]bool // last byte of the pod addresses given out

	volumes inUse
}

func newKubelet(m *machine, uid types.UID) *kubelet {
	k := &kubelet{
		fleet: m.fleet, name: m.spec.Name, uid: uid, ip: m.address(), serial: m.serial,
		log:  m.fleet.log.With("node", m.spec.Name, "boot", m.snapshot().BootID[:8]),
		pods: map[types.UID]*podWorker{}, ips: map[int]bool{},
	}
	k.volumes.pods = map[corev1.UniqueVolumeName]map[types.UID]bool{}
	k.ctx, k.cancel = context.WithCancel(m.fleet.ctx)
	return k
}

// start begins heartbeats and takes up the pods that are bound to the node's
// name, whoever bound them and when: a kubelet knows no better. The machine
// must be known as on already, so that no pod falls between this and the watch.
func (k *kubelet) start() error {
	k.log.Info("on", "uid", k.uid)
	k.tasks.Go(k.heartbeat)
	bound, err := k.fleet.watched.pods.GetIndexer().ByIndex(byNode, k.name)
	if err != nil {
		return fmt.Errorf("pods of %s: %w", k.name, err)
	}
	for _, o := range bound {
		if pod, ok := o.(*corev1.Pod); ok {
			k.adopt(pod)
		}
	}
	return nil
}

// stop ends everything at once and returns when it has ended.
func (k *kubelet) stop() {
	k.mu.Lock()
	k.stopped = true
	k.mu.Unlock()
	k.cancel()
	k.tasks.Wait()
	k.log.Info("off")
}

// adopt takes up a pod unless the watch has brought it already.
func (k *kubelet) adopt(pod *corev1.Pod) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pods[pod.UID] == nil {
		k.run(pod)
	}
}

// observe takes the news of a pod from the watch.
func (k *kubelet) observe(pod *corev1.Pod, gone bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if w := k.pods[pod.UID]; w != nil {
		w.tell(pod, gone)
	} else if !gone {
		k.run(pod)
	}
}

// run starts a worker for a pod; k.mu is held.
func (k *kubelet) run(pod *corev1.Pod) {
	if k.stopped {
		return
	}
	w := newPodWorker(k, pod)
	k.pods[pod.UID] = w
	k.tasks.Go(func() {
		w.live()
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.pods, pod.UID)
		delete(k.ips, w.ip)
	})
}

// newAddress gives out the last byte of a pod address.
func (k *kubelet) newAddress() (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for last := 2; last < 255; last++ {
		if !k.ips[last] {
			k.ips[last] = true
			return last, nil
		}
	}
	return 0, errNoAddress
}

// podAddress is a pod's IP; nothing listens there but what the runtime runs.
func (k *kubelet) podAddress(last int) string {
	return fmt.Sprintf("10.%d.%d.%d", 100+k.serial/machinesPerBlock, k.serial%machinesPerBlock, last)
}
