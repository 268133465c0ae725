// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	longhornv1 "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
)

const (
	// attacherFinalizer is external-attacher's for this driver.
	attacherFinalizer = "external-attacher/driver-longhorn-io"
	// attachEvery is how often attachments under way are looked at.
	attachEvery = time.Second
)

// attacher is external-attacher and Longhorn's CSI plugin behind it: it makes a
// ticket of each Kubernetes VolumeAttachment, and says when that is satisfied.
type attacher struct {
	lab     *Lab
	factory informers.SharedInformerFactory
	changed chan struct{}
}

// attachVolumes runs the attacher until ctx ends.
func (l *Lab) attachVolumes(ctx context.Context) error {
	a := &attacher{lab: l, factory: informers.NewSharedInformerFactory(l.kube, 0), changed: make(chan struct{}, 1)}
	a.factory.Core().V1().PersistentVolumes().Informer()
	poke := func(any) {
		select {
		case a.changed <- struct{}{}:
		default:
		}
	}
	_, err := a.factory.Storage().V1().VolumeAttachments().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: poke, UpdateFunc: func(_, o any) { poke(o) },
	})
	if err != nil {
		return fmt.Errorf("watch volume attachments: %w", err)
	}
	a.factory.Start(ctx.Done())
	a.factory.WaitForCacheSync(ctx.Done())
	l.tasks.Go(func() {
		defer a.factory.Shutdown()
		tick := time.NewTicker(attachEvery)
		defer tick.Stop()
		for {
			a.syncAll(ctx)
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			case <-a.changed:
			}
		}
	})
	return nil
}

func (a *attacher) syncAll(ctx context.Context) {
	all, err := a.factory.Storage().V1().VolumeAttachments().Lister().List(labels.Everything())
	if err != nil {
		return // it is a read from memory
	}
	for _, va := range all {
		pv := va.Spec.Source.PersistentVolumeName
		if va.Spec.Attacher != hollow.DriverName || pv == nil || va.Status.Attached && va.DeletionTimestamp == nil {
			continue
		}
		volume, err := a.factory.Core().V1().PersistentVolumes().Lister().Get(*pv)
		if err != nil || volume.Spec.CSI == nil {
			continue
		}
		if err := a.sync(ctx, va.DeepCopy(), volume.Spec.CSI.VolumeHandle); err != nil && ctx.Err() == nil {
			a.lab.log.Info("attachment waits", "volume", volume.Name, "reason", err)
		}
	}
}

// sync takes one attachment a step further.
func (a *attacher) sync(ctx context.Context, va *storagev1.VolumeAttachment, volume string) error {
	api := a.lab.kube.StorageV1().VolumeAttachments()
	lva, err := a.lab.storage.LonghornV1beta2().VolumeAttachments(hollow.LonghornNamespace).Get(ctx, volume, metav1.GetOptions{})
	gone := apierrors.IsNotFound(err)
	if err != nil && !gone {
		return err
	}
	ticket, told := lva.Spec.AttachmentTickets[va.Name], lva.Status.AttachmentTicketStatuses[va.Name]
	switch {
	case va.DeletionTimestamp != nil && ticket != nil:
		return a.setTicket(ctx, volume, va.Name, nil)
	case va.DeletionTimestamp != nil && told == nil && len(va.Finalizers) > 0:
		va.Finalizers = nil
		_, err = api.Update(ctx, va, metav1.UpdateOptions{})
	case va.DeletionTimestamp != nil:
		return nil // Longhorn still detaches
	case gone:
		return errors.New("the volume does not exist")
	case len(va.Finalizers) == 0:
		va.Finalizers = []string{attacherFinalizer}
		_, err = api.Update(ctx, va, metav1.UpdateOptions{})
	case ticket == nil:
		return a.setTicket(ctx, volume, va.Name, &longhornv1.AttachmentTicket{
			ID: va.Name, Type: longhornv1.AttacherTypeCSIAttacher, NodeID: va.Spec.NodeName,
			Parameters: map[string]string{longhornv1.AttachmentParameterDisableFrontend: longhornv1.FalseValue},
		})
	case told != nil && told.Satisfied:
		va.Status.Attached = true
		_, err = api.UpdateStatus(ctx, va, metav1.UpdateOptions{})
	}
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil // seen again soon
	}
	return err
}

// setTicket writes a ticket, or takes it back.
func (a *attacher) setTicket(ctx context.Context, volume, id string, t *longhornv1.AttachmentTicket) error {
	body, err := json.Marshal(map[string]any{"spec": map[string]any{"attachmentTickets": map[string]any{id: t}}})
	if err != nil {
		return fmt.Errorf("ticket: %w", err)
	}
	_, err = a.lab.storage.LonghornV1beta2().VolumeAttachments(hollow.LonghornNamespace).Patch(ctx, volume, types.MergePatchType, body, metav1.PatchOptions{})
	return err
}
