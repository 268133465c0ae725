// SPDX-License-Identifier: Apache-2.0

package model

import (
	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
)

// advanceBySpec and the rest of this file are v1.4.0
// controller/volume_controller.go ReconcileVolumeState, before there were
// tickets: the volume's own spec says where it shall be, the status takes that
// over as soon as the volume is detached, and everything else follows the
// status. While a replica is to leave, a volume that nobody asked for is
// attached to its owner, without a device.
func (m *Model) advanceBySpec(v *longhorn.Volume, e *longhorn.Engine) {
	m.aim(v)
	node := v.Status.CurrentNodeID
	set(m, v, &v.Status.FrontendDisabled, v.Spec.DisableFrontend || v.Spec.NodeID == "" && node != "")
	if node != "" {
		if !m.open(v, e, node) {
			return
		}
		switch {
		case v.Status.State == longhorn.VolumeStateDetached:
			set(m, v, &v.Status.State, longhorn.VolumeStateAttaching)
		case v.Status.State == longhorn.VolumeStateAttaching && m.opened(v, e):
			set(m, v, &v.Status.State, longhorn.VolumeStateAttached)
		}
		return
	}
	m.close(v, e)
	if v.Status.State != longhorn.VolumeStateDetaching && v.Status.State != longhorn.VolumeStateDetached {
		set(m, v, &v.Status.State, longhorn.VolumeStateDetaching)
		return
	}
	if m.closed(v, e) {
		set(m, v, &v.Status.State, longhorn.VolumeStateDetached)
	}
}

// aim decides where the volume shall be now. What is attached and asked for
// elsewhere stays where it is: the real one returns an error, again and again.
func (m *Model) aim(v *longhorn.Volume) {
	s := &v.Status
	detached := s.State == longhorn.VolumeStateDetached
	evicting := m.evicting(v.Name)
	scheduled := condition(s.Conditions, longhorn.VolumeConditionTypeScheduled).Status == longhorn.ConditionStatusTrue
	due := m.held(waitKey(v, "evict"), evicting && detached, m.options.Timing.Evict)
	switch {
	case s.Robustness == longhorn.VolumeRobustnessFaulted:
		set(m, v, &s.CurrentNodeID, "")
	case s.CurrentNodeID != "":
		if v.Spec.NodeID == "" && !evicting {
			set(m, v, &s.CurrentNodeID, "")
		}
	case detached && v.Spec.NodeID != "":
		set(m, v, &s.CurrentNodeID, v.Spec.NodeID)
	case due && scheduled:
		set(m, v, &s.CurrentNodeID, s.OwnerID)
	}
}

// target is the node that a volume is on its way to, or on.
func (m *Model) target(v *longhorn.Volume) string {
	if m.options.Behaviour.AttachesBySpec {
		return v.Status.CurrentNodeID
	}
	return v.Spec.NodeID
}
