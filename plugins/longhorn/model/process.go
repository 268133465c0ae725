// SPDX-License-Identifier: Apache-2.0

package model

import (
	"maps"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	"k8s.io/apimachinery/pkg/types"
)

// process is a replica process in an instance manager's pod. It dies with the
// pod, whatever the objects say.
type process struct {
	hosted
	place Place
}

// hosted is where a process runs.
type hosted struct {
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

// reap removes the processes whose pod or machine is gone.
func (m *Model) reap() {
	for name, p := range m.processes {
		if !m.podRuns(p.manager, p.pod, p.node) {
			delete(m.processes, name)
			m.note(ofProcesses)
		}
	}
	for name, p := range m.running {
		if !m.podRuns(p.manager, p.pod, p.node) {
			delete(m.running, name)
			m.note(ofProcesses)
		}
	}
}

// endProcesses ends all processes of a machine.
func (m *Model) endProcesses(node string) {
	maps.DeleteFunc(m.processes, func(_ string, p *process) bool { return p.node == node })
	maps.DeleteFunc(m.running, func(_ string, p *engineProcess) bool { return p.node == node })
	m.note(ofProcesses)
}

// alive tells whether an engine's member still answers.
func (m *Model) alive(replica string, mb *member) bool {
	return mb.process != nil && m.processes[replica] == mb.process
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
}

// Attached returns how a volume is served right now; false when no engine of it
// runs, or none of its replicas answers. It is the way to a volume's bytes: a
// world writes to every place of Write and reads from any of Read.
func (m *Model) Attached(volume string) (Attachment, bool) {
	for _, e := range m.engines.of(volume) {
		p := m.running[e.Name]
		if p == nil {
			continue
		}
		a := Attachment{Node: p.node, Frontend: e.Status.Endpoint != ""}
		for _, name := range keys(p.members) {
			mb := p.members[name]
			if !m.alive(name, mb) || mb.mode == longhorn.ReplicaModeERR {
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
		if managerRuns(im) && !m.managerUp(im.Spec.NodeID) {
			continue // the last report stands
		}
		if lists(im, im.Status.InstanceReplicas, m.processes) && lists(im, im.Status.InstanceEngines, m.running) {
			continue
		}
		im.Status.InstanceReplicas = list(im, m.processes, longhorn.InstanceTypeReplica, portsPerReplica)
		im.Status.InstanceEngines = list(im, m.running, longhorn.InstanceTypeEngine, 1)
		m.touch(im)
	}
}

// lists reports whether an instance manager's list is of what runs in it. What
// can differ is which processes there are, and their ports.
func lists[P interface{ host() *hosted }](im *longhorn.InstanceManager, listed map[string]longhorn.InstanceProcess, processes map[string]P) bool {
	n := 0
	for name, p := range processes {
		if !runsIn(im, p.host()) {
			continue
		}
		if l, ok := listed[name]; !ok || int(l.Status.PortStart) != p.host().port {
			return false
		}
		n++
	}
	return n == len(listed)
}

// list makes the list; nil where nothing runs.
func list[P interface{ host() *hosted }](im *longhorn.InstanceManager, processes map[string]P, kind longhorn.InstanceType, ports int) map[string]longhorn.InstanceProcess {
	var out map[string]longhorn.InstanceProcess
	for name, p := range processes {
		if !runsIn(im, p.host()) {
			continue
		}
		if out == nil {
			out = map[string]longhorn.InstanceProcess{}
		}
		out[name] = instance(name, kind, p.host().port, p.host().port+ports-1)
	}
	return out
}

func runsIn(im *longhorn.InstanceManager, h *hosted) bool {
	return managerRuns(im) && h.manager == im.Name
}

func instance(name string, kind longhorn.InstanceType, first, last int) longhorn.InstanceProcess {
	p := longhorn.InstanceProcess{Spec: longhorn.InstanceProcessSpec{Name: name, DataEngine: longhorn.DataEngineTypeV1}}
	p.Status = longhorn.InstanceProcessStatus{State: longhorn.InstanceStateRunning, Type: kind, PortStart: int32(first), PortEnd: int32(last)}
	return p
}
