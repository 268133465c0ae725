// SPDX-License-Identifier: Apache-2.0

package hollow

import (
	"context"
	"slices"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// leaseSeconds is a kubelet's default lease duration.
	leaseSeconds int32 = 40
	// statusEvery is how often a kubelet reports its status although nothing in
	// it has changed; a real one takes five minutes.
	statusEvery = 10 * time.Second
)

// heartbeat renews the lease and reports the status until the machine is off.
func (k *kubelet) heartbeat() {
	tick := time.NewTicker(k.fleet.opts.Heartbeat)
	defer tick.Stop()
	var lease *coordinationv1.Lease
	var reported time.Time
	for {
		ctx, cancel := context.WithTimeout(k.ctx, 5*time.Second)
		node := k.cachedNode()
		// Without its Node a kubelet has nothing to report on. It registers
		// anew only when it is started anew.
		if node != nil {
			var err error
			if lease, err = k.renew(ctx, lease); err != nil && k.ctx.Err() == nil {
				k.log.Warn("lease not renewed", "error", err)
			}
			if !isReady(node) || time.Since(reported) >= statusEvery {
				if err := k.report(ctx, node); err == nil {
					reported = time.Now()
				} else if k.ctx.Err() == nil {
					k.log.Warn("status not reported", "error", err)
				}
			}
		}
		cancel()
		select {
		case <-k.ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// report says that the node is well and that the driver is there.
func (k *kubelet) report(ctx context.Context, node *corev1.Node) error {
	if _, err := k.fleet.patchNode(ctx, k.name, k.uid, map[string]any{"conditions": nodeConditions(node, time.Now())}); err != nil {
		return err
	}
	// The garbage collector may have deleted the CSINode of an earlier Node of
	// this name after ours took its place.
	return k.registerDriver(ctx)
}

// renew writes the lease and returns it as written; nil in place of the last one
// if it has to be read again.
func (k *kubelet) renew(ctx context.Context, last *coordinationv1.Lease) (*coordinationv1.Lease, error) {
	leases := k.fleet.client.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	now, seconds := metav1.NowMicro(), leaseSeconds
	if last == nil {
		var err error
		last, err = leases.Get(ctx, k.name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return leases.Create(ctx, &coordinationv1.Lease{
				ObjectMeta: metav1.ObjectMeta{Name: k.name, OwnerReferences: []metav1.OwnerReference{k.ownerRef()}},
				Spec:       coordinationv1.LeaseSpec{HolderIdentity: &k.name, LeaseDurationSeconds: &seconds, RenewTime: &now},
			}, metav1.CreateOptions{})
		}
		if err != nil {
			return nil, err
		}
	}
	next := last.DeepCopy()
	next.OwnerReferences = []metav1.OwnerReference{k.ownerRef()}
	next.Spec.HolderIdentity, next.Spec.LeaseDurationSeconds, next.Spec.RenewTime = &k.name, &seconds, &now
	written, err := leases.Update(ctx, next, metav1.UpdateOptions{})
	if err != nil {
		return nil, err
	}
	return written, nil
}

// cachedNode returns this kubelet's Node as last seen, nil if it is gone.
func (k *kubelet) cachedNode() *corev1.Node {
	o, there, err := k.fleet.watched.nodes.GetStore().GetByKey(k.name)
	node, ok := o.(*corev1.Node)
	if err != nil || !there || !ok || node.UID != k.uid {
		return nil
	}
	return node
}

func isReady(node *corev1.Node) bool {
	return slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}
