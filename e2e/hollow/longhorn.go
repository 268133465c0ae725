// SPDX-License-Identifier: Apache-2.0

package hollow

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Names in a Longhorn installation, as its manifests give them.
const (
	LonghornNamespace = "longhorn-system"
	StorageClassName  = "longhorn"
	ServiceAccount    = "longhorn-service-account"
	ManagerDaemonSet  = "longhorn-manager"
	CSIDaemonSet      = "longhorn-csi-plugin"
)

// EngineImage is the name of the EngineImage object of a Longhorn version, of
// which the DaemonSet's name is "engine-image-" and this. Longhorn hashes the
// image's name; the one of v1.8.1 is ei-db6c2b6f.
const EngineImage = "ei-db6c2b6f"

// Longhorn describes the Kubernetes side of a Longhorn installation: everything
// but its own kinds and its instance managers, which its manager makes.
type Longhorn struct {
	// Version, such as "v1.8.1".
	Version string
	// EngineImage is the name of the EngineImage object, such as EngineImage.
	EngineImage string
}

// Install creates the namespace, the service account, the priority class, the
// CSIDriver, the StorageClass and the DaemonSets, and returns without waiting
// for pods.
func (l Longhorn) Install(ctx context.Context, client kubernetes.Interface) error {
	if err := l.installBasics(ctx, client); err != nil {
		return fmt.Errorf("install Longhorn's objects: %w", err)
	}
	for _, set := range l.DaemonSets() {
		if _, err := client.AppsV1().DaemonSets(LonghornNamespace).Create(ctx, set, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("install Longhorn's objects: %w", err)
		}
	}
	return nil
}

func (l Longhorn) installBasics(ctx context.Context, client kubernetes.Interface) error {
	_, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: LonghornNamespace}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	_, err = client.CoreV1().ServiceAccounts(LonghornNamespace).Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: ServiceAccount}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	_, err = client.SchedulingV1().PriorityClasses().Create(ctx, &schedulingv1.PriorityClass{
		ObjectMeta: metav1.ObjectMeta{Name: "longhorn-critical"}, Value: 1000000000,
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	yes := true
	_, err = client.StorageV1().CSIDrivers().Create(ctx, &storagev1.CSIDriver{
		ObjectMeta: metav1.ObjectMeta{Name: DriverName},
		Spec: storagev1.CSIDriverSpec{AttachRequired: &yes, PodInfoOnMount: &yes,
			VolumeLifecycleModes: []storagev1.VolumeLifecycleMode{storagev1.VolumeLifecyclePersistent}},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	_, err = client.StorageV1().StorageClasses().Create(ctx, &storagev1.StorageClass{
		ObjectMeta:           metav1.ObjectMeta{Name: StorageClassName, Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"}},
		Provisioner:          DriverName,
		AllowVolumeExpansion: &yes,
		Parameters:           map[string]string{"numberOfReplicas": "2", "staleReplicaTimeout": "30", "fsType": "ext4"},
	}, metav1.CreateOptions{})
	return err
}

// DaemonSets returns Longhorn's three DaemonSets. Their pods run on every node
// without a taint.
func (l Longhorn) DaemonSets() []*appsv1.DaemonSet {
	manager := "longhornio/longhorn-manager:" + l.Version
	return []*appsv1.DaemonSet{
		l.daemonSet(ManagerDaemonSet, manager, map[string]string{"app": ManagerDaemonSet}),
		l.daemonSet(CSIDaemonSet, manager, map[string]string{"app": CSIDaemonSet, "longhorn.io/component": "csi"}),
		l.daemonSet("engine-image-"+l.EngineImage, "longhornio/longhorn-engine:"+l.Version, map[string]string{
			"longhorn.io/component": "engine-image", "longhorn.io/engine-image": l.EngineImage, "longhorn.io/managed-by": "longhorn-manager",
		}),
	}
}

func (l Longhorn) daemonSet(name, image string, labels map[string]string) *appsv1.DaemonSet {
	return &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: LonghornNamespace, Name: name, Labels: labels},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
				ServiceAccountName: ServiceAccount, PriorityClassName: "longhorn-critical",
				Containers: []corev1.Container{{Name: name, Image: image}},
			}},
		},
	}
}

// WaitDaemonSets waits until each of Longhorn's DaemonSets has a ready pod on
// every node it is meant for, and on at least the given number of nodes.
func (l Longhorn) WaitDaemonSets(ctx context.Context, client kubernetes.Interface, nodes int) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		missing := ""
		for _, set := range l.DaemonSets() {
			now, err := client.AppsV1().DaemonSets(LonghornNamespace).Get(ctx, set.Name, metav1.GetOptions{})
			if err != nil || now.Status.NumberReady != now.Status.DesiredNumberScheduled || int(now.Status.NumberReady) < nodes {
				missing = set.Name
			}
		}
		if missing == "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for DaemonSet %s: %w", missing, context.Cause(ctx))
		case <-tick.C:
		}
	}
}
