// SPDX-License-Identifier: Apache-2.0

package hollow

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// DriverName is the CSI driver whose volumes are attached and mounted.
const DriverName = "driver.longhorn.io"

// Mount is one use of a volume by one pod on one node.
type Mount struct {
	Node     string    // name of the Node
	Volume   string    // name of the PersistentVolume
	Handle   string    // its volume handle; Longhorn's volume name
	Pod      types.UID // who uses it
	PodName  string    // namespace/name, for messages
	ReadOnly bool
}

// VolumeDriver is the node side of a storage system. Its methods may be called
// concurrently, and again after an error, until they succeed.
type VolumeDriver interface {
	// Mount makes the volume usable by the pod. It is called when the Node's
	// status and the VolumeAttachment both say attached; the pod starts after it.
	// A machine that is switched off cancels ctx, and its mounts are gone
	// without Unmount (see Fleet.Nodes for which machines are on).
	Mount(ctx context.Context, m Mount) error
	// Unmount ends what Mount began, also where Mount failed. It is called after
	// the pod's containers have ended, before the pod is removed and before the
	// volume can be detached.
	Unmount(ctx context.Context, m Mount) error
}

// inUse is node.status.volumesInUse: what the attach-detach controller must not
// detach from the node, because a pod has it or is about to.
type inUse struct {
	mu   sync.Mutex // held while the status is written, so that it is in order
	pods map[corev1.UniqueVolumeName]map[types.UID]bool
}

func uniqueName(m Mount) corev1.UniqueVolumeName {
	return corev1.UniqueVolumeName("kubernetes.io/csi/" + DriverName + "^" + m.Handle)
}

// take notes that a pod is about to use a volume, and reports it.
func (k *kubelet) take(ctx context.Context, m Mount) error {
	k.volumes.mu.Lock()
	defer k.volumes.mu.Unlock()
	name := uniqueName(m)
	users := k.volumes.pods[name]
	if users[m.Pod] {
		return nil
	}
	if len(users) == 0 {
		if err := k.reportInUse(ctx, append(slices.Collect(maps.Keys(k.volumes.pods)), name)); err != nil {
			return err
		}
		users = map[types.UID]bool{}
		k.volumes.pods[name] = users
	}
	users[m.Pod] = true
	return nil
}

// release notes that a pod does not use a volume any more, and reports it.
func (k *kubelet) release(ctx context.Context, name corev1.UniqueVolumeName, pod types.UID) error {
	k.volumes.mu.Lock()
	defer k.volumes.mu.Unlock()
	users := k.volumes.pods[name]
	if !users[pod] {
		return nil
	}
	if len(users) == 1 {
		rest := slices.DeleteFunc(slices.Collect(maps.Keys(k.volumes.pods)), func(n corev1.UniqueVolumeName) bool { return n == name })
		if err := k.reportInUse(ctx, rest); err != nil {
			return err
		}
		delete(k.volumes.pods, name)
		return nil
	}
	delete(users, pod)
	return nil
}

// reportInUse writes the list, unless the Node is gone: then nobody waits for it.
func (k *kubelet) reportInUse(ctx context.Context, names []corev1.UniqueVolumeName) error {
	if k.cachedNode() == nil {
		return nil
	}
	slices.Sort(names)
	_, err := k.fleet.patchNode(ctx, k.name, k.uid, map[string]any{"volumesInUse": names})
	if err != nil {
		return fmt.Errorf("report volumes in use: %w", err)
	}
	return nil
}

// mount waits for all the pod's volumes and mounts them; an error says what is
// still missing.
func (w *podWorker) mount(ctx context.Context) error {
	mounts, err := w.k.mountsOf(w.seen())
	if err != nil {
		return err
	}
	for claim, m := range mounts {
		if err := w.k.take(ctx, m); err != nil {
			return err
		}
		if w.mounts[claim].done {
			continue
		}
		if err := w.mountOne(ctx, claim, m); err != nil {
			return err
		}
	}
	return nil
}

// mountState is how far the mount of one claim is: not in the map, begun, done.
type mountState struct {
	mount Mount
	done  bool
}

func (w *podWorker) mountOne(ctx context.Context, claim string, m Mount) error {
	attached, err := w.k.attached(m)
	if err != nil {
		return err
	}
	if !attached {
		return fmt.Errorf("volume %s is not attached to %s", m.Volume, m.Node)
	}
	w.mounts[claim] = mountState{mount: m}
	if d := w.k.fleet.opts.Driver; d != nil {
		if err := d.Mount(ctx, m); err != nil {
			return fmt.Errorf("mount %s: %w", m.Volume, err)
		}
	}
	w.mounts[claim] = mountState{mount: m, done: true}
	return nil
}

// unmount ends all mounts and releases all volumes of the pod.
func (w *podWorker) unmount(ctx context.Context) error {
	for claim, s := range w.mounts {
		if d := w.k.fleet.opts.Driver; d != nil {
			if err := d.Unmount(ctx, s.mount); err != nil {
				return fmt.Errorf("unmount %s: %w", s.mount.Volume, err)
			}
		}
		delete(w.mounts, claim)
	}
	return w.k.releaseAll(ctx, w.seen().UID)
}

// mountsOf resolves the pod's claims to volumes of the driver, by claim name.
func (k *kubelet) mountsOf(pod *corev1.Pod) (map[string]Mount, error) {
	core := k.fleet.watched.factory.Core().V1()
	mounts := map[string]Mount{}
	for _, v := range pod.Spec.Volumes {
		claimName, readOnly := claimOf(pod, v)
		if claimName == "" {
			continue
		}
		claim, err := core.PersistentVolumeClaims().Lister().PersistentVolumeClaims(pod.Namespace).Get(claimName)
		if err != nil {
			return nil, err
		}
		if claim.Status.Phase != corev1.ClaimBound || claim.Spec.VolumeName == "" {
			return nil, fmt.Errorf("claim %s is not bound", claimName)
		}
		pv, err := core.PersistentVolumes().Lister().Get(claim.Spec.VolumeName)
		if err != nil {
			return nil, err
		}
		if pv.Spec.CSI == nil || pv.Spec.CSI.Driver != DriverName {
			continue
		}
		mounts[claimName] = Mount{
			Node: k.name, Volume: pv.Name, Handle: pv.Spec.CSI.VolumeHandle,
			Pod: pod.UID, PodName: pod.Namespace + "/" + pod.Name, ReadOnly: readOnly || pv.Spec.CSI.ReadOnly,
		}
	}
	return mounts, nil
}

// claimOf returns the claim behind a volume of a pod, "" if there is none.
func claimOf(pod *corev1.Pod, v corev1.Volume) (string, bool) {
	switch {
	case v.PersistentVolumeClaim != nil:
		return v.PersistentVolumeClaim.ClaimName, v.PersistentVolumeClaim.ReadOnly
	case v.Ephemeral != nil:
		return pod.Name + "-" + v.Name, false
	}
	return "", false
}

// attached says whether the attach-detach controller and the storage agree that
// the volume is attached to the node: the controller by node.status (which a
// kubelet asks first), the storage by the VolumeAttachment.
func (k *kubelet) attached(m Mount) (bool, error) {
	node := k.cachedNode()
	if node == nil || !slices.ContainsFunc(node.Status.VolumesAttached, func(v corev1.AttachedVolume) bool { return v.Name == uniqueName(m) }) {
		return false, nil
	}
	all, err := k.fleet.watched.factory.Storage().V1().VolumeAttachments().Lister().List(labels.Everything())
	if err != nil {
		return false, err
	}
	for _, a := range all {
		pv := a.Spec.Source.PersistentVolumeName
		if a.Spec.NodeName == m.Node && pv != nil && *pv == m.Volume && a.Status.Attached && a.DeletionTimestamp == nil {
			return true, nil
		}
	}
	return false, nil
}

// releaseAll releases whatever the pod has taken, mounted or not.
func (k *kubelet) releaseAll(ctx context.Context, pod types.UID) error {
	k.volumes.mu.Lock()
	var taken []corev1.UniqueVolumeName
	for name, users := range k.volumes.pods {
		if users[pod] {
			taken = append(taken, name)
		}
	}
	k.volumes.mu.Unlock()
	for _, name := range taken {
		if err := k.release(ctx, name, pod); err != nil {
			return err
		}
	}
	return nil
}
