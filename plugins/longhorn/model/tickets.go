// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"maps"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
)

// addTicket and the rest of this file are v1.8.1
// controller/volume_attachment_controller.go: who wants a volume attached says
// so by a ticket; the ticket of the highest priority gets it when the volume is
// fully detached, and keeps it until it is taken back.
func (m *Model) addTicket(a *longhorn.VolumeAttachment, t longhorn.AttachmentTicket) {
	if a.Spec.AttachmentTickets == nil {
		a.Spec.AttachmentTickets = map[string]*longhorn.AttachmentTicket{}
	}
	a.Spec.AttachmentTickets[t.ID] = &t
	m.touch(a)
}

func (m *Model) syncTickets(v *longhorn.Volume, a *longhorn.VolumeAttachment) {
	m.dropManualTicket(a)
	if v.Spec.NodeID != "" && m.mustDetach(v, a) {
		set(m, v, &v.Spec.NodeID, "")
		m.setParameters(v, nil)
	}
	detached := v.Spec.NodeID == "" && v.Status.CurrentNodeID == "" && v.Status.State == longhorn.VolumeStateDetached
	if detached && v.Status.Robustness != longhorn.VolumeRobustnessFaulted {
		if t := selectTicket(a); t != nil {
			set(m, v, &v.Spec.NodeID, t.NodeID)
			m.setParameters(v, t.Parameters)
		}
	}
	m.syncTicketStatuses(v, a)
}

// dropManualTicket detaches what was attached by hand to a cordoned node, if a
// setting says so.
func (m *Model) dropManualTicket(a *longhorn.VolumeAttachment) {
	if !m.settingBool(settingDetachCordoned) {
		return
	}
	for _, id := range keys(a.Spec.AttachmentTickets) {
		t := a.Spec.AttachmentTickets[id]
		if t.Type == longhorn.AttacherTypeLonghornAPI && m.kube[t.NodeID].Unschedulable {
			delete(a.Spec.AttachmentTickets, id)
			m.touch(a)
			return
		}
	}
}

// mustDetach: a faulted volume, or one that no ticket wants where it is. Only
// snapshot and backup tickets give way to a workload; eviction does not.
func (m *Model) mustDetach(v *longhorn.Volume, a *longhorn.VolumeAttachment) bool {
	if v.Status.Robustness == longhorn.VolumeRobustnessFaulted {
		return true
	}
	wanted, firm, workloadElsewhere := false, false, false
	for _, t := range a.Spec.AttachmentTickets {
		if t.NodeID != v.Spec.NodeID {
			workloadElsewhere = workloadElsewhere || t.Type == longhorn.AttacherTypeCSIAttacher ||
				t.Type == longhorn.AttacherTypeLonghornAPI || t.Type == longhorn.AttacherTypeShareManagerController
			continue
		}
		if compatible(t.Parameters, v) {
			wanted = true
			firm = firm || (t.Type != longhorn.AttacherTypeSnapshotController && t.Type != longhorn.AttacherTypeBackupController)
		}
	}
	return !wanted || (!firm && workloadElsewhere)
}

func selectTicket(a *longhorn.VolumeAttachment) *longhorn.AttachmentTicket {
	var best *longhorn.AttachmentTicket
	for _, id := range keys(a.Spec.AttachmentTickets) {
		t := a.Spec.AttachmentTickets[id]
		if best == nil || longhorn.GetAttacherPriorityLevel(t.Type) > longhorn.GetAttacherPriorityLevel(best.Type) {
			best = t
		}
	}
	return best
}

// setParameters takes the frontend mode from a ticket; "any" leaves it.
func (m *Model) setParameters(v *longhorn.Volume, p map[string]string) {
	switch p[longhorn.AttachmentParameterDisableFrontend] {
	case "", longhorn.FalseValue:
		set(m, v, &v.Spec.DisableFrontend, false)
	case longhorn.TrueValue:
		set(m, v, &v.Spec.DisableFrontend, true)
	}
	set(m, v, &v.Spec.LastAttachedBy, p[longhorn.AttachmentParameterLastAttachedBy])
}

func compatible(p map[string]string, v *longhorn.Volume) bool {
	switch p[longhorn.AttachmentParameterDisableFrontend] {
	case "", longhorn.FalseValue:
		return !v.Spec.DisableFrontend
	case longhorn.TrueValue:
		return v.Spec.DisableFrontend
	}
	return true
}

// syncTicketStatuses says of each ticket whether it has what it wants. It does
// as soon as the volume is attached, long before its replicas are healthy.
func (m *Model) syncTicketStatuses(v *longhorn.Volume, a *longhorn.VolumeAttachment) {
	if a.Status.AttachmentTicketStatuses == nil {
		a.Status.AttachmentTicketStatuses = map[string]*longhorn.AttachmentTicketStatus{}
	}
	for _, id := range keys(a.Status.AttachmentTicketStatuses) {
		if a.Spec.AttachmentTickets[id] == nil {
			delete(a.Status.AttachmentTicketStatuses, id)
			m.touch(a)
		}
	}
	for _, id := range keys(a.Spec.AttachmentTickets) {
		t := a.Spec.AttachmentTickets[id]
		s := a.Status.AttachmentTicketStatuses[id]
		if s == nil {
			s = &longhorn.AttachmentTicketStatus{ID: id}
			a.Status.AttachmentTicketStatuses[id] = s
			m.touch(a)
		}
		c := ticketCondition(t, v)
		set(m, a, &s.Satisfied, c.Status == longhorn.ConditionStatusTrue)
		set(m, a, &s.Generation, t.Generation)
		m.setCondition(a, &s.Conditions, c)
	}
}

func ticketCondition(t *longhorn.AttachmentTicket, v *longhorn.Volume) longhorn.Condition {
	c := longhorn.Condition{Type: longhorn.AttachmentStatusConditionTypeSatisfied, Status: longhorn.ConditionStatusFalse}
	switch {
	case v.Status.CurrentNodeID == "" || v.Status.State != longhorn.VolumeStateAttached:
	case t.NodeID != v.Status.CurrentNodeID:
		c.Message = fmt.Sprintf("the volume is currently attached to different node %s ", v.Status.CurrentNodeID)
	case !compatible(t.Parameters, v):
		c.Reason = longhorn.AttachmentStatusConditionReasonAttachedWithIncompatibleParameters
		c.Message = fmt.Sprintf("volume %s has already attached to node %s with incompatible parameters", v.Name, v.Status.CurrentNodeID)
	default:
		c.Status = longhorn.ConditionStatusTrue
	}
	return c
}

// SetTicket adds or replaces a ticket, as a CSI attacher or a person does.
func (m *Model) SetTicket(volume string, t longhorn.AttachmentTicket) error {
	a := m.attachments.get(volume)
	if a == nil {
		return fmt.Errorf("volume attachment %s: %w", volume, ErrNotFound)
	}
	t.Parameters = maps.Clone(t.Parameters)
	m.addTicket(a, t)
	return nil
}

// RemoveTicket takes a ticket back; one that is not there is no error.
func (m *Model) RemoveTicket(volume, id string) error {
	a := m.attachments.get(volume)
	if a == nil {
		return fmt.Errorf("volume attachment %s: %w", volume, ErrNotFound)
	}
	if a.Spec.AttachmentTickets[id] != nil {
		delete(a.Spec.AttachmentTickets, id)
		m.touch(a)
	}
	return nil
}
