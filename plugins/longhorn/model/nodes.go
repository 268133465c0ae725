// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// syncNodes keeps Longhorn's node objects: one is made when a manager starts
// on a Kubernetes node, and goes some seconds after that node was deleted. In
// between the dying object still lists its disks as fine (v1.8.1
// controller/node_controller.go, controller/kubernetes_node_controller.go).
func (m *Model) syncNodes() {
	m.look(&m.resting[registrar], m.last(ofFacts, ofSettings, ofNodes), func() {
		for _, name := range keys(m.kube) {
			m.registerNode(name, m.kube[name])
		}
	})
	for _, n := range m.nodes.all() {
		m.lookAfter(nodeController, n, max(m.last(ofFacts, ofSettings, ofNodes, ofManagers), m.places[n.Name], m.lain(n)), func() {
			if !m.retireNode(n) {
				m.syncNodeConditions(n)
				m.syncDisks(n)
			}
		})
	}
}

// registerNode makes the node object of a manager that has just started. One
// that is deleted by hand afterwards does not come back by itself.
func (m *Model) registerNode(name string, k NodeFacts) {
	waits := k.Manager != "" && k.Ready && !k.PoweredOff && !m.registered[k.Manager]
	if !m.held(wait{name: name, what: "manager", which: k.Manager}, waits && m.nodes.get(name) == nil, m.options.Timing.ManagerStart) {
		if waits && m.nodes.get(name) != nil && !m.lost[name] {
			m.registered[k.Manager] = true // it found the object of its predecessor
			m.stir()
		}
		return
	}
	m.registered[k.Manager] = true
	n := &longhorn.Node{TypeMeta: typeMeta(Nodes), ObjectMeta: m.meta(Nodes, name, nil)}
	n.Spec = longhorn.NodeSpec{Name: name, AllowScheduling: true, Tags: []string{}, Disks: map[string]longhorn.DiskSpec{}}
	if d, ok := m.disks.Mounted(name, m.options.DataPath); ok {
		n.Spec.Disks["default-disk-"+d.Filesystem] = longhorn.DiskSpec{
			Type: longhorn.DiskTypeFilesystem, Path: m.options.DataPath, AllowScheduling: true,
			StorageReserved: d.Maximum * m.settingInt(settingReserved) / 100, Tags: []string{},
		}
	}
	n.Status.DiskStatus = map[string]*longhorn.DiskStatus{}
	m.insert(n)
	m.syncNodeConditions(n)
	for _, kind := range []string{
		longhorn.NodeConditionTypeRequiredPackages, longhorn.NodeConditionTypeMultipathd,
		longhorn.NodeConditionTypeNFSClientInstalled, longhorn.NodeConditionTypeKernelModulesLoaded,
	} {
		m.setCondition(n, &n.Status.Conditions, longhorn.Condition{Type: kind, Status: longhorn.ConditionStatusTrue})
	}
}

// retireNode takes a node object away whose Kubernetes node was deleted, or
// which a user deleted, and reports whether it is on its way.
func (m *Model) retireNode(n *longhorn.Node) bool {
	if m.options.Behaviour.KeepsNodes && n.DeletionTimestamp == nil {
		return m.keepNode(n)
	}
	if m.held(waitKey(n, "gone"), m.lost[n.Name], m.options.Timing.NodeGone) && n.DeletionTimestamp == nil {
		m.sayGone(n)
		now, zero := metav1.NewTime(m.now.UTC()), int64(0)
		n.DeletionTimestamp, n.DeletionGracePeriodSeconds = &now, &zero
		m.touch(n)
	}
	if !m.held(waitKey(n, "removed"), n.DeletionTimestamp != nil, m.options.Timing.NodeRemoved) {
		return n.DeletionTimestamp != nil || m.lost[n.Name]
	}
	for _, im := range m.managers.all() {
		if im.Spec.NodeID == n.Name {
			m.drop(im) // the garbage collector, by its owner reference
		}
	}
	delete(m.lost, n.Name)
	m.drop(n)
	return true
}

func (m *Model) sayGone(n *longhorn.Node) {
	m.setCondition(n, &n.Status.Conditions, longhorn.Condition{
		Type: longhorn.NodeConditionTypeReady, Status: longhorn.ConditionStatusFalse,
		Reason:  longhorn.NodeConditionReasonKubernetesNodeGone,
		Message: fmt.Sprintf("Kubernetes node missing: node %s has been removed from the cluster", n.Name),
	})
}

// keepNode leaves a node object as it is whose Kubernetes node was deleted, with
// the disks that it last reported, and gives it to the next machine of its name
// (v1.10.0, commit a56819105). It reports whether there is none.
func (m *Model) keepNode(n *longhorn.Node) bool {
	if _, back := m.kube[n.Name]; back && m.lost[n.Name] {
		delete(m.lost, n.Name)
		m.stir()
		m.resting[registrar].idle = false // it reads that, too
	}
	if m.held(waitKey(n, "gone"), m.lost[n.Name], m.options.Timing.NodeGone) {
		m.sayGone(n)
	}
	return m.lost[n.Name]
}

func (m *Model) syncNodeConditions(n *longhorn.Node) {
	k := m.kube[n.Name]
	ready := longhorn.Condition{Type: longhorn.NodeConditionTypeReady, Status: longhorn.ConditionStatusFalse}
	switch {
	case !k.Ready:
		ready.Reason = longhorn.NodeConditionReasonKubernetesNodeNotReady
		ready.Message = "Kubernetes node " + n.Name + " not ready"
	case k.Manager == "":
		ready.Reason = longhorn.NodeConditionReasonManagerPodMissing
		ready.Message = fmt.Sprintf("Manager pod is missing: node %s has no manager pod running on it", n.Name)
	default:
		ready.Status, ready.Message = longhorn.ConditionStatusTrue, "Node "+n.Name+" is ready"
	}
	m.setCondition(n, &n.Status.Conditions, ready)

	schedulable := longhorn.Condition{Type: longhorn.NodeConditionTypeSchedulable, Status: longhorn.ConditionStatusTrue}
	if k.Unschedulable && m.settingBool(settingCordoned) {
		schedulable.Status = longhorn.ConditionStatusFalse
		schedulable.Reason = longhorn.NodeConditionReasonKubernetesNodeCordoned
		schedulable.Message = fmt.Sprintf("Node %s is cordoned", n.Name)
	}
	m.setCondition(n, &n.Status.Conditions, schedulable)
	set(m, n, &n.Status.Zone, k.Zone)
	set(m, n, &n.Status.Region, k.Region)
}

// nodeDown is what Longhorn takes for a node that is down or deleted (v1.8.1
// datastore IsNodeDownOrDeleted): a missing manager pod alone does not count.
func (m *Model) nodeDown(name string) bool {
	n := m.nodes.get(name)
	if n == nil {
		return true
	}
	c := condition(n.Status.Conditions, longhorn.NodeConditionTypeReady)
	return c.Status == longhorn.ConditionStatusFalse &&
		(c.Reason == longhorn.NodeConditionReasonKubernetesNodeGone || c.Reason == longhorn.NodeConditionReasonKubernetesNodeNotReady)
}

// nodeDeleted is the narrower question of v1.8.1 datastore IsNodeDeleted.
func (m *Model) nodeDeleted(name string) bool {
	n := m.nodes.get(name)
	return n == nil || condition(n.Status.Conditions, longhorn.NodeConditionTypeReady).Reason == longhorn.NodeConditionReasonKubernetesNodeGone
}
