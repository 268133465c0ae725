// SPDX-License-Identifier: Apache-2.0

package model

import (
	"maps"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
)

// maxRebuildRetries is after how many failures a replica is given up (v1.8.1
// scheduler.FailedReplicaMaxRetryCount). A replica made for a rebuild starts
// with that number, so that it is not tried twice.
const maxRebuildRetries = 5

func isRebuilding(r *longhorn.Replica) bool {
	return r.Spec.RebuildRetryCount != 0 && r.Spec.HealthyAt == "" && r.Spec.FailedAt == ""
}

// rebuildSlot holds the number of replicas that are rebuilt on one node at a
// time below the limit. A limit of zero stops rebuilds elsewhere, in replenish.
// Whoever waits for a slot looks at the replicas of all volumes.
func (m *Model) rebuildSlot(r *longhorn.Replica) bool {
	m.stir()
	limit := m.settingInt(settingRebuildLimit)
	if limit < 1 {
		return true
	}
	var busy int64
	for _, o := range m.lying.at[r.Spec.NodeID] {
		if o.Name != r.Name && isRebuilding(o) && m.processes.get(o.Name) != nil {
			busy++
		}
	}
	return busy < limit
}

// rebuild is a copy on its way.
type rebuild struct {
	replica, source string
	started         time.Time
	duration        time.Duration
	failure         string
}

// stepRebuild adds replicas to the engine that it does not know yet, one at a
// time: write-only while data is copied, read-write after (longhorn-engine
// ReplicaAdd; v1.8.1 controller/engine_controller.go rebuildNewReplica).
func (m *Model) stepRebuild(e *longhorn.Engine, p *engineProcess) {
	if p.rebuild != nil {
		m.continueRebuild(p)
		return
	}
	candidate, source := "", ""
	for _, name := range keys(e.Spec.ReplicaAddressMap) {
		if p.members[name] == nil {
			candidate = name
			break
		}
	}
	for _, name := range keys(p.members) {
		if mb := p.members[name]; mb.mode == longhorn.ReplicaModeRW && m.alive(name, mb) {
			source = name
			break
		}
	}
	if !m.held(waitKey(e, "rebuild"), candidate != "" && source != "", m.options.Timing.RebuildStart) {
		return
	}
	m.stir()
	r := m.replicas.get(candidate)
	plan := m.rebuildOf(e.Spec.VolumeName)
	p.members[candidate] = &member{address: e.Spec.ReplicaAddressMap[candidate], process: m.processes.get(candidate), mode: longhorn.ReplicaModeWO, since: m.stamp()}
	p.rebuild = &rebuild{replica: candidate, source: source, started: m.now, duration: plan.Duration, failure: plan.Failure}
	m.rebuildProgress(p, 0, "")
	if m.processes.get(candidate) == nil {
		// Its object still says that it runs: nobody is left on its node to tell.
		m.failRebuild(p, longhorn.ReplicaConditionReasonRebuildFailedDisconnection, longhorn.ReplicaRebuildFailedUnavailableErrorMSG)
		return
	}
	// Also a directory that held data is marked: what it held is written over from
	// here on (longhorn-engine v1.8.0 pkg/sync AddReplica, SetRebuilding).
	if err := m.disks.Begin(p.members[candidate].process.place); err != nil {
		m.failRebuild(p, longhorn.ReplicaConditionReasonRebuildFailedGeneral, err.Error())
		return
	}
	m.setCondition(r, &r.Status.Conditions, longhorn.Condition{Type: longhorn.ReplicaConditionTypeRebuildFailed, Status: longhorn.ConditionStatusFalse})
	m.wakeAt(m.now.Add(plan.Duration / 10))
}

func (m *Model) continueRebuild(p *engineProcess) {
	m.stir()
	b := p.rebuild
	from, to := p.members[b.source], p.members[b.replica]
	done := 100
	if b.duration > 0 {
		done = int(min(10, m.now.Sub(b.started)*10/b.duration)) * 10
	}
	switch {
	case to == nil:
		p.rebuild = nil // it was taken out of the volume meanwhile
	case from == nil || !m.alive(b.source, from) || !m.alive(b.replica, to):
		m.failRebuild(p, longhorn.ReplicaConditionReasonRebuildFailedDisconnection, longhorn.ReplicaRebuildFailedUnavailableErrorMSG)
	case b.failure != "" && done >= 50:
		m.failRebuild(p, longhorn.ReplicaConditionReasonRebuildFailedGeneral, b.failure)
	case done < 100:
		m.rebuildProgress(p, done, "")
		m.wakeAt(b.started.Add(b.duration / 10 * time.Duration(done/10+1)))
	default:
		if err := m.disks.Copy(from.process.place, to.process.place); err != nil {
			m.failRebuild(p, longhorn.ReplicaConditionReasonRebuildFailedGeneral, err.Error())
			return
		}
		m.rebuildProgress(p, 100, "")
		p.setMode(b.replica, longhorn.ReplicaModeRW, m.stamp())
		p.rebuild = nil
	}
}

func (m *Model) failRebuild(p *engineProcess, reason, message string) {
	m.rebuildProgress(p, -1, message)
	name := p.rebuild.replica
	p.setMode(name, longhorn.ReplicaModeERR, m.stamp())
	p.rebuild = nil
	if r := m.replicas.get(name); r != nil {
		m.setCondition(r, &r.Status.Conditions, longhorn.Condition{
			Type: longhorn.ReplicaConditionTypeRebuildFailed, Status: longhorn.ConditionStatusTrue, Reason: reason, Message: message,
		})
	}
}

// rebuildProgress records the copy's state under the target's address; a
// progress below 0 leaves the last one.
func (m *Model) rebuildProgress(p *engineProcess, progress int, failure string) {
	from, to := p.members[p.rebuild.source], p.members[p.rebuild.replica]
	if to == nil {
		return
	}
	s := p.history[to.url()]
	if from != nil {
		s.FromReplicaAddress = from.url()
	}
	s.State, s.IsRebuilding, s.Error = "in_progress", true, failure
	if progress >= 0 {
		s.Progress = progress
	}
	if failure != "" {
		s.State, s.IsRebuilding = "error", false
	} else if progress == 100 {
		s.State, s.IsRebuilding = "complete", false
	}
	p.history[to.url()] = s
}

func (m *Model) reportRebuilds(e *longhorn.Engine, p *engineProcess) {
	same := e.Status.RebuildStatus != nil && len(e.Status.RebuildStatus) == len(p.history)
	for _, url := range keys(p.history) {
		old, now := e.Status.RebuildStatus[url], p.history[url]
		same = same && old != nil && old.Progress == now.Progress && old.State == now.State && old.Error == now.Error && old.FromReplicaAddress == now.FromReplicaAddress
	}
	if same {
		return
	}
	e.Status.RebuildStatus = map[string]*longhorn.RebuildStatus{}
	for url, s := range maps.All(p.history) {
		e.Status.RebuildStatus[url] = &s
	}
	m.touch(e)
}
