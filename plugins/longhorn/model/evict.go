// SPDX-License-Identifier: Apache-2.0

package model

import (
	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
)

// syncEvictionRequests passes the request to leave a node, or a disk, on to the
// replicas that are scheduled there, and under the block-for-eviction policies
// makes one of a cordon (v1.8.1 controller/node_controller.go
// syncReplicaEvictionRequested).
func (m *Model) syncEvictionRequests() {
	for _, n := range m.nodes.all() {
		changed := max(m.last(ofFacts, ofSettings, ofNodes, ofManagers, ofBudgets), m.lain(n))
		if m.kube[n.Name].Unschedulable && m.setting(settingDrainPolicy) == policyBlockEvictLast {
			changed = max(changed, m.last(ofReplicas)) // those elsewhere
		}
		m.lookAfter(evictionController, n, changed, func() { m.requestEvictions(n) })
	}
}

func (m *Model) requestEvictions(n *longhorn.Node) {
	auto := false
	for _, disk := range keys(n.Spec.Disks) {
		spec, s := n.Spec.Disks[disk], n.Status.DiskStatus[disk]
		if s == nil {
			continue
		}
		for _, name := range keys(s.ScheduledReplica) {
			r := m.replicas.get(name)
			if r == nil {
				continue
			}
			evict, err := m.shouldEvict(n, spec, r)
			if err != nil {
				continue
			}
			set(m, r, &r.Spec.EvictionRequested, evict)
			auto = auto || evict && !n.Spec.EvictionRequested && !spec.EvictionRequested
		}
	}
	set(m, n, &n.Status.AutoEvicting, auto)
}

func (m *Model) shouldEvict(n *longhorn.Node, disk longhorn.DiskSpec, r *longhorn.Replica) (bool, error) {
	k, ok := m.kube[n.Name]
	if !ok || m.nodeDown(n.Name) {
		return false, nil
	}
	if n.Spec.EvictionRequested || disk.EvictionRequested {
		return true, nil
	}
	if !k.Unschedulable {
		return false, nil
	}
	switch m.setting(settingDrainPolicy) {
	case policyBlockEvict:
		return true, nil
	case policyBlockEvictLast:
		elsewhere, err := m.protectedElsewhere(r.Spec.VolumeName, r.Spec.NodeID)
		return !elsewhere, err
	}
	return false, nil
}

// evictionTicket attaches a volume for as long as one of its replicas is to
// leave, if there is a place for one more; if there is none, nothing tells
// (v1.8.1 controller/volume_eviction_controller.go). The node is the volume's
// owner, which may be the very node that is being emptied.
func (m *Model) evictionTicket(v *longhorn.Volume, a *longhorn.VolumeAttachment) {
	id := longhorn.GetAttachmentTicketID(longhorn.AttacherTypeVolumeEvictionController, v.Name)
	evicting := m.evicting(v.Name)
	moves := v.Status.State != longhorn.VolumeStateDetached || !m.options.Behaviour.ForgetsDetached
	due := m.held(waitKey(a, "evict"), evicting && moves, m.options.Timing.Evict)
	_, has := a.Spec.AttachmentTickets[id]
	switch {
	case !evicting && has:
		delete(a.Spec.AttachmentTickets, id)
		m.touch(a)
	case evicting && due && !has && v.DeletionTimestamp == nil && len(m.candidates(v)) > 0:
		m.addTicket(a, longhorn.AttachmentTicket{
			ID: id, Type: longhorn.AttacherTypeVolumeEvictionController, NodeID: v.Status.OwnerID,
			Parameters: map[string]string{longhorn.AttachmentParameterDisableFrontend: longhorn.AnyValue},
		})
	}
}

func (m *Model) evicting(volume string) bool {
	for _, r := range m.replicas.of(volume) {
		if r.Spec.EvictionRequested {
			return true
		}
	}
	return false
}

// evictReplicas adds one replica to a healthy volume that is being evicted. The
// old one goes when the new one is healthy, in cleanup (v1.8.1
// controller/volume_controller.go EvictReplicas).
func (m *Model) evictReplicas(v *longhorn.Volume, e *longhorn.Engine, healthy int) {
	for _, r := range m.replicas.of(v.Name) {
		if r.Spec.EvictionRequested && e.Status.ReplicaModeMap[r.Name] == longhorn.ReplicaModeRW {
			healthy--
		}
		if r.Spec.HealthyAt == "" && r.Spec.FailedAt == "" {
			return // one is on its way
		}
	}
	if healthy < v.Spec.NumberOfReplicas {
		m.replenish(v, e)
	}
}
