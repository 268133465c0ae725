// SPDX-License-Identifier: Apache-2.0

package hollow

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// readinessEvery is how often a pod's readiness is asked for.
const readinessEvery = time.Second

// start has the runtime begin the pod's containers.
func (w *podWorker) start(ctx context.Context) error {
	pod := w.seen()
	if w.run == nil {
		ip := w.k.ip
		if !pod.Spec.HostNetwork {
			last, err := w.k.newAddress()
			if err != nil {
				return err
			}
			w.ip = last
			ip = w.k.podAddress(last)
		}
		w.run = &RunningPod{Node: w.k.name, IP: ip, Pod: pod}
	}
	return w.k.fleet.opts.Runtime.StartPod(ctx, *w.run)
}

// stop has the runtime end them, once.
func (w *podWorker) stop() {
	if w.run != nil {
		w.k.fleet.opts.Runtime.StopPod(*w.run)
		w.run = nil
	}
}

// watchReadiness reports each change of the pod's readiness until the pod is to
// end or the machine is off. Where nothing runs there is nothing to ask.
func (w *podWorker) watchReadiness() {
	if w.k.fleet.opts.Runtime == (bare{}) {
		return
	}
	tick := time.NewTicker(readinessEvery)
	defer tick.Stop()
	for !w.leaving() {
		if now := w.k.fleet.opts.Runtime.PodReady(w.k.ctx, *w.run); now != w.ready && w.reportReady(w.k.ctx, now) == nil {
			w.ready = now
		}
		select {
		case <-w.k.ctx.Done():
			return
		case <-w.news:
		case <-tick.C:
		}
	}
}

func (w *podWorker) reportReady(ctx context.Context, ready bool) error {
	pod, now := w.seen(), metav1.Now()
	statuses := []corev1.ContainerStatus{}
	for _, s := range pod.Status.ContainerStatuses {
		s.Ready = ready
		statuses = append(statuses, s)
	}
	return w.patch(ctx, map[string]any{
		"conditions":        podConditions(readiness(ready), now, corev1.ContainersReady, corev1.PodReady),
		"containerStatuses": statuses,
	})
}
