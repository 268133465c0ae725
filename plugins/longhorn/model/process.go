// SPDX-License-Identifier: Apache-2.0

package model

import (
	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	"k8s.io/apimachinery/pkg/types"
)

// process is a replica process in an instance manager's pod. It dies with the
// pod, whatever the objects say.
type process struct {
	hosted
	place Place
}

// hosted is where a process runs, and for which volume.
type hosted struct {
	volume  string
	manager string
	pod     types.UID
	node    string
	port    int
}

func (h *hosted) host() *hosted { return h }

// engineProcess is an engine process: it knows replicas by address and keeps a
// mode for each.
type engineProcess struct {
	hosted
	members map[string]*member // by replica
	rebuild *rebuild           // the one that runs
	history map[string]longhorn.RebuildStatus
}

// member is one replica as its engine knows it.
type member struct {
	address string
	process *process
	mode    longhorn.ReplicaMode
	since   string // when it got the mode
	unknown bool   // no longer a replica of the volume: shown as UNKNOWN until it is removed
}

func (p *engineProcess) setMode(name string, mode longhorn.ReplicaMode, now string) {
	if mb := p.members[name]; mb != nil && mb.mode != mode {
		mb.mode, mb.since = mode, now
	}
}

// hosts keeps processes by name, and by the instance manager they run in.
type hosts[P interface{ host() *hosted }] struct {
	byName map[string]P
	in     map[string]map[string]P
}

func newHosts[P interface{ host() *hosted }]() hosts[P] {
	return hosts[P]{byName: map[string]P{}, in: map[string]map[string]P{}}
}

// get returns the zero value, a nil pointer, where none of that name runs.
func (h hosts[P]) get(name string) P { return h.byName[name] }

// begin lets a process run.
func begin[P interface{ host() *hosted }](m *Model, h hosts[P], name string, p P) {
	at := p.host()
	h.byName[name] = p
	if h.in[at.manager] == nil {
		h.in[at.manager] = map[string]P{}
	}
	h.in[at.manager][name] = p
	m.noteProcess(at)
}

// end ends a process that runs.
func end[P interface{ host() *hosted }](m *Model, h hosts[P], name string) {
	at := h.byName[name].host()
	delete(h.byName, name)
	if delete(h.in[at.manager], name); len(h.in[at.manager]) == 0 {
		delete(h.in, at.manager)
	}
	m.noteProcess(at)
}

// endAll ends the processes that are to.
func endAll[P interface{ host() *hosted }](m *Model, h hosts[P], to func(*hosted) bool) {
	for name, p := range h.byName {
		if to(p.host()) {
			end(m, h, name)
		}
	}
}

func (m *Model) noteProcess(at *hosted) {
	m.note(ofProcesses)
	m.places[at.manager] = m.revision
	m.kin(at.volume)
}

// reap removes the processes whose pod or machine is gone.
func (m *Model) reap() {
	gone := func(h *hosted) bool { return !m.podRuns(h.manager, h.pod, h.node) }
	endAll(m, m.processes, gone)
	endAll(m, m.running, gone)
}

// endProcesses ends all processes of a machine.
func (m *Model) endProcesses(node string) {
	there := func(h *hosted) bool { return h.node == node }
	endAll(m, m.processes, there)
	endAll(m, m.running, there)
	m.note(ofProcesses)
}

// Unplugged ends the replica processes of a machine whose disk was pulled out under
// them: nothing that is read or written there is answered any more, and an engine
// gives up whoever answers with an error (longhorn-engine v1.8.0
// pkg/controller/control.go handleErrorNoLock).
func (m *Model) Unplugged(node string) {
	endAll(m, m.processes, func(h *hosted) bool { return h.node == node })
	m.note(ofProcesses)
}

// alive tells whether an engine's member still answers.
func (m *Model) alive(replica string, mb *member) bool {
	return mb.process != nil && m.processes.get(replica) == mb.process
}

// takePorts hands out n ports of an instance manager's pod and returns the first.
func (m *Model) takePorts(pod types.UID, n int) int {
	first, ok := m.ports[pod]
	if !ok {
		first = 10000
	}
	m.ports[pod] = first + n
	return first
}

const portsPerReplica = 10

func replicaPlace(r *longhorn.Replica) Place {
	return Place{Node: r.Spec.NodeID, Path: r.Spec.DiskPath, Name: r.Spec.DataDirectoryName}
}

// Attachment is a volume as its engine serves it.
type Attachment struct {
	Node     string
	Frontend bool    // a block device exists on the node
	Read     []Place // of the replicas that may be read, by name
	Write    []Place // of those that every write goes to
	// Stalled: a write waits for a replica that does not answer, until its engine
	// has given that up.
	Stalled bool
}

// Attached returns how a volume is served right now; false when no engine of it
// runs, or none of its replicas answers. It is the way to a volume's bytes: a
// world writes to every place of Write and reads from any of Read.
func (m *Model) Attached(volume string) (Attachment, bool) {
	for _, e := range m.engines.of(volume) {
		p := m.running.get(e.Name)
		if p == nil {
			continue
		}
		a := Attachment{Node: p.node, Frontend: e.Status.Endpoint != ""}
		for _, name := range keys(p.members) {
			mb := p.members[name]
			if mb.mode == longhorn.ReplicaModeERR {
				continue
			}
			if !m.alive(name, mb) {
				a.Stalled = true
				continue
			}
			a.Write = append(a.Write, mb.process.place)
			if mb.mode == longhorn.ReplicaModeRW {
				a.Read = append(a.Read, mb.process.place)
			}
		}
		return a, len(a.Read) > 0
	}
	return Attachment{}, false
}

// syncProcessLists repeats in each instance manager's status which processes
// run in it.
func (m *Model) syncProcessLists() {
	for _, im := range m.managers.all() {
		m.lookAfter(listController, im, max(m.last(ofFacts, ofNodes, ofManagers), m.places[im.Name]), func() { m.syncProcessList(im) })
	}
}

func (m *Model) syncProcessList(im *longhorn.InstanceManager) {
	if managerRuns(im) && !m.managerUp(im.Spec.NodeID) {
		return // the last report stands
	}
	replicas, engines := runningIn(im, m.processes), runningIn(im, m.running)
	if lists(im.Status.InstanceReplicas, replicas) && lists(im.Status.InstanceEngines, engines) {
		return
	}
	im.Status.InstanceReplicas = list(replicas, longhorn.InstanceTypeReplica, portsPerReplica)
	im.Status.InstanceEngines = list(engines, longhorn.InstanceTypeEngine, 1)
	m.touchAs(im, ofLists)
}

// runningIn are the processes of an instance manager that runs.
func runningIn[P interface{ host() *hosted }](im *longhorn.InstanceManager, h hosts[P]) map[string]P {
	if !managerRuns(im) {
		return nil
	}
	return h.in[im.Name]
}

// lists reports whether a list is of those processes. What can differ is which
// there are, and their ports.
func lists[P interface{ host() *hosted }](listed map[string]longhorn.InstanceProcess, processes map[string]P) bool {
	for name, p := range processes {
		if l, ok := listed[name]; !ok || int(l.Status.PortStart) != p.host().port {
			return false
		}
	}
	return len(processes) == len(listed)
}

// list makes the list; nil where nothing runs.
func list[P interface{ host() *hosted }](processes map[string]P, kind longhorn.InstanceType, ports int) map[string]longhorn.InstanceProcess {
	if len(processes) == 0 {
		return nil
	}
	out := make(map[string]longhorn.InstanceProcess, len(processes))
	for name, p := range processes {
		out[name] = instance(name, kind, p.host().port, p.host().port+ports-1)
	}
	return out
}

func instance(name string, kind longhorn.InstanceType, first, last int) longhorn.InstanceProcess {
	p := longhorn.InstanceProcess{Spec: longhorn.InstanceProcessSpec{Name: name, DataEngine: longhorn.DataEngineTypeV1}}
	p.Status = longhorn.InstanceProcessStatus{State: longhorn.InstanceStateRunning, Type: kind, PortStart: int32(first), PortEnd: int32(last)}
	return p
}
