// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"fmt"
	"sync"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/e2e/standin"
)

// NodeWatch remembers which machines there were and how many were out at once:
// cordoned, NotReady, or taken away without a replacement.
type NodeWatch struct {
	mu   sync.Mutex
	uids map[string]map[types.UID]bool
	most int
	full int
}

// WatchNodes looks at the nodes several times a second until ctx ends. A look
// that fails is left out: it may miss, never invent.
func (w *World) WatchNodes(ctx context.Context) *NodeWatch {
	n := &NodeWatch{uids: map[string]map[types.UID]bool{}}
	n.look(ctx, w)
	go func() {
		for ctx.Err() == nil {
			n.look(ctx, w)
			select {
			case <-ctx.Done():
			case <-time.After(200 * time.Millisecond):
			}
		}
	}()
	return n
}

func (n *NodeWatch) look(ctx context.Context, w *World) {
	nodes, err := w.Kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	in := 0
	for _, k := range nodes.Items {
		if n.uids[k.Name] == nil {
			n.uids[k.Name] = map[types.UID]bool{}
		}
		n.uids[k.Name][k.UID] = true
		if usable(k) {
			in++
		}
	}
	n.full = max(n.full, in)
	n.most = max(n.most, n.full-in)
}

func usable(k corev1.Node) bool {
	for _, c := range k.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue && !k.Spec.Unschedulable
		}
	}
	return false
}

// MostOut is how many nodes were missing at the worst moment.
func (n *NodeWatch) MostOut() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.most
}

// UIDs is how many machines had that name.
func (n *NodeWatch) UIDs(name string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.uids[name])
}

// AttachedHealthy waits until every attached volume says that it is healthy:
// the check that people trust.
func (w *World) AttachedHealthy(ctx context.Context) error {
	return w.until(ctx, "every attached volume to be healthy", func() (string, error) {
		vs, err := w.Longhorn.LonghornV1beta2().Volumes(standin.Namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return "", err
		}
		for _, v := range vs.Items {
			s := v.Status
			if s.State != longhorn.VolumeStateDetached && s.Robustness != longhorn.VolumeRobustnessHealthy {
				return fmt.Sprintf("%s is %s/%s", v.Name, s.State, s.Robustness), nil
			}
		}
		return "", nil
	})
}
