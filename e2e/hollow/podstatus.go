// SPDX-License-Identifier: Apache-2.0

package hollow

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// running writes the status of a pod all of whose containers run.
func (w *podWorker) running(ctx context.Context) error {
	pod, ip := w.seen(), w.run.IP
	w.ready = w.k.fleet.opts.Runtime.PodReady(ctx, *w.run)
	now := metav1.Now()
	status := map[string]any{
		"phase":  corev1.PodRunning,
		"hostIP": w.k.ip, "podIP": ip,
		// After a reboot another address replaces the former one.
		"hostIPs":   []any{replaceAll(), corev1.HostIP{IP: w.k.ip}},
		"podIPs":    []any{replaceAll(), corev1.PodIP{IP: ip}},
		"startTime": startTime(pod, now),
		"conditions": append(
			podConditions(corev1.ConditionTrue, now, corev1.PodScheduled, corev1.PodReadyToStartContainers, corev1.PodInitialized),
			podConditions(readiness(w.ready), now, corev1.ContainersReady, corev1.PodReady)...),
		"containerStatuses":     containersRunning(pod, now, w.ready),
		"initContainerStatuses": initContainersDone(pod, now),
	}
	return w.patch(ctx, status)
}

// ended writes the status of a pod whose containers have all ended well.
func (w *podWorker) ended(ctx context.Context) error {
	pod := w.seen()
	if w.removed() || finished(pod) {
		return nil
	}
	now := metav1.Now()
	done := []corev1.ContainerStatus{}
	for _, c := range pod.Spec.Containers {
		done = append(done, ended(c, now))
	}
	return w.patch(ctx, map[string]any{
		"phase":             corev1.PodSucceeded,
		"conditions":        podConditions(corev1.ConditionFalse, now, corev1.ContainersReady, corev1.PodReady),
		"containerStatuses": done,
	})
}

// patch changes fields of the pod's status. A pod that is gone, or whose name
// another one has, counts as written: there is nothing left to say of it.
func (w *podWorker) patch(ctx context.Context, status map[string]any) error {
	pod := w.seen()
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": pod.UID}, "status": status})
	if err != nil {
		return fmt.Errorf("encode pod status: %w", err)
	}
	_, err = w.k.fleet.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, body, metav1.PatchOptions{}, "status")
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		w.vanish()
		return nil
	}
	return err
}

// replaceAll is the directive by which a list in a strategic merge patch takes
// the place of the former list.
func replaceAll() map[string]any { return map[string]any{"$patch": "replace"} }

func startTime(pod *corev1.Pod, now metav1.Time) metav1.Time {
	if pod.Status.StartTime != nil {
		return *pod.Status.StartTime
	}
	return now
}

func podConditions(status corev1.ConditionStatus, now metav1.Time, kinds ...corev1.PodConditionType) []corev1.PodCondition {
	conditions := []corev1.PodCondition{}
	for _, kind := range kinds {
		conditions = append(conditions, corev1.PodCondition{Type: kind, Status: status, LastTransitionTime: now})
	}
	return conditions
}

func readiness(yes bool) corev1.ConditionStatus {
	if yes {
		return corev1.ConditionTrue
	}
	return corev1.ConditionFalse
}

// containersRunning starts every container; one that ran before, on this boot's
// predecessor, counts a restart.
func containersRunning(pod *corev1.Pod, now metav1.Time, ready bool) []corev1.ContainerStatus {
	started := true
	statuses := []corev1.ContainerStatus{}
	for _, c := range pod.Spec.Containers {
		s := corev1.ContainerStatus{
			Name: c.Name, Image: c.Image, ImageID: c.Image, ContainerID: containerID(pod, c), Ready: ready, Started: &started,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		}
		for _, old := range pod.Status.ContainerStatuses {
			if old.Name == c.Name && old.State.Running != nil {
				s.RestartCount = old.RestartCount + 1
			}
		}
		statuses = append(statuses, s)
	}
	return statuses
}

func initContainersDone(pod *corev1.Pod, now metav1.Time) []corev1.ContainerStatus {
	statuses := []corev1.ContainerStatus{}
	for _, c := range pod.Spec.InitContainers {
		s := ended(c, now)
		s.Ready = true // of an init container: it has done its work
		statuses = append(statuses, s)
	}
	return statuses
}

func ended(c corev1.Container, now metav1.Time) corev1.ContainerStatus {
	return corev1.ContainerStatus{
		Name: c.Name, Image: c.Image, ImageID: c.Image,
		State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed", StartedAt: now, FinishedAt: now}},
	}
}

func containerID(pod *corev1.Pod, c corev1.Container) string {
	return fmt.Sprintf("hollow://%s-%s", pod.UID, c.Name)
}
