// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
)

// DenyDelete returns the words with which Longhorn's admission webhook refuses
// the deletion of an object by a user, empty where it does not.
func (m *Model) DenyDelete(ref Ref) string {
	switch ref.Kind {
	case Nodes:
		return m.denyNode(m.nodes.get(ref.Name))
	case Replicas:
		return m.denyReplica(m.replicas.get(ref.Name))
	default:
		return ""
	}
}

// denyReplica refuses the last replica that passes for healthy (v1.12.0
// webhook/resources/replica/validator.go; since v1.5.4). It does not look at
// disks: a phantom counts.
func (m *Model) denyReplica(r *longhorn.Replica) string {
	if r == nil || m.options.Behaviour.StartsWithoutData || !available(r) {
		return ""
	}
	if v := m.volumes.get(r.Spec.VolumeName); v == nil || v.DeletionTimestamp != nil {
		return ""
	}
	for _, o := range m.replicas.of(r.Spec.VolumeName) {
		if o.Name != r.Name && available(o) {
			return ""
		}
	}
	return fmt.Sprintf("no other healthy replica available for volume %v, cannot delete replica %v since it may still contain data for recovery",
		r.Spec.VolumeName, r.Name)
}

func available(r *longhorn.Replica) bool {
	return r.DeletionTimestamp == nil && r.Spec.FailedAt == "" && r.Spec.HealthyAt != "" && !r.Spec.EvictionRequested
}

// denyNode refuses a node that is still there, may be scheduled to, or has
// replicas or engines (v1.12.0 webhook/resources/node/validator.go; since
// v1.10.0).
func (m *Model) denyNode(n *longhorn.Node) string {
	if n == nil || !m.options.Behaviour.KeepsNodes {
		return ""
	}
	replicas, engines := 0, 0
	for _, r := range m.replicas.all() {
		if r.Spec.NodeID == n.Name {
			replicas++
		}
	}
	for _, e := range m.engines.all() {
		if e.Spec.NodeID == n.Name {
			engines++
		}
	}
	c := condition(n.Status.Conditions, longhorn.NodeConditionTypeReady)
	gone := c.Reason == longhorn.NodeConditionReasonKubernetesNodeGone || c.Reason == longhorn.NodeConditionReasonManagerPodMissing
	if c.Status != longhorn.ConditionStatusTrue && gone && !n.Spec.AllowScheduling && replicas == 0 && engines == 0 {
		return ""
	}
	return fmt.Sprintf("could not delete node %v with node ready condition is %v, reason is %v, node schedulable %v, and %v replica, %v engine running on it",
		n.Name, c.Status, c.Reason, n.Spec.AllowScheduling, replicas, engines)
}
