// SPDX-License-Identifier: Apache-2.0

package model

import (
	"maps"
	"strconv"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
)

// noBackend is what the instance manager says of an engine that found no
// usable replica; the manager looks for the exit status.
const noBackend = "no backend replica available: exit status 61"

// startEngine starts an engine process over the replicas it was given. A
// replica that does not answer, or was left half rebuilt, is ERR; with revision
// counters the lower ones are; without them every replica is taken, blank or
// not (longhorn-engine v1.8.0 pkg/controller/control.go).
func (m *Model) startEngine(e *longhorn.Engine, im *longhorn.InstanceManager) {
	pod := m.pods[im.Name]
	p := &engineProcess{
		hosted:  hosted{volume: e.Spec.VolumeName, manager: im.Name, pod: pod.UID, node: e.Spec.NodeID, port: m.takePorts(pod.UID, 1)},
		members: map[string]*member{}, history: map[string]longhorn.RebuildStatus{},
	}
	var best int64
	usable := map[string]Directory{}
	for _, name := range keys(e.Spec.ReplicaAddressMap) {
		mb := &member{address: e.Spec.ReplicaAddressMap[name], process: m.processes.get(name), mode: longhorn.ReplicaModeERR, since: m.stamp()}
		p.members[name] = mb
		if mb.process == nil {
			continue
		}
		if d, ok := m.disks.Stat(mb.process.place); ok && (!d.Rebuilding || len(e.Spec.ReplicaAddressMap) == 1) {
			usable[name] = d
			best = max(best, d.Revision)
		}
	}
	good := 0
	for name, d := range usable {
		if e.Spec.RevisionCounterDisabled || d.Revision == best {
			p.members[name].mode = longhorn.ReplicaModeRW
			good++
		}
	}
	if good == 0 {
		m.setCondition(e, &e.Status.Conditions, longhorn.Condition{
			Type: longhorn.InstanceConditionTypeInstanceCreation, Status: longhorn.ConditionStatusFalse,
			Reason: longhorn.InstanceConditionReasonInstanceCreationFailure, Message: noBackend,
		})
		set(m, e, &e.Status.Started, true) // and gone at once: an error
		set(m, e, &e.Status.CurrentState, longhorn.InstanceStateError)
		return
	}
	begin(m, m.running, e.Name, p)
	m.report(engineInstance(e), im, true)
}

// monitor reads the engine process into the engine's status. The first reading
// comes some seconds after the start; until then nobody knows how the replicas
// are.
func (m *Model) monitor(e *longhorn.Engine) {
	p := m.running.get(e.Name)
	if !m.held(waitKey(e, "monitor"), p != nil && m.managerUp(p.node), m.options.Timing.Monitor) {
		if p == nil && e.Status.CurrentState != longhorn.InstanceStateUnknown {
			m.clearEngine(e)
		}
		return
	}
	setMap(m, e, &e.Status.CurrentReplicaAddressMap, e.Spec.ReplicaAddressMap)
	m.syncMembers(e, p)
	m.stepRebuild(e, p)
	m.reportMembers(e, p)
	endpoint := ""
	if !e.Spec.DisableFrontend {
		endpoint = "/dev/longhorn/" + e.Spec.VolumeName
	}
	set(m, e, &e.Status.Endpoint, endpoint)
	set(m, e, &e.Status.CurrentSize, e.Spec.VolumeSize)
	m.reportUse(e, p)
}

// clearEngine forgets what a process said that is not there any more. The
// addresses stay.
func (m *Model) clearEngine(e *longhorn.Engine) {
	set(m, e, &e.Status.Endpoint, "")
	if e.Status.ReplicaModeMap != nil || e.Status.RebuildStatus != nil {
		e.Status.ReplicaModeMap, e.Status.ReplicaTransitionTimeMap = nil, nil
		e.Status.RebuildStatus, e.Status.PurgeStatus, e.Status.RestoreStatus = nil, nil, nil
		m.touch(e)
	}
}

// syncMembers gives up members that do not answer and lets go of those that are
// no longer replicas of the volume.
func (m *Model) syncMembers(e *longhorn.Engine, p *engineProcess) {
	for _, name := range keys(p.members) {
		mb := p.members[name]
		silent := mb.mode != longhorn.ReplicaModeERR && !m.alive(name, mb)
		lost, leave := waitKey(e, "lost"), waitKey(e, "leave")
		lost.which, leave.which = name, name
		if m.held(lost, silent, m.options.Timing.ReplicaLost) {
			p.setMode(name, longhorn.ReplicaModeERR, m.stamp())
			m.stir()
		}
		if _, ok := e.Spec.ReplicaAddressMap[name]; ok {
			continue
		}
		mb.unknown = mb.mode == longhorn.ReplicaModeERR
		m.stir()
		if m.held(leave, true, m.options.Timing.Monitor) || !mb.unknown {
			m.held(leave, false, 0)
			delete(p.members, name)
			delete(p.history, mb.url())
		}
	}
}

func (m *Model) reportMembers(e *longhorn.Engine, p *engineProcess) {
	if m.reported(e, p) {
		m.reportRebuilds(e, p)
		return
	}
	modes, since := map[string]longhorn.ReplicaMode{}, map[string]string{}
	for name, mb := range p.members {
		if mb.unknown {
			name = "UNKNOWN-tcp://" + mb.address
		}
		modes[name], since[name] = mb.mode, mb.since
	}
	if e.Status.ReplicaModeMap == nil || !maps.Equal(e.Status.ReplicaModeMap, modes) {
		e.Status.ReplicaModeMap = modes
		e.Status.PurgeStatus, e.Status.RestoreStatus = map[string]*longhorn.PurgeStatus{}, map[string]*longhorn.RestoreStatus{}
		for _, mb := range p.members {
			e.Status.PurgeStatus[mb.url()] = &longhorn.PurgeStatus{}
			e.Status.RestoreStatus[mb.url()] = &longhorn.RestoreStatus{}
		}
		m.touch(e)
	}
	setMap(m, e, &e.Status.ReplicaTransitionTimeMap, since)
	m.reportRebuilds(e, p)
}

// reported tells whether an engine's status says of every member, under its own
// name, what it is.
func (m *Model) reported(e *longhorn.Engine, p *engineProcess) bool {
	s := &e.Status
	if s.ReplicaModeMap == nil || len(s.ReplicaModeMap) != len(p.members) || len(s.ReplicaTransitionTimeMap) != len(p.members) {
		return false
	}
	for name, mb := range p.members {
		mode, listed := s.ReplicaModeMap[name]
		since, timed := s.ReplicaTransitionTimeMap[name]
		if mb.unknown || !listed || mode != mb.mode || !timed || since != mb.since {
			return false
		}
	}
	return true
}

// reportUse keeps the volume's actual size: it stays as it was last seen.
func (m *Model) reportUse(e *longhorn.Engine, p *engineProcess) {
	v := m.volumes.get(e.Spec.VolumeName)
	if v == nil {
		return
	}
	for _, name := range keys(p.members) {
		mb := p.members[name]
		if mb.mode != longhorn.ReplicaModeRW || !m.alive(name, mb) {
			continue
		}
		if d, ok := m.disks.Stat(mb.process.place); ok {
			set(m, v, &v.Status.ActualSize, d.Used)
			m.reportHead(e, d.Used)
		}
		return
	}
}

func (m *Model) reportHead(e *longhorn.Engine, used int64) {
	size := strconv.FormatInt(used, 10)
	if h := e.Status.Snapshots["volume-head"]; h != nil && h.Size == size {
		return
	}
	e.Status.Snapshots = map[string]*longhorn.SnapshotInfo{"volume-head": {
		Name: "volume-head", Created: m.stamp(), Size: size, Children: map[string]bool{}, Labels: map[string]string{},
	}}
	m.touch(e)
}

// judgeReplicas reads an engine's status back into the replicas and the volume:
// who failed, who is healthy, and how robust the volume is (v1.8.1
// controller/volume_controller.go ReconcileEngineReplicaState). Without a
// running engine nothing is judged, but for a process that died on the way up.
func (m *Model) judgeReplicas(v *longhorn.Volume, e *longhorn.Engine) {
	defer func() {
		if v.Status.Robustness != longhorn.VolumeRobustnessDegraded {
			set(m, v, &v.Status.LastDegradedAt, "")
		}
	}()
	rs := m.replicas.of(v.Name)
	switch e.Status.CurrentState {
	case longhorn.InstanceStateUnknown:
		set(m, v, &v.Status.Robustness, longhorn.VolumeRobustnessUnknown)
		return
	case longhorn.InstanceStateRunning:
	default:
		dead := condition(e.Status.Conditions, longhorn.InstanceConditionTypeInstanceCreation).Message == noBackend
		for _, r := range rs {
			if (dead && r.Status.CurrentState == longhorn.InstanceStateRunning) || (r.Spec.FailedAt == "" && r.Status.CurrentState == longhorn.InstanceStateError) {
				m.fail(r)
				set(m, r, &r.Spec.DesireState, longhorn.InstanceStateStopped)
			}
		}
		return
	}
	if e.Status.ReplicaModeMap == nil {
		return
	}
	healthy := m.readModes(e, rs)
	if healthy == 0 || m.target(v) == "" || v.Status.State == longhorn.VolumeStateDetaching {
		return // all failed, which is for salvage; or about to be closed
	}
	if healthy >= v.Spec.NumberOfReplicas {
		set(m, v, &v.Status.Robustness, longhorn.VolumeRobustnessHealthy)
		m.evictReplicas(v, e, healthy)
		return
	}
	if v.Status.Robustness != longhorn.VolumeRobustnessDegraded {
		set(m, v, &v.Status.LastDegradedAt, m.stamp())
		set(m, v, &v.Status.Robustness, longhorn.VolumeRobustnessDegraded)
	}
	m.replenish(v, e)
}

func (m *Model) readModes(e *longhorn.Engine, rs []*longhorn.Replica) (healthy int) {
	for _, r := range rs {
		mode, known := e.Status.ReplicaModeMap[r.Name]
		switch {
		case mode == longhorn.ReplicaModeERR, !known && r.Spec.FailedAt == "" && r.Status.CurrentState == longhorn.InstanceStateError:
			m.fail(r)
			set(m, r, &r.Spec.DesireState, longhorn.InstanceStateStopped)
		case mode == longhorn.ReplicaModeRW:
			if r.Spec.HealthyAt == "" {
				set(m, r, &r.Spec.HealthyAt, m.stamp())
				set(m, r, &r.Spec.RebuildRetryCount, 0)
			}
			if parseStamp(e.Status.ReplicaTransitionTimeMap[r.Name]).After(parseStamp(r.Spec.LastHealthyAt)) {
				set(m, r, &r.Spec.LastHealthyAt, m.stamp())
			}
			healthy++
		}
	}
	return healthy
}

func (mb *member) url() string { return "tcp://" + mb.address }
