// SPDX-License-Identifier: Apache-2.0

package hollow

import (
	"context"
	"fmt"
	"path"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// claimLimit bounds the wait for a claim to be bound.
const claimLimit = time.Minute

// Workload describes pods that belong together; its methods make the object
// that owns them. All carry the label app=NAME.
type Workload struct {
	Namespace string
	Name      string
	Replicas  int32
	// Claim is the name of a PersistentVolumeClaim that the pods use, if any.
	Claim string
	// Labels of the pods besides app=NAME.
	Labels map[string]string
	// NodeSelector of the pods.
	NodeSelector map[string]string
}

// Deployment returns the workload as a Deployment. With a claim its strategy is
// Recreate, since two pods on two nodes cannot hold one volume.
func (w Workload) Deployment() *appsv1.Deployment {
	d := &appsv1.Deployment{ObjectMeta: w.meta(), Spec: appsv1.DeploymentSpec{Replicas: &w.Replicas, Selector: w.selector(), Template: w.template()}}
	if w.Claim != "" {
		d.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType
	}
	return d
}

// StatefulSet returns the workload as a StatefulSet that uses the claim by name,
// without claim templates.
func (w Workload) StatefulSet() *appsv1.StatefulSet {
	return &appsv1.StatefulSet{ObjectMeta: w.meta(), Spec: appsv1.StatefulSetSpec{
		Replicas: &w.Replicas, ServiceName: w.Name, Selector: w.selector(), Template: w.template(),
	}}
}

// DaemonSet returns the workload as a DaemonSet; Replicas is of no meaning.
func (w Workload) DaemonSet() *appsv1.DaemonSet {
	return &appsv1.DaemonSet{ObjectMeta: w.meta(), Spec: appsv1.DaemonSetSpec{Selector: w.selector(), Template: w.template()}}
}

// Pod returns the workload as one pod that nothing brings back.
func (w Workload) Pod() *corev1.Pod {
	t := w.template()
	m := w.meta()
	m.Labels = t.Labels
	return &corev1.Pod{ObjectMeta: m, Spec: t.Spec}
}

func (w Workload) meta() metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: w.Namespace, Name: w.Name, Labels: map[string]string{"app": w.Name}}
}

func (w Workload) selector() *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": w.Name}}
}

func (w Workload) template() corev1.PodTemplateSpec {
	labels := map[string]string{}
	for k, v := range w.Labels {
		labels[k] = v
	}
	labels["app"] = w.Name
	t := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
		NodeSelector: w.NodeSelector,
		Containers:   []corev1.Container{{Name: "main", Image: path.Join("hollow.invalid", w.Name)}},
	}}
	if w.Claim != "" {
		t.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: w.Claim}}}}
		t.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
	}
	return t
}

// Claim is a PersistentVolumeClaim bound to a volume of the storage driver.
type Claim struct {
	Namespace string
	Name      string
	// Volume is the name of the PersistentVolume and its handle, which is the
	// name of the storage's own volume.
	Volume string
	// Size in bytes.
	Size int64
}

// Create makes the PersistentVolume and the claim, each naming the other, and
// waits until they are bound. The PersistentVolume is retained, as the storage's
// own volume is not made by a provisioner either.
func (c Claim) Create(ctx context.Context, client kubernetes.Interface) error {
	ctx, cancel := context.WithTimeoutCause(ctx, claimLimit, fmt.Errorf("claim limit of %s passed", claimLimit))
	defer cancel()
	class, mode := StorageClassName, corev1.PersistentVolumeFilesystem
	size := corev1.ResourceList{corev1.ResourceStorage: *resource.NewQuantity(c.Size, resource.BinarySI)}
	access := []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
	pv := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: c.Volume}, Spec: corev1.PersistentVolumeSpec{
		Capacity: size, AccessModes: access, VolumeMode: &mode, StorageClassName: class,
		PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
		ClaimRef:                      &corev1.ObjectReference{Kind: "PersistentVolumeClaim", APIVersion: "v1", Namespace: c.Namespace, Name: c.Name},
		PersistentVolumeSource: corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{
			Driver: DriverName, VolumeHandle: c.Volume, FSType: "ext4"}},
	}}
	if _, err := client.CoreV1().PersistentVolumes().Create(ctx, pv, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("volume of claim %s: %w", c.Name, err)
	}
	pvc := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: c.Namespace, Name: c.Name}, Spec: corev1.PersistentVolumeClaimSpec{
		AccessModes: access, VolumeMode: &mode, StorageClassName: &class, VolumeName: c.Volume,
		Resources: corev1.VolumeResourceRequirements{Requests: size},
	}}
	claims := client.CoreV1().PersistentVolumeClaims(c.Namespace)
	if _, err := claims.Create(ctx, pvc, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("claim %s: %w", c.Name, err)
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		now, err := claims.Get(ctx, c.Name, metav1.GetOptions{})
		if err == nil && now.Status.Phase == corev1.ClaimBound {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for claim %s to be bound: %w", c.Name, context.Cause(ctx))
		case <-tick.C:
		}
	}
}
