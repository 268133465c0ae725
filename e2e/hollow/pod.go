// SPDX-License-Identifier: Apache-2.0

package hollow

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TerminationAnnotation on a pod says how long it takes to end, as a Go
// duration; its grace period still limits it.
const TerminationAnnotation = "hollow.safe-roll.io/termination-delay"

// retryEvery is how long a worker waits before it tries again what failed.
const retryEvery = time.Second

// podWorker leads one pod from the moment it is bound to the node until it is
// gone from the API server or the machine is off.
type podWorker struct {
	k      *kubelet
	mounts map[string]mountState // by claim; used by live alone
	ip     int                   // last byte of its address, 0: none
	run    *RunningPod           // what the runtime was given, nil: nothing yet
	ready  bool                  // as last reported

	mu   sync.Mutex
	pod  *corev1.Pod // as last seen; not to be written to
	gone bool
	news chan struct{} // holds a token when pod or gone changed
}

func newPodWorker(k *kubelet, pod *corev1.Pod) *podWorker {
	return &podWorker{k: k, pod: pod, mounts: map[string]mountState{}, news: make(chan struct{}, 1)}
}

// tell brings the pod's newest state.
func (w *podWorker) tell(pod *corev1.Pod, gone bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pod, w.gone = pod, w.gone || gone
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// vanish notes that the API server does not know the pod any more.
func (w *podWorker) vanish() { w.tell(w.seen(), true) }

func (w *podWorker) seen() *corev1.Pod {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pod
}

// removed: the object is gone from the API server.
func (w *podWorker) removed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.gone
}

// leaving: the pod is to end, or its object is gone already.
func (w *podWorker) leaving() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.gone || w.pod.DeletionTimestamp != nil
}

// live is the whole life of the pod here. It ends early, without a trace, when
// the machine is switched off.
func (w *podWorker) live() {
	defer w.stop()
	started := false
	if !finished(w.seen()) {
		started = w.bring(w.mount) && w.bring(w.start) && w.bring(w.running)
	}
	if started {
		w.watchReadiness()
	}
	if !w.until(w.leaving) {
		return
	}
	if started && !w.linger() {
		return
	}
	w.stop()
	if started && !w.persist(w.ended) {
		return
	}
	if w.persist(w.unmount) && w.persist(w.remove) {
		w.until(w.removed)
	}
}

func finished(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// bring tries a step until it succeeds; false if the pod is to end first.
func (w *podWorker) bring(step func(context.Context) error) bool {
	return w.try(step, w.leaving)
}

// persist tries a step until it succeeds; false if the machine is off.
func (w *podWorker) persist(step func(context.Context) error) bool {
	return w.try(step, func() bool { return false })
}

// try repeats a step until it succeeds, drop says to give up, or the machine is
// off. It tries again when something about the pod or its volumes changes, and
// every second.
func (w *podWorker) try(step func(context.Context) error, drop func() bool) bool {
	said := ""
	retry := time.NewTicker(retryEvery)
	defer retry.Stop()
	for {
		changed := w.k.fleet.watched.changed.next()
		if drop() || w.k.ctx.Err() != nil {
			return false
		}
		err := step(w.k.ctx)
		if err == nil {
			return true
		}
		if msg := err.Error(); msg != said && w.k.ctx.Err() == nil {
			pod := w.seen()
			w.k.log.Info("pod waits", "pod", pod.Namespace+"/"+pod.Name, "reason", msg)
			said = msg
		}
		select {
		case <-w.k.ctx.Done():
			return false
		case <-w.news:
		case <-changed:
		case <-retry.C:
		}
	}
}

// until waits for news that make ok true; false if the machine is off.
func (w *podWorker) until(ok func() bool) bool {
	for !ok() {
		select {
		case <-w.k.ctx.Done():
			return false
		case <-w.news:
		}
	}
	return w.k.ctx.Err() == nil
}

// linger lets the pod take its time to end, at most its grace period, which may
// be shortened while it does; false if the machine is off.
func (w *podWorker) linger() bool {
	began := time.Now()
	for {
		if w.removed() {
			return true // deleted without grace: its processes are killed
		}
		left := w.terminationDelay() - time.Since(began)
		if left <= 0 {
			return true
		}
		timer := time.NewTimer(left)
		select {
		case <-w.k.ctx.Done():
			timer.Stop()
			return false
		case <-w.news:
			timer.Stop()
		case <-timer.C:
		}
	}
}

func (w *podWorker) terminationDelay() time.Duration {
	pod := w.seen()
	delay := w.k.fleet.opts.TerminationDelay
	if own, err := time.ParseDuration(pod.Annotations[TerminationAnnotation]); err == nil {
		delay = own
	}
	if grace := pod.DeletionGracePeriodSeconds; grace != nil {
		delay = min(delay, time.Duration(*grace)*time.Second)
	}
	return delay
}

// remove deletes the object for good, as the kubelet of its node alone may.
func (w *podWorker) remove(ctx context.Context) error {
	if w.removed() {
		return nil
	}
	pod := w.seen()
	none := int64(0)
	err := w.k.fleet.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &none, Preconditions: &metav1.Preconditions{UID: &pod.UID},
	})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) { // gone, or another pod has the name
		w.vanish()
		return nil
	}
	return err
}
