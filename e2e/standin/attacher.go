// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"context"
	"errors"
	"fmt"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
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

// syncTickets makes a ticket of each VolumeAttachment, as the CSI plugin does
// when external-attacher calls it, and takes it back when that is deleted.
func (s *Standin) syncTickets() {
	for va, volume := range s.attachments() {
		a, ok := s.model.Get(model.VolumeAttachments, volume).(*longhorn.VolumeAttachment)
		if !ok {
			continue
		}
		var err error
		switch {
		case va.DeletionTimestamp != nil:
			err = s.model.RemoveTicket(volume, va.Name)
		case len(va.Finalizers) > 0 && a.Spec.AttachmentTickets[va.Name] == nil:
			err = s.model.SetTicket(volume, longhorn.AttachmentTicket{
				ID: va.Name, Type: longhorn.AttacherTypeCSIAttacher, NodeID: va.Spec.NodeName,
				Parameters: map[string]string{longhorn.AttachmentParameterDisableFrontend: longhorn.FalseValue},
			})
		}
		if err != nil {
			s.opts.Log.Error("ticket", "volume", volume, "error", err)
		}
	}
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
	satisfied, released := s.ticketState(va, volume)
	s.mu.Unlock()
	api := s.kube.StorageV1().VolumeAttachments()
	va = va.DeepCopy()
	var err error
	switch {
	case va.DeletionTimestamp != nil:
		if released && len(va.Finalizers) > 0 {
			va.Finalizers = nil
			_, err = api.Update(ctx, va, metav1.UpdateOptions{})
		}
	case len(va.Finalizers) == 0:
		va.Finalizers = []string{attacherFinalizer}
		_, err = api.Update(ctx, va, metav1.UpdateOptions{})
	case satisfied && !va.Status.Attached:
		va.Status.Attached = true
		_, err = api.UpdateStatus(ctx, va, metav1.UpdateOptions{})
	}
	return err
}

// ticketState tells whether a ticket has what it wants, and whether the volume
// has left the node that it named.
func (s *Standin) ticketState(va *storagev1.VolumeAttachment, volume string) (satisfied, released bool) {
	a, ok := s.model.Get(model.VolumeAttachments, volume).(*longhorn.VolumeAttachment)
	if !ok {
		return false, true // the volume is gone
	}
	st := a.Status.AttachmentTicketStatuses[va.Name]
	v, _ := s.model.Get(model.Volumes, volume).(*longhorn.Volume)
	here := v != nil && v.Status.CurrentNodeID == va.Spec.NodeName
	others := false
	for id, t := range a.Spec.AttachmentTickets {
		others = others || id != va.Name && t.NodeID == va.Spec.NodeName
	}
	return st != nil && st.Satisfied, a.Spec.AttachmentTickets[va.Name] == nil && st == nil && (!here || others)
}
