// SPDX-License-Identifier: Apache-2.0

package model

import (
	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
)

// syncReplica starts and stops a replica's process and reports its state
// (v1.8.1 controller/replica_controller.go, controller/instance_handler.go).
func (m *Model) syncReplica(r *longhorn.Replica) {
	set(m, r, &r.Status.OwnerID, m.owner(r.Name, r.Spec.NodeID, r.Status.OwnerID))
	m.label(r, "longhornnode", r.Spec.NodeID)
	m.label(r, "longhorndiskuuid", r.Spec.DiskID)
	if r.DeletionTimestamp != nil {
		m.deleteReplica(r)
		return
	}
	p := m.processes.get(r.Name)
	im := m.managerOf(r.Spec.NodeID)
	m.report(replicaInstance(r), im, p != nil)
	wantsUp := r.Spec.DesireState == longhorn.InstanceStateRunning
	if m.held(waitKey(r, "start"), wantsUp && m.mayStart(r), m.options.Timing.ReplicaStart) {
		m.startReplica(r, im)
	}
	if m.held(waitKey(r, "stop"), !wantsUp && p != nil && managerRuns(im), m.options.Timing.Stop) {
		end(m, m.processes, r.Name)
	}
}

// mayStart holds the one guard that keeps a replica without its data from
// starting: since v1.5 its disk must be listed in its node's status (v1.8.1
// controller/replica_controller.go CreateInstance, getDiskNameFromUUID). A
// replica that is held back here is not marked failed by anybody.
func (m *Model) mayStart(r *longhorn.Replica) bool {
	if m.processes.get(r.Name) != nil || r.Status.CurrentState != longhorn.InstanceStateStopped {
		return false
	}
	if !m.managerUp(r.Spec.NodeID) || !managerRuns(m.managerOf(r.Spec.NodeID)) {
		return false
	}
	if !m.options.Behaviour.StartsWithoutData && !m.diskListed(r.Spec.NodeID, r.Spec.DiskID) {
		return false
	}
	return !isRebuilding(r) || m.rebuildSlot(r)
}

// startReplica starts a process. Where its directory does not exist it makes a
// blank one, and says nothing (longhorn-engine v1.8.0 pkg/replica/replica.go).
func (m *Model) startReplica(r *longhorn.Replica, im *longhorn.InstanceManager) {
	at := replicaPlace(r)
	if _, ok := m.disks.Stat(at); !ok {
		blank := Directory{Size: r.Spec.VolumeSize, Rebuilding: isRebuilding(r)}
		if !r.Spec.RevisionCounterDisabled {
			blank.Revision = 1
		}
		if err := m.disks.Create(at, blank); err != nil {
			return // no room, or no disk: tried again at the next step
		}
	}
	pod := m.pods[im.Name]
	p := &process{hosted: hosted{volume: r.Spec.VolumeName, manager: im.Name, pod: pod.UID, node: r.Spec.NodeID}, place: at}
	p.port = m.takePorts(pod.UID, portsPerReplica)
	begin(m, m.processes, r.Name, p)
	m.report(replicaInstance(r), im, true)
}

// instanceOf is what replicas and engines have in common.
type instanceOf struct {
	object Object
	spec   *longhorn.InstanceSpec
	status *longhorn.InstanceStatus
}

func replicaInstance(r *longhorn.Replica) instanceOf {
	return instanceOf{object: r, spec: &r.Spec.InstanceSpec, status: &r.Status.InstanceStatus}
}

func engineInstance(e *longhorn.Engine) instanceOf {
	return instanceOf{object: e, spec: &e.Spec.InstanceSpec, status: &e.Status.InstanceStatus}
}

// report keeps an instance's status. What was started and is not there any more
// is an error; what was never started is stopped.
func (m *Model) report(i instanceOf, im *longhorn.InstanceManager, exists bool) {
	o, spec, s := i.object, i.spec, i.status
	if !exists && managerRuns(im) && !m.managerUp(im.Spec.NodeID) {
		return // nobody is there to report: the last report stands
	}
	down := im == nil || im.Status.CurrentState == longhorn.InstanceManagerStateUnknown
	up := exists && managerRuns(im)
	wantsUp := spec.DesireState == longhorn.InstanceStateRunning
	switch {
	case up && (wantsUp || s.Started):
		set(m, o, &s.CurrentState, longhorn.InstanceStateRunning)
		set(m, o, &s.CurrentImage, spec.Image)
		set(m, o, &s.InstanceManagerName, im.Name)
		set(m, o, &s.Started, true)
		set(m, o, &s.IP, im.Status.IP)
		set(m, o, &s.StorageIP, im.Status.IP)
		set(m, o, &s.Port, m.portOf(o))
		return
	case !wantsUp:
		set(m, o, &s.Started, false)
		set(m, o, &s.CurrentState, longhorn.InstanceStateStopped)
	case s.Started && down:
		set(m, o, &s.CurrentState, longhorn.InstanceStateUnknown)
	case s.Started:
		set(m, o, &s.CurrentState, longhorn.InstanceStateError)
	default:
		set(m, o, &s.CurrentState, longhorn.InstanceStateStopped)
	}
	if s.CurrentState == longhorn.InstanceStateStopped {
		set(m, o, &s.InstanceManagerName, "")
	}
	set(m, o, &s.CurrentImage, "")
	set(m, o, &s.IP, "")
	set(m, o, &s.StorageIP, "")
	set(m, o, &s.Port, 0)
}

func (m *Model) portOf(o Object) int {
	if p := m.processes.get(o.GetName()); p != nil && KindOf(o) == Replicas {
		return p.port
	}
	if p := m.running.get(o.GetName()); p != nil && KindOf(o) == Engines {
		return p.port
	}
	return 0
}

// deleteReplica finishes the deletion of a replica object. If the manager of
// the node that it names works, whatever directory it names there is deleted;
// otherwise the object goes alone.
func (m *Model) deleteReplica(r *longhorn.Replica) {
	if m.held(waitKey(r, "stop"), m.processes.get(r.Name) != nil, m.options.Timing.Stop) {
		end(m, m.processes, r.Name)
	}
	if m.processes.get(r.Name) != nil || !m.anyManagerUp() {
		return
	}
	if r.Spec.NodeID != "" && r.Spec.NodeID == r.Status.OwnerID && r.Spec.Active && r.Spec.DataDirectoryName != "" {
		if err := m.disks.Remove(replicaPlace(r)); err != nil {
			return
		}
	}
	m.drop(r)
}

// syncEngine starts and stops an engine's process and reports it (v1.8.1
// controller/engine_controller.go).
func (m *Model) syncEngine(e *longhorn.Engine) {
	owner := ""
	if v := m.volumes.get(e.Spec.VolumeName); v != nil {
		owner = v.Status.OwnerID
	}
	if e.Spec.NodeID != "" {
		owner = e.Spec.NodeID
	}
	set(m, e, &e.Status.OwnerID, m.owner(e.Name, owner, e.Status.OwnerID))

	im := m.managerOf(m.engineNode(e))
	p := m.running.get(e.Name)
	m.report(engineInstance(e), im, p != nil)
	if e.Status.CurrentState != longhorn.InstanceStateError {
		m.setCondition(e, &e.Status.Conditions, longhorn.Condition{Type: longhorn.InstanceConditionTypeInstanceCreation, Status: longhorn.ConditionStatusTrue})
	}
	wantsUp := e.Spec.DesireState == longhorn.InstanceStateRunning
	idle := wantsUp && p == nil && e.Status.CurrentState == longhorn.InstanceStateStopped && m.managerUp(e.Spec.NodeID) && managerRuns(im)
	if m.held(waitKey(e, "start"), idle, m.options.Timing.EngineStart) {
		m.startEngine(e, im)
	}
	if m.held(waitKey(e, "stop"), !wantsUp && p != nil, m.options.Timing.Stop) {
		end(m, m.running, e.Name)
	}
	m.monitor(e)
}

// engineNode is where an engine runs, or is to run.
func (m *Model) engineNode(e *longhorn.Engine) string {
	if p := m.running.get(e.Name); p != nil {
		return p.node
	}
	return e.Spec.NodeID
}
