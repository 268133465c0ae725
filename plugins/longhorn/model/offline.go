// SPDX-License-Identifier: Apache-2.0

package model

import (
	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
)

// offlineTicket attaches a detached volume that lacks replicas, for as long as
// they are written, where that is asked for and there is a place for one more;
// it gives way to everybody of a higher priority (v1.12.0
// controller/volume_rebuilding_controller.go). Whether a replica is healthy it
// asks of the object alone: a phantom whose node's name is there again counts.
func (m *Model) offlineTicket(v *longhorn.Volume, a *longhorn.VolumeAttachment, e *longhorn.Engine) {
	if !m.options.Behaviour.OfflineRebuilding {
		return
	}
	id := longhorn.GetAttachmentTicketID(longhorn.AttacherTypeVolumeRebuildingController, v.Name)
	_, has := a.Spec.AttachmentTickets[id]
	wanted := m.wantsOffline(v) && !outranked(a, longhorn.AttacherTypeVolumeRebuildingController)
	switch {
	case wanted && v.Status.State == longhorn.VolumeStateDetached:
		if !has && !m.healthyOffline(v) && (m.reusable(v) != nil || len(m.candidates(v)) > 0) {
			m.addTicket(a, longhorn.AttachmentTicket{
				ID: id, Type: longhorn.AttacherTypeVolumeRebuildingController, NodeID: v.Status.OwnerID,
				Parameters: map[string]string{longhorn.AttachmentParameterDisableFrontend: longhorn.AnyValue},
			})
		}
	case wanted && (v.Status.State == longhorn.VolumeStateAttaching || len(e.Status.ReplicaModeMap) == 0):
	case wanted && rebuildsOffline(v, e) && condition(v.Status.Conditions, longhorn.VolumeConditionTypeScheduled).Status != longhorn.ConditionStatusFalse:
	case has:
		delete(a.Spec.AttachmentTickets, id)
		m.touch(a)
	}
}

func (m *Model) wantsOffline(v *longhorn.Volume) bool {
	if v.DeletionTimestamp != nil || v.Status.Robustness == longhorn.VolumeRobustnessFaulted {
		return false
	}
	switch v.Spec.OfflineRebuilding {
	case longhorn.VolumeOfflineRebuildingEnabled:
		return true
	case longhorn.VolumeOfflineRebuildingDisabled:
		return false
	default:
		return m.settingBool(settingOffline)
	}
}

// outranked reports whether a ticket of a higher priority is there.
func outranked(a *longhorn.VolumeAttachment, by longhorn.AttacherType) bool {
	for _, t := range a.Spec.AttachmentTickets {
		if longhorn.GetAttacherPriorityLevel(t.Type) > longhorn.GetAttacherPriorityLevel(by) {
			return true
		}
	}
	return false
}

func (m *Model) healthyOffline(v *longhorn.Volume) bool {
	healthy := 0
	for _, r := range m.replicas.of(v.Name) {
		fresh := r.Spec.LastFailedAt == "" && r.Spec.LastHealthyAt == ""
		if r.Spec.NodeID == r.Status.OwnerID && r.Spec.FailedAt == "" && (r.Spec.HealthyAt != "" || fresh) {
			healthy++
		}
	}
	return healthy >= v.Spec.NumberOfReplicas
}

// rebuildsOffline: one is being written, or fewer than wanted are read-write.
func rebuildsOffline(v *longhorn.Volume, e *longhorn.Engine) bool {
	healthy := 0
	for _, mode := range e.Status.ReplicaModeMap {
		if mode == longhorn.ReplicaModeWO {
			return true
		}
		if mode == longhorn.ReplicaModeRW {
			healthy++
		}
	}
	return healthy < v.Spec.NumberOfReplicas
}
