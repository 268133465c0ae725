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
// end or the machine is off; and again where somebody else has written otherwise,
// as Kubernetes does while a node is late with its heartbeat. Where nothing runs
// there is nothing to ask every second.
func (w *podWorker) watchReadiness() {
	var again <-chan time.Time
	if w.k.fleet.opts.Runtime != (bare{}) {
		tick := time.NewTicker(readinessEvery)
		defer tick.Stop()
		again = tick.C
	}
	for !w.leaving() {
		select {
		case <-w.k.ctx.Done():
			return
		case <-w.news:
		case <-again:
		}
		now := w.k.fleet.opts.Runtime.PodReady(w.k.ctx, *w.run)
		if (now != w.ready || now != saidReady(w.seen())) && w.reportReady(w.k.ctx, now) == nil {
			w.ready = now
		}
	}
}

// saidReady reports what the pod's object says.
func saidReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// reportReady writes that alone: what was last seen may be older than what was
// last written.
func (w *podWorker) reportReady(ctx context.Context, ready bool) error {
	now, containers := metav1.Now(), []map[string]any{}
	for _, c := range w.seen().Spec.Containers {
		containers = append(containers, map[string]any{"name": c.Name, "ready": ready})
	}
	return w.patch(ctx, map[string]any{
		"conditions":        podConditions(readiness(ready), now, corev1.ContainersReady, corev1.PodReady),
		"containerStatuses": containers,
	})
}
