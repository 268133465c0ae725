// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"maps"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
)

// advance moves a volume one step towards being attached to spec.nodeID, or
// detached (v1.8.1 controller/volume_controller.go
// reconcileAttachDetachStateMachine). Attached means that the engine runs; the
// modes of its replicas, and with them the robustness, are known later.
func (m *Model) advance(v *longhorn.Volume, e *longhorn.Engine) {
	want, have, state := v.Spec.NodeID, v.Status.CurrentNodeID, v.Status.State
	stay := want != "" && want == have && state == longhorn.VolumeStateAttached
	come := want != "" && have == "" && (state == longhorn.VolumeStateDetached || state == longhorn.VolumeStateAttaching)
	switch {
	case stay:
		m.open(v, e, want)
	case come:
		if !m.open(v, e, want) {
			return
		}
		if state == longhorn.VolumeStateDetached {
			set(m, v, &v.Status.State, longhorn.VolumeStateAttaching)
			return
		}
		if m.opened(v, e) {
			set(m, v, &v.Status.CurrentNodeID, want)
			set(m, v, &v.Status.State, longhorn.VolumeStateAttached)
		}
	default:
		m.close(v, e)
		if state != longhorn.VolumeStateDetaching && state != longhorn.VolumeStateDetached {
			set(m, v, &v.Status.State, longhorn.VolumeStateDetaching)
			return
		}
		if m.closed(v, e) {
			set(m, v, &v.Status.CurrentNodeID, "")
			set(m, v, &v.Status.State, longhorn.VolumeStateDetached)
		}
	}
}

// open asks the replicas to run and, when all that may be healthy do, the
// engine (v1.8.1 openVolumeDependentResources). Two of its habits matter most:
// a replica whose node is down or gone is marked failed here, and not before;
// and a replica that cannot be started, but is not marked failed, makes the
// volume wait for ever, good replicas or not. It returns false where the real
// one gives up with an error and tries again.
func (m *Model) open(v *longhorn.Volume, e *longhorn.Engine, node string) bool {
	for _, r := range m.replicas.of(v.Name) {
		if r.Spec.NodeID == "" || r.DeletionTimestamp != nil {
			continue
		}
		launchable, known := m.launchable(r)
		switch {
		case !known:
			return false
		case launchable:
			if r.Spec.FailedAt == "" && r.Status.CurrentState == longhorn.InstanceStateStopped {
				set(m, r, &r.Spec.DesireState, longhorn.InstanceStateRunning)
			}
		case v.Status.State != longhorn.VolumeStateAttached || m.nodeDeleted(r.Spec.NodeID):
			m.fail(r)
			set(m, r, &r.Spec.DesireState, longhorn.InstanceStateStopped)
		}
	}
	addresses := map[string]string{}
	for _, r := range m.replicas.of(v.Name) {
		if r.Spec.NodeID == "" || r.Spec.FailedAt != "" || r.DeletionTimestamp != nil || r.Status.CurrentState == longhorn.InstanceStateError {
			continue
		}
		if r.Status.CurrentState != longhorn.InstanceStateRunning {
			return true // wait for it
		}
		addresses[r.Name] = fmt.Sprintf("%s:%d", r.Status.StorageIP, r.Status.Port)
	}
	if len(addresses) == 0 {
		return false
	}
	if e.Spec.NodeID != "" && e.Spec.NodeID != node {
		return false // must detach first
	}
	set(m, e, &e.Spec.NodeID, node)
	m.label(e, "longhornnode", node)
	setMap(m, e, &e.Spec.ReplicaAddressMap, addresses)
	set(m, e, &e.Spec.DesireState, longhorn.InstanceStateRunning)
	set(m, e, &e.Spec.DisableFrontend, v.Status.FrontendDisabled)
	set(m, e, &e.Spec.Frontend, v.Spec.Frontend)
	return true
}

// launchable tells whether an instance manager could start a replica, and
// whether that can be told at all. The disk is not asked about.
func (m *Model) launchable(r *longhorn.Replica) (yes, known bool) {
	if m.nodeDown(r.Spec.NodeID) {
		return false, true
	}
	im := m.managerOf(r.Spec.NodeID)
	if im == nil {
		return false, false
	}
	return managerUsable(im), true
}

func (m *Model) opened(v *longhorn.Volume, e *longhorn.Engine) bool {
	for _, r := range m.replicas.of(v.Name) {
		if r.Status.CurrentState == longhorn.InstanceStateRunning {
			return e.Status.CurrentState == longhorn.InstanceStateRunning
		}
	}
	return false
}

// close stops the engine and then the replicas. Whatever the volume was, its
// robustness is unknown from here on, unless all its replicas have failed
// (v1.8.1 closeVolumeDependentResources).
func (m *Model) close(v *longhorn.Volume, e *longhorn.Engine) {
	if v.Status.Robustness != longhorn.VolumeRobustnessFaulted {
		set(m, v, &v.Status.Robustness, longhorn.VolumeRobustnessUnknown)
	}
	set(m, v, &v.Status.LastDegradedAt, "")
	set(m, e, &e.Spec.NodeID, "")
	set(m, e, &e.Spec.DesireState, longhorn.InstanceStateStopped)
	m.label(e, "longhornnode", "")
	if e.Status.CurrentState != longhorn.InstanceStateStopped {
		return
	}
	rs := m.replicas.of(v.Name)
	used := false
	for _, r := range rs {
		used = used || r.Spec.HealthyAt != ""
	}
	for _, r := range rs {
		if used && r.Spec.HealthyAt == "" && r.Spec.FailedAt == "" {
			m.fail(r) // it was being rebuilt
			if r.Spec.NodeID == "" {
				set(m, r, &r.Spec.RebuildRetryCount, maxRebuildRetries)
			}
		}
		set(m, r, &r.Spec.DesireState, longhorn.InstanceStateStopped)
	}
}

func (m *Model) closed(v *longhorn.Volume, e *longhorn.Engine) bool {
	if e.Status.CurrentState != longhorn.InstanceStateStopped {
		return false
	}
	for _, r := range m.replicas.of(v.Name) {
		if r.Status.CurrentState != longhorn.InstanceStateStopped {
			return false
		}
	}
	return true
}

// fail marks a replica failed now, unless it is already.
func (m *Model) fail(r *longhorn.Replica) {
	if r.Spec.FailedAt == "" {
		set(m, r, &r.Spec.FailedAt, m.stamp())
		set(m, r, &r.Spec.LastFailedAt, m.stamp())
	}
}

// label sets a label that repeats a field.
func (m *Model) label(o Object, key, value string) {
	l := o.GetLabels()
	if l[key] == value {
		if _, ok := l[key]; ok {
			return
		}
	}
	l = maps.Clone(l)
	if l == nil {
		l = map[string]string{}
	}
	l[key] = value
	o.SetLabels(l)
	m.touch(o)
}
