// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
)

// How long external-attacher waits until it asks again for what it was refused:
// twice as long each time.
const (
	firstRetry = time.Second
	lastRetry  = 5 * time.Minute
)

// retry is a request for a volume that was refused.
type retry struct {
	at   time.Time
	wait time.Duration
}

// Publish asks that a workload gets its volume on a node, as external-attacher
// does by way of the CSI plugin; id is the name of the attachment. It is
// called again and again, and reports whether the volume is there, with its
// device. The error says why it was refused; the next request that counts is
// made some time later.
func (m *Model) Publish(volume, id, node string) (bool, error) {
	v := m.volumes.get(volume)
	if v == nil {
		return false, fmt.Errorf("volume %s: %w", volume, ErrNotFound)
	}
	if m.options.Behaviour.AttachesBySpec {
		return m.publishBySpec(v, id, node)
	}
	a := m.attachments.get(volume)
	if a == nil {
		return false, fmt.Errorf("volume attachment %s: %w", volume, ErrNotFound)
	}
	if a.Spec.AttachmentTickets[id] == nil {
		m.addTicket(a, longhorn.AttachmentTicket{
			ID: id, Type: longhorn.AttacherTypeCSIAttacher, NodeID: node,
			Parameters: map[string]string{longhorn.AttachmentParameterDisableFrontend: longhorn.FalseValue},
		})
	}
	s := a.Status.AttachmentTicketStatuses[id]
	return s != nil && s.Satisfied, nil
}

// publishBySpec is v1.4.0 manager/volume.go Attach: whoever comes first has the
// volume, and it must be detached. What is there already without a device is
// not what a pod can use.
func (m *Model) publishBySpec(v *longhorn.Volume, id, node string) (bool, error) {
	if v.Spec.NodeID == node {
		a, ok := m.Attached(v.Name)
		return ok && a.Frontend && v.Status.State == longhorn.VolumeStateAttached, nil
	}
	if r, ok := m.retries[id]; ok && m.now.Before(r.at) {
		return false, nil
	}
	if v.Status.State != longhorn.VolumeStateDetached || v.Spec.NodeID != "" {
		r := retry{wait: min(max(firstRetry, 2*m.retries[id].wait), lastRetry)}
		r.at = m.now.Add(r.wait)
		m.retries[id] = r
		return false, fmt.Errorf("invalid state %s to attach RWO volume %s: %w", v.Status.State, v.Name, ErrBusy)
	}
	delete(m.retries, id)
	set(m, v, &v.Spec.NodeID, node)
	set(m, v, &v.Spec.DisableFrontend, false)
	set(m, v, &v.Spec.LastAttachedBy, "")
	return false, nil
}

// Unpublish takes back what Publish asked for, and reports whether the volume
// has left the node, or is held there for somebody else.
func (m *Model) Unpublish(volume, id, node string) bool {
	delete(m.retries, id)
	v := m.volumes.get(volume)
	if v == nil {
		return true
	}
	here := v.Status.CurrentNodeID == node
	if m.options.Behaviour.AttachesBySpec {
		if v.Spec.NodeID == node { // whoever wrote it: v1.4.0 manager/volume.go Detach
			set(m, v, &v.Spec.NodeID, "")
			set(m, v, &v.Spec.DisableFrontend, false)
			set(m, v, &v.Spec.LastAttachedBy, "")
		}
		return !here
	}
	a := m.attachments.get(volume)
	if a == nil {
		return true
	}
	if a.Spec.AttachmentTickets[id] != nil {
		delete(a.Spec.AttachmentTickets, id)
		m.touch(a)
	}
	others := false
	for _, t := range a.Spec.AttachmentTickets {
		others = others || t.NodeID == node
	}
	return a.Status.AttachmentTicketStatuses[id] == nil && (!here || others)
}

// retryLater has a step when something is asked for again.
func (m *Model) retryLater() {
	for _, id := range keys(m.retries) {
		if at := m.retries[id].at; at.After(m.now) {
			m.wakeAt(at)
		}
	}
}
