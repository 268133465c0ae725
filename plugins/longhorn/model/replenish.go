// SPDX-License-Identifier: Apache-2.0

package model

import (
	"slices"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
)

// replenish gives a volume the replicas that it lacks: all at once when it has
// none, as a new volume does, else one at a time and only while it is attached
// (v1.8.1 controller/volume_controller.go replenishReplicas). Every replica
// that is not marked failed counts as one, whatever its disk holds.
func (m *Model) replenish(v *longhorn.Volume, e *longhorn.Engine) {
	rs := m.replicas.of(v.Name)
	if len(rs) == 0 {
		for range v.Spec.NumberOfReplicas {
			m.insert(m.newReplica(v, e))
		}
		return
	}
	if m.settingInt(settingRebuildLimit) == 0 || v.Status.State != longhorn.VolumeStateAttached || v.Spec.Size != e.Status.CurrentSize {
		return
	}
	if !engineSynced(e, rs) || missing(v, rs) <= 0 {
		return
	}
	if r := m.reusable(v); r != nil && m.held(waitKey(r, "reuse"), true, m.reuseDelay(r)) {
		m.held(waitKey(r, "reuse"), false, 0)
		set(m, r, &r.Spec.FailedAt, "")
		set(m, r, &r.Spec.HealthyAt, "")
		if condition(r.Status.Conditions, longhorn.ReplicaConditionTypeRebuildFailed).Reason == longhorn.ReplicaConditionReasonRebuildFailedGeneral {
			set(m, r, &r.Spec.RebuildRetryCount, r.Spec.RebuildRetryCount+1)
		}
		return
	}
	if wait := m.replenishWait(v); wait > 0 {
		m.wakeAt(m.now.Add(wait))
		return
	}
	if len(m.candidates(v)) == 0 {
		m.setCondition(v, &v.Status.Conditions, longhorn.Condition{
			Type: longhorn.VolumeConditionTypeScheduled, Status: longhorn.ConditionStatusFalse,
			Reason: longhorn.VolumeConditionReasonReplicaSchedulingFailure, Message: "precheck new replica failed",
		})
		return
	}
	r := m.newReplica(v, e)
	r.Spec.RebuildRetryCount = maxRebuildRetries
	m.insert(r)
}

// missing is how many replicas a volume lacks by Longhorn's count.
func missing(v *longhorn.Volume, rs []*longhorn.Replica) int {
	usable := 0
	for _, r := range rs {
		if r.Spec.FailedAt == "" && !r.Spec.EvictionRequested && r.Spec.Active {
			usable++
		}
	}
	return v.Spec.NumberOfReplicas - usable
}

// engineSynced: the engine knows all replicas that it should know and no other,
// and none is being rebuilt.
func engineSynced(e *longhorn.Engine, rs []*longhorn.Replica) bool {
	connected := 0
	for _, r := range rs {
		if r.Spec.FailedAt == "" && r.Spec.NodeID != "" && r.Spec.Active {
			connected++
		}
	}
	if len(e.Spec.ReplicaAddressMap) != connected || len(e.Status.ReplicaModeMap) != connected {
		return false
	}
	for name := range e.Spec.ReplicaAddressMap {
		if e.Status.ReplicaModeMap[name] != longhorn.ReplicaModeRW {
			return false
		}
	}
	for name := range e.Status.CurrentReplicaAddressMap {
		if e.Status.ReplicaModeMap[name] == "" {
			return false
		}
	}
	return true
}

// replenishWait is how long a degraded volume still waits for a failed replica
// to come back before it gets a new one: the replenishment interval since it
// became degraded, but only if a failed replica object is there that might
// (v1.8.1 scheduler/replica_scheduler.go RequireNewReplica). Deleting that
// object ends the wait.
func (m *Model) replenishWait(v *longhorn.Volume) time.Duration {
	if v.Status.Robustness != longhorn.VolumeRobustnessDegraded || !slices.ContainsFunc(m.replicas.of(v.Name), mightReturn) {
		return 0
	}
	return m.untilReplacement(v)
}

func (m *Model) untilReplacement(v *longhorn.Volume) time.Duration {
	interval := time.Duration(m.settingInt(settingReplenishWait)) * time.Second
	due := parseStamp(v.Status.LastDegradedAt).Add(interval)
	m.turnAt(due)
	return max(0, due.Sub(m.now))
}

// mightReturn tells of a failed replica whether it may be used again one day.
func mightReturn(r *longhorn.Replica) bool {
	return r.Spec.FailedAt != "" && r.DeletionTimestamp == nil && r.Spec.NodeID != "" && r.Spec.DiskID != "" &&
		r.Spec.RebuildRetryCount < maxRebuildRetries && !r.Spec.EvictionRequested
}

// reusable returns the failed replica that can be used again now, the one that
// failed last: its very disk is there, ready and open to scheduling (v1.8.1
// isFailedReplicaReusable).
func (m *Model) reusable(v *longhorn.Volume) *longhorn.Replica {
	var best *longhorn.Replica
	for _, r := range m.replicas.of(v.Name) {
		if !mightReturn(r) || !m.kube[r.Spec.NodeID].EngineImage || !managerRuns(m.managerOf(r.Spec.NodeID)) || !m.diskOpen(v, r) {
			continue
		}
		if best == nil || parseStamp(r.Spec.FailedAt).After(parseStamp(best.Spec.FailedAt)) {
			best = r
		}
	}
	return best
}

func (m *Model) diskOpen(v *longhorn.Volume, r *longhorn.Replica) bool {
	n := m.nodes.get(r.Spec.NodeID)
	if n == nil || n.DeletionTimestamp != nil || !isTrue(n.Status.Conditions, longhorn.NodeConditionTypeReady) ||
		!isTrue(n.Status.Conditions, longhorn.NodeConditionTypeSchedulable) || !n.Spec.AllowScheduling {
		return false
	}
	for _, name := range keys(n.Status.DiskStatus) {
		spec, s := n.Spec.Disks[name], n.Status.DiskStatus[name]
		if s.DiskUUID == r.Spec.DiskID {
			return isTrue(s.Conditions, longhorn.DiskConditionTypeReady) && isTrue(s.Conditions, longhorn.DiskConditionTypeSchedulable) &&
				spec.AllowScheduling && !spec.EvictionRequested && hasTags(spec.Tags, v.Spec.DiskSelector, m.settingBool(settingEmptyDiskTags))
		}
	}
	return false
}

// reuseDelay backs off from a replica whose rebuild has failed before.
func (m *Model) reuseDelay(r *longhorn.Replica) time.Duration {
	if isTrue(r.Status.Conditions, longhorn.ReplicaConditionTypeRebuildFailed) {
		return m.options.Timing.Reuse
	}
	return 0
}

// cleanup deletes replicas that are not needed (v1.8.1 cleanupReplicas):
// failed ones that were tried too often or are stale, if a replica is left that
// passes for safe; unscheduled ones of a volume with enough; and, when more
// than enough pass for healthy, one that is to be evicted. It runs for detached
// volumes too, and looks at objects only.
func (m *Model) cleanup(v *longhorn.Volume) {
	rs := m.replicas.of(v.Name)
	safe, healthy := 0, 0
	for _, r := range rs {
		if passesForHealthy(r) {
			healthy++
			if r.Spec.LastFailedAt == "" || parseStamp(r.Spec.LastHealthyAt).After(parseStamp(r.Spec.LastFailedAt)) {
				safe++
			}
		}
	}
	for _, r := range rs {
		switch {
		case r.DeletionTimestamp != nil:
		case r.Spec.FailedAt != "" && m.spent(v, r, safe):
			m.remove(r)
		case r.Spec.HealthyAt == "" && r.Spec.NodeID == "" && r.Spec.FailedAt == "" && healthy >= v.Spec.NumberOfReplicas && !m.evicting(v.Name):
			m.remove(r)
		}
	}
	if healthy > v.Spec.NumberOfReplicas {
		m.removeEvicted(rs)
	}
}

func passesForHealthy(r *longhorn.Replica) bool {
	return r.Spec.FailedAt == "" && r.Spec.HealthyAt != "" && r.Spec.Active && r.DeletionTimestamp == nil
}

func (m *Model) spent(v *longhorn.Volume, r *longhorn.Replica, safe int) bool {
	if r.Spec.LastHealthyAt != "" && safe == 0 {
		return false
	}
	if r.Spec.RebuildRetryCount >= maxRebuildRetries {
		return true
	}
	if v.Spec.StaleReplicaTimeout <= 0 {
		return false
	}
	stale := parseStamp(r.Spec.FailedAt).Add(time.Duration(v.Spec.StaleReplicaTimeout) * time.Minute)
	m.turnAt(stale.Add(1))
	return m.now.After(stale)
}

// removeEvicted deletes one replica that is to leave, unless it is the last
// that passes for healthy.
func (m *Model) removeEvicted(rs []*longhorn.Replica) {
	keep, last := false, ""
	for _, r := range rs {
		if passesForHealthy(r) {
			keep = keep || !r.Spec.EvictionRequested
			if r.Spec.EvictionRequested {
				last = r.Name
			}
		}
	}
	for _, r := range rs {
		if r.Spec.EvictionRequested && r.DeletionTimestamp == nil && (keep || r.Name != last) {
			m.remove(r)
			return
		}
	}
}
