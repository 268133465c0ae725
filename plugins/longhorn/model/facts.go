// SPDX-License-Identifier: Apache-2.0

package model

import (
	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	"k8s.io/apimachinery/pkg/types"
)

// NodeFacts is what Longhorn sees of a Kubernetes node and of the machine.
type NodeFacts struct {
	UID           types.UID
	Ready         bool
	Unschedulable bool
	Zone, Region  string
	// Manager names the Longhorn manager process on the node and differs
	// whenever a new one starts; empty when none runs there.
	Manager string
	// EngineImage: the engine image's pod on the node is ready.
	EngineImage bool
	// Boot differs after each boot of a machine of that name, whichever machine
	// it is; no process survives one.
	Boot string
	// PoweredOff: the machine is off, or not there, whatever Kubernetes still
	// believes.
	PoweredOff bool
}

// PodFacts is what Longhorn sees of an instance manager's pod.
type PodFacts struct {
	UID         types.UID
	Ready       bool
	Terminating bool
	IP          string
}

// SetNode tells that a Kubernetes node exists, and how it is. A UID that
// differs from the one told before means that the node was deleted in between.
func (m *Model) SetNode(name string, f NodeFacts) {
	if old, ok := m.kube[name]; ok && old.UID != f.UID {
		m.RemoveNode(name)
	}
	if old, ok := m.kube[name]; !ok || old != f {
		m.kube[name] = f
		m.note(ofFacts)
	}
	if m.boots[name] != f.Boot {
		m.boots[name] = f.Boot
		m.endProcesses(name)
	}
}

// RemoveNode tells that a Kubernetes node was deleted.
func (m *Model) RemoveNode(name string) {
	delete(m.kube, name)
	m.note(ofFacts)
	if m.nodes.get(name) != nil {
		m.lost[name] = true
	}
}

// SetPod tells that the pod of an instance manager exists, and how it is.
func (m *Model) SetPod(name string, f PodFacts) {
	if old, ok := m.pods[name]; !ok || old != f {
		m.pods[name] = f
		m.note(ofFacts)
	}
}

// RemovePod tells that the pod of an instance manager does not exist.
func (m *Model) RemovePod(name string) {
	delete(m.pods, name)
	m.note(ofFacts)
}

// SetClaim tells what Kubernetes objects use a volume; Longhorn repeats it in
// the volume's status.
func (m *Model) SetClaim(volume string, c longhorn.KubernetesStatus) {
	m.claims[volume] = c
	m.kin(volume)
}

// SetRebuild decides how copying goes for one volume, or for all others when
// the name is empty, from the next copy on.
func (m *Model) SetRebuild(volume string, r Rebuild) {
	m.rebuilds[volume] = r
	if m.kin(volume); volume == "" {
		m.note(ofFacts)
	}
}

func (m *Model) rebuildOf(volume string) Rebuild {
	r, ok := m.rebuilds[volume]
	if !ok {
		r = m.rebuilds[""]
	}
	if r.Duration == 0 {
		r.Duration = m.options.Timing.Rebuild
	}
	return r
}

// podRuns tells whether a pod of that identity still runs on the node.
func (m *Model) podRuns(manager string, uid types.UID, node string) bool {
	p, ok := m.pods[manager]
	return ok && p.UID == uid && !m.kube[node].PoweredOff
}
