// SPDX-License-Identifier: Apache-2.0

package model

import (
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
)

// salvageWindow is how far apart the failures of replicas may be that are
// salvaged together (v1.8.1 AutoSalvageTimeLimit).
const salvageWindow = time.Minute

// salvage makes a volume faulted when all its replicas have failed, and, once
// it is detached, brings back those whose disks are there (v1.8.1
// controller/volume_controller.go ReconcileVolumeState). What cannot be brought
// back leaves the volume faulted.
func (m *Model) salvage(v *longhorn.Volume, e *longhorn.Engine) {
	if !allFailed(m.replicas.of(v.Name)) {
		if v.Status.Robustness == longhorn.VolumeRobustnessFaulted && v.Status.State == longhorn.VolumeStateDetached {
			set(m, v, &v.Status.Robustness, longhorn.VolumeRobustnessUnknown)
			set(m, v, &v.Status.RemountRequestedAt, m.stamp())
			return
		}
		if e.Status.CurrentState == longhorn.InstanceStateError && (v.Status.CurrentNodeID != "" || v.Spec.NodeID != "") {
			set(m, v, &v.Status.Robustness, longhorn.VolumeRobustnessFaulted)
		}
		return
	}
	set(m, v, &v.Status.Robustness, longhorn.VolumeRobustnessFaulted)
	if v.Status.State != longhorn.VolumeStateDetached || !m.settingBool(settingAutoSalvage) {
		return
	}
	var usable []*longhorn.Replica
	var latest time.Time
	for _, r := range m.replicas.of(v.Name) {
		if r.Spec.HealthyAt == "" || m.nodeDown(r.Spec.NodeID) || !m.diskSchedulable(r) {
			continue
		}
		usable = append(usable, r)
		if at := parseStamp(r.Spec.FailedAt); at.After(latest) {
			latest = at
		}
	}
	for _, r := range usable {
		if latest.Sub(parseStamp(r.Spec.FailedAt)) <= salvageWindow {
			set(m, r, &r.Spec.FailedAt, "")
			set(m, v, &v.Status.Robustness, longhorn.VolumeRobustnessUnknown)
			set(m, v, &v.Status.RemountRequestedAt, m.stamp())
		}
	}
}

// allFailed: no replica is left that may hold data, and at least one failed.
func allFailed(rs []*longhorn.Replica) bool {
	first, failed, healthy := true, 0, 0
	for _, r := range rs {
		first = first && r.Spec.HealthyAt == ""
		if r.Spec.FailedAt != "" {
			failed++
		} else if r.Spec.HealthyAt != "" && r.Spec.Active {
			healthy++
		}
	}
	if first {
		return failed > 0 && failed == len(rs)
	}
	return failed > 0 && healthy == 0
}

func (m *Model) diskSchedulable(r *longhorn.Replica) bool {
	n := m.nodes.get(r.Spec.NodeID)
	if n == nil {
		return false
	}
	for _, s := range n.Status.DiskStatus {
		if s.DiskUUID == r.Spec.DiskID && isTrue(s.Conditions, longhorn.DiskConditionTypeSchedulable) {
			return true
		}
	}
	return false
}
