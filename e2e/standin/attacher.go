// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"context"
	"errors"
	"fmt"

	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// attacherFinalizer is external-attacher's for this driver.
const attacherFinalizer = "external-attacher/driver-longhorn-io"

// attachments returns Kubernetes' VolumeAttachments of the driver with the
// Longhorn volume that each is about.
func (s *Standin) attachments() map[*storagev1.VolumeAttachment]string {
	all, err := s.watched.kube.Storage().V1().VolumeAttachments().Lister().List(labels.Everything())
	if err != nil {
		return nil // it is a read from memory
	}
	out := map[*storagev1.VolumeAttachment]string{}
	for _, va := range all {
		if va.Spec.Attacher != hollow.DriverName || va.Spec.Source.PersistentVolumeName == nil {
			continue
		}
		pv, err := s.watched.kube.Core().V1().PersistentVolumes().Lister().Get(*va.Spec.Source.PersistentVolumeName)
		if err == nil && pv.Spec.CSI != nil {
			out[va] = pv.Spec.CSI.VolumeHandle
		}
	}
	return out
}

// askForVolumes asks for the volume of each VolumeAttachment, and takes that back
// when it is deleted.
func (s *Standin) askForVolumes() {
	for va, volume := range s.attachments() {
		s.ask(va, volume)
	}
}

// ask is what the CSI plugin does when external-attacher calls it. It tells
// whether the volume is there, and of an attachment that is deleted whether the
// volume has left.
func (s *Standin) ask(va *storagev1.VolumeAttachment, volume string) (there, left bool) {
	switch {
	case va.DeletionTimestamp != nil:
		return false, s.model.Unpublish(volume, va.Name, va.Spec.NodeName)
	case len(va.Finalizers) == 0:
		return false, false
	}
	there, err := s.model.Publish(volume, va.Name, va.Spec.NodeName)
	if errors.Is(err, model.ErrBusy) {
		s.opts.Log.Info("a pod is refused its volume", "volume", volume, "error", err)
	}
	return there, false
}

// flushAttachments tells Kubernetes how its VolumeAttachments are doing.
func (s *Standin) flushAttachments(ctx context.Context) error {
	var failed error
	for va, volume := range s.attachments() {
		err := s.flushAttachment(ctx, va, volume)
		if err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			failed = errors.Join(failed, fmt.Errorf("volume attachment %s: %w", va.Name, err))
		}
	}
	return failed
}

func (s *Standin) flushAttachment(ctx context.Context, va *storagev1.VolumeAttachment, volume string) error {
	s.mu.Lock()
	there, left := s.ask(va, volume)
	s.mu.Unlock()
	api := s.kube.StorageV1().VolumeAttachments()
	va = va.DeepCopy()
	var err error
	switch {
	case va.DeletionTimestamp != nil:
		if left && len(va.Finalizers) > 0 {
			va.Finalizers = nil
			_, err = api.Update(ctx, va, metav1.UpdateOptions{})
		}
	case len(va.Finalizers) == 0:
		va.Finalizers = []string{attacherFinalizer}
		_, err = api.Update(ctx, va, metav1.UpdateOptions{})
	case there && !va.Status.Attached:
		va.Status.Attached = true
		_, err = api.UpdateStatus(ctx, va, metav1.UpdateOptions{})
	}
	return err
}
