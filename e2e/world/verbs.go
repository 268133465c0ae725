// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/e2e/standin"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

const (
	// verbLimit bounds what a verb waits for.
	verbLimit = 2 * time.Minute
	namespace = "default"
	rolePref  = "node-role.kubernetes.io/"
	worker    = "worker"
)

// AddNode implements scenario.World.
func (w *World) AddNode(ctx context.Context, n scenario.Node) error {
	if _, err := w.Fleet.AddNode(ctx, spec(n)); err != nil {
		return err
	}
	return w.usable(ctx, n.Name, n.Role == worker)
}

func spec(n scenario.Node) hollow.NodeSpec {
	s := hollow.NodeSpec{Name: n.Name, Labels: map[string]string{rolePref + n.Role: ""}}
	if n.Role != worker {
		s.Taints = []corev1.Taint{{Key: rolePref + n.Role, Effect: corev1.TaintEffectNoSchedule}}
	}
	return s
}

// PowerOff implements scenario.World.
func (w *World) PowerOff(_ context.Context, node string) error { return w.Fleet.PowerOff(node) }

// PowerOn implements scenario.World.
func (w *World) PowerOn(ctx context.Context, node string) error { return w.Fleet.PowerOn(ctx, node) }

// Recreate implements scenario.World, for workers.
func (w *World) Recreate(ctx context.Context, node, as string) error {
	if err := w.replace(ctx, node, as); err != nil {
		return err
	}
	return w.usable(ctx, as, true)
}

// replace is Recreate without waiting until the new machine is usable, as a
// cloud does it.
func (w *World) replace(ctx context.Context, node, as string) error {
	if err := w.Fleet.DeleteNode(ctx, node, hollow.DestroyDisk); err != nil {
		return err
	}
	return w.create(ctx, as)
}

// create makes a worker.
func (w *World) create(ctx context.Context, name string) error {
	if err := w.forgotten(ctx, name); err != nil {
		return err
	}
	_, err := w.Fleet.AddNode(ctx, spec(scenario.Node{Name: name, Role: worker}))
	return err
}

// forgotten waits in a lab until Longhorn has noticed that the former machine of
// a name is gone. No machine boots faster than that; if one did, Longhorn v1.8.1
// would take up the dying node object and make no new one until its manager is
// restarted.
func (w *World) forgotten(ctx context.Context, name string) error {
	if _, there := w.Fleet.Node(name); there || w.Lab == nil {
		return nil
	}
	return w.until(ctx, "the storage to forget the former "+name, func() (string, error) {
		_, err := w.Longhorn.LonghornV1beta2().Nodes(standin.Namespace).Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return "", nil
		}
		return "its node object is still there", err
	})
}

// usable waits until the node is Ready and, where it carries storage, until
// Longhorn can place replicas on it.
func (w *World) usable(ctx context.Context, name string, storage bool) error {
	if err := w.Fleet.WaitReady(ctx, name); err != nil || !storage {
		return err
	}
	return w.until(ctx, "node "+name+" to carry storage", func() (string, error) { return w.lacks(ctx, name) })
}

func (w *World) lacks(ctx context.Context, name string) (string, error) {
	k, err := w.Kube.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	n, err := w.Longhorn.LonghornV1beta2().Nodes(standin.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err.Error(), nil
	}
	if n.CreationTimestamp.Before(&k.CreationTimestamp) || n.DeletionTimestamp != nil {
		return "the storage still knows the former machine", nil
	}
	for _, d := range n.Status.DiskStatus {
		for _, c := range d.Conditions {
			if c.Type == longhorn.DiskConditionTypeSchedulable && c.Status == longhorn.ConditionStatusTrue {
				return w.lacksManager(ctx, name)
			}
		}
	}
	return "no schedulable disk", nil
}

func (w *World) lacksManager(ctx context.Context, name string) (string, error) {
	ims, err := w.Longhorn.LonghornV1beta2().InstanceManagers(standin.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	for _, im := range ims.Items {
		if im.Spec.NodeID == name && im.Status.CurrentState == longhorn.InstanceManagerStateRunning {
			return w.lacksEngine(ctx, name)
		}
	}
	return "no instance manager", nil
}

func (w *World) lacksEngine(ctx context.Context, name string) (string, error) {
	images, err := w.Longhorn.LonghornV1beta2().EngineImages(standin.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	for _, i := range images.Items {
		if i.Status.State == longhorn.EngineImageStateDeployed && i.Status.NodeDeploymentMap[name] {
			return "", nil
		}
	}
	return "no engine image", nil
}

// CreateVolume implements scenario.World.
func (w *World) CreateVolume(ctx context.Context, v scenario.Volume) error {
	raw, err := json.Marshal(volumeObject(v))
	if err != nil {
		return err
	}
	err = w.Longhorn.LonghornV1beta2().RESTClient().Post().Namespace(standin.Namespace).
		Resource("volumes").Body(raw).Do(ctx).Error()
	if err != nil {
		return err
	}
	claim := hollow.Claim{Namespace: namespace, Name: v.Name, Volume: v.Name, Size: v.Bytes}
	return claim.Create(ctx, w.Kube)
}

// volumeObject is the Volume as Longhorn's provisioner would make it; what is left
// out is the storage's default.
func volumeObject(v scenario.Volume) map[string]any {
	spec := map[string]any{
		"size": strconv.FormatInt(v.Bytes, 10), "numberOfReplicas": v.Replicas, "frontend": "blockdev", "dataEngine": "v1",
		"accessMode": "rwo", "revisionCounterDisabled": true,
	}
	if v.Local {
		spec["dataLocality"] = "strict-local"
	}
	if v.Shared {
		spec["accessMode"] = "rwx"
	}
	if v.Standby {
		spec["Standby"], spec["frontend"] = true, ""
	}
	if v.Image != "" {
		spec["backingImage"] = v.Image
	}
	return map[string]any{
		"apiVersion": "longhorn.io/v1beta2", "kind": "Volume", "metadata": map[string]any{"name": v.Name}, "spec": spec,
	}
}

// Run implements scenario.World: a Deployment without a volume, a StatefulSet
// with one.
func (w *World) Run(ctx context.Context, l scenario.Workload) error {
	h := hollow.Workload{Namespace: namespace, Name: l.Name, Replicas: int32(l.Replicas), Claim: l.Volume}
	var err error
	if l.Volume == "" {
		_, err = w.Kube.AppsV1().Deployments(namespace).Create(ctx, h.Deployment(), metav1.CreateOptions{})
	} else {
		_, err = w.Kube.AppsV1().StatefulSets(namespace).Create(ctx, h.StatefulSet(), metav1.CreateOptions{})
	}
	if err != nil {
		return err
	}
	return w.until(ctx, l.Name+" to run", func() (string, error) {
		pods, err := w.Kube.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + l.Name})
		if err != nil {
			return "", err
		}
		ready := 0
		for _, p := range pods.Items {
			if p.Status.Phase == corev1.PodRunning {
				ready++
			}
		}
		if ready < l.Replicas {
			return fmt.Sprintf("%d of %d pods run", ready, l.Replicas), nil
		}
		return w.unhealthy(ctx, l.Volume)
	})
}

// unhealthy says what the volume lacks to have all its replicas written.
func (w *World) unhealthy(ctx context.Context, volume string) (string, error) {
	if volume == "" {
		return "", nil
	}
	v, err := w.Longhorn.LonghornV1beta2().Volumes(standin.Namespace).Get(ctx, volume, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	if v.Status.Robustness != longhorn.VolumeRobustnessHealthy {
		return "volume " + volume + " is " + string(v.Status.State) + "/" + string(v.Status.Robustness), nil
	}
	return "", nil
}

// Stop implements scenario.World, for workloads with a volume of their name.
func (w *World) Stop(ctx context.Context, workload string) error {
	_, err := w.Kube.AppsV1().StatefulSets(namespace).Patch(ctx, workload, types.MergePatchType,
		[]byte(`{"spec":{"replicas":0}}`), metav1.PatchOptions{})
	if err != nil {
		return err
	}
	return w.until(ctx, "volume "+workload+" to sleep", func() (string, error) {
		v, err := w.Longhorn.LonghornV1beta2().Volumes(standin.Namespace).Get(ctx, workload, metav1.GetOptions{})
		if err != nil {
			return "", err
		}
		if v.Status.State != longhorn.VolumeStateDetached {
			return string(v.Status.State), nil
		}
		return "", nil
	})
}

// Write implements scenario.World.
func (w *World) Write(_ context.Context, volume string, data []byte) error {
	return w.storage.Write(volume, data)
}

// Truth implements scenario.World.
func (w *World) Truth(context.Context) (scenario.Truth, error) { return w.storage.Truth() }

// until asks several times a second, until nothing is lacking or the limit
// has passed.
func (w *World) until(ctx context.Context, what string, lacks func() (string, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, w.limit, fmt.Errorf("limit of %s", w.limit))
	defer cancel()
	for {
		why, err := lacks()
		if err != nil {
			return fmt.Errorf("waiting for %s: %w", what, err)
		}
		if why == "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %s: %w", what, why, context.Cause(ctx))
		case <-time.After(100 * time.Millisecond):
		}
	}
}
