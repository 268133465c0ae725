// SPDX-License-Identifier: Apache-2.0

package model

import (
	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	"k8s.io/apimachinery/pkg/types"
)

// Pod describes an instance manager's pod. Its name is that of the instance
// manager. The labels are the model's own.
type Pod struct {
	Name, Node, Image string
	Owner             types.UID // of the instance manager
	Labels            map[string]string
}

// Budget describes an instance manager's PodDisruptionBudget: at least one of
// the pods that bear the labels, of which there is one, must stay available. The
// labels are the model's own.
type Budget struct {
	Name   string
	Labels map[string]string
}

// Pods returns the instance-manager pods that should exist, by name. A pod that
// was evicted from a cordoned node is not made again until the node is
// schedulable (v1.8.1 controller/instance_manager_controller.go handlePod).
func (m *Model) Pods() []Pod {
	var out []Pod
	for _, im := range m.managers.all() {
		k, ok := m.kube[im.Spec.NodeID]
		_, exists := m.pods[im.Name]
		n := m.nodes.get(im.Spec.NodeID)
		if !ok || n == nil || n.DeletionTimestamp != nil || m.lost[im.Spec.NodeID] || (!exists && (k.Unschedulable || !k.Ready)) {
			continue
		}
		out = append(out, Pod{Name: im.Name, Node: im.Spec.NodeID, Image: im.Spec.Image, Owner: im.UID, Labels: im.Labels})
	}
	return out
}

// Budgets returns the disruption budgets that should exist, by name.
func (m *Model) Budgets() []Budget {
	var out []Budget
	for _, im := range m.managers.all() {
		if m.budgets[im.Name] {
			out = append(out, Budget{Name: im.Name, Labels: im.Labels})
		}
	}
	return out
}

// Guarded reports whether an instance manager's disruption budget should exist.
func (m *Model) Guarded(manager string) bool {
	return m.budgets[manager] && m.managers.get(manager) != nil
}

// managerName hashes node, image and data engine: a node that comes back under
// its name gets the same one (v1.8.1 types.GetInstanceManagerName).
func (m *Model) managerName(node string) string {
	name, ok := m.hashes[node]
	if !ok {
		name = "instance-manager-" + checksum(node+m.managerImage()+"v1", 32)
		m.hashes[node] = name
	}
	return name
}

// managerOf returns the instance manager of a node, nil if there is none.
func (m *Model) managerOf(node string) *longhorn.InstanceManager {
	im := m.managers.get(m.managerName(node))
	if im == nil || im.DeletionTimestamp != nil {
		return nil
	}
	return im
}

// syncInstanceManagers makes one for each node with a working manager and a
// disk, and reads its state off its pod.
func (m *Model) syncInstanceManagers() {
	for _, n := range m.nodes.all() {
		if m.managerUp(n.Name) && len(n.Status.DiskStatus) > 0 && m.managerOf(n.Name) == nil && m.kube[n.Name].EngineImage {
			im := &longhorn.InstanceManager{TypeMeta: typeMeta(InstanceManagers), ObjectMeta: m.meta(InstanceManagers, m.managerName(n.Name), n)}
			im.Labels = labels("instance-manager")
			im.Labels["longhorn.io/data-engine"] = "v1"
			im.Labels["longhorn.io/instance-manager-image"] = "imi-" + checksum(m.managerImage(), 8)
			im.Labels["longhorn.io/instance-manager-type"] = "aio"
			im.Labels["longhorn.io/node"] = n.Name
			im.Spec = longhorn.InstanceManagerSpec{Image: m.managerImage(), NodeID: n.Name, Type: longhorn.InstanceManagerTypeAllInOne, DataEngine: longhorn.DataEngineTypeV1}
			im.Status.CurrentState = longhorn.InstanceManagerStateStopped
			m.insert(im)
		}
	}
	for _, im := range m.managers.all() {
		set(m, im, &im.Status.OwnerID, m.owner(im.Name, im.Spec.NodeID, im.Status.OwnerID))
		m.syncInstanceManager(im)
	}
}

// syncInstanceManager follows v1.8.1 syncStatusWithPod and syncStatusWithNode:
// a pod that is not there, or going, is an error; a node that is down makes the
// state unknown, and only then.
func (m *Model) syncInstanceManager(im *longhorn.InstanceManager) {
	if !m.anyManagerUp() {
		return
	}
	p, exists := m.pods[im.Name]
	state := im.Status.CurrentState
	switch {
	case m.nodeDown(im.Spec.NodeID):
		if state != longhorn.InstanceManagerStateError && state != longhorn.InstanceManagerStateStopped {
			state = longhorn.InstanceManagerStateUnknown
		}
	case !exists:
		if state != longhorn.InstanceManagerStateStopped {
			state = longhorn.InstanceManagerStateError
		}
	case p.Terminating:
		state = longhorn.InstanceManagerStateError
	case !p.Ready:
		state = longhorn.InstanceManagerStateStarting
	default:
		state = longhorn.InstanceManagerStateRunning
		set(m, im, &im.Status.IP, p.IP)
	}
	set(m, im, &im.Status.CurrentState, state)
	api := [4]int{}
	if state == longhorn.InstanceManagerStateRunning {
		api = [4]int{6, 1, 5, 1}
	}
	set(m, im, &im.Status.APIVersion, api[0])
	set(m, im, &im.Status.APIMinVersion, api[1])
	set(m, im, &im.Status.ProxyAPIVersion, api[2])
	set(m, im, &im.Status.ProxyAPIMinVersion, api[3])
}

func managerRuns(im *longhorn.InstanceManager) bool {
	return im != nil && im.Status.CurrentState == longhorn.InstanceManagerStateRunning
}

// managerUsable tells whether an instance manager runs or is about to.
func managerUsable(im *longhorn.InstanceManager) bool {
	return managerRuns(im) || im != nil && im.Status.CurrentState == longhorn.InstanceManagerStateStarting
}
