// SPDX-License-Identifier: Apache-2.0

package model

import (
	"errors"
	"fmt"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
)

// Values of node-drain-policy.
const (
	policyBlockLast      = "block-if-contains-last-replica"
	policyAllowStopped   = "allow-if-replica-is-stopped"
	policyAlwaysAllow    = "always-allow"
	policyBlockEvict     = "block-for-eviction"
	policyBlockEvictLast = "block-for-eviction-if-contains-last-replica"
)

// errNoNode is how a replica that names a deleted node ends the look at a
// disruption budget.
var errNoNode = errors.New("kubernetes node not found")

// syncBudgets keeps a disruption budget for each running instance manager, and
// takes it away from a cordoned node when the drain policy lets it. This is all
// that protects replicas from kubectl drain, and it looks at the names of
// nodes, never at their disks (v1.8.1 controller/instance_manager_controller.go
// syncInstanceManagerPDB, canDeleteInstanceManagerPDB).
func (m *Model) syncBudgets() {
	for name := range m.budgets {
		if m.managers.get(name) == nil {
			delete(m.budgets, name)
			m.note(ofBudgets)
		}
	}
	for _, im := range m.managers.all() {
		if !managerRuns(im) {
			continue // looked at again when it runs; until then it stays as it is
		}
		k, ok := m.kube[im.Spec.NodeID]
		if !ok {
			continue
		}
		want := true
		if k.Unschedulable || m.settingBool(settingAutoscaler) {
			may, err := m.mayDropBudget(im)
			if err != nil {
				continue // the whole sync fails, for as long as the error lasts
			}
			want = !may && (m.budgets[im.Name] || !k.Unschedulable)
		}
		if m.budgets[im.Name] != want {
			m.budgets[im.Name] = want
			m.note(ofBudgets)
		}
	}
}

// WhyBudget explains, for tests and for people, why an instance manager's
// budget stays on a cordoned node; empty when it may go.
func (m *Model) WhyBudget(manager string) string {
	im := m.managers.get(manager)
	if im == nil {
		return ""
	}
	may, err := m.mayDropBudget(im)
	switch {
	case err != nil:
		return "failed to sync instance manager: " + err.Error()
	case !may:
		return "the node still holds an engine, or the last protected replica of a volume"
	}
	return ""
}

func (m *Model) mayDropBudget(im *longhorn.InstanceManager) (bool, error) {
	if len(im.Status.InstanceEngines) > 0 {
		return false, nil
	}
	policy := m.setting(settingDrainPolicy)
	if policy == policyAlwaysAllow {
		return true, nil
	}
	for _, r := range m.lying.at[im.Spec.NodeID] {
		switch {
		case policy == policyBlockEvict:
			return false, nil
		case policy == policyAllowStopped && r.Spec.DesireState == longhorn.InstanceStateStopped && r.Status.CurrentState == longhorn.InstanceStateStopped:
			continue
		}
		elsewhere, err := m.protectedElsewhere(r.Spec.VolumeName, im.Spec.NodeID)
		if err != nil {
			return false, err
		}
		unused := r.Spec.HealthyAt == "" && r.Spec.FailedAt == ""
		if !elsewhere && !unused {
			return false, nil
		}
	}
	return true, nil
}

// protectedElsewhere tells whether a volume has, on another node, a replica
// that passes for healthy and is protected by a budget (v1.8.1
// datastore.ListVolumePDBProtectedHealthyReplicasRO). A stopped replica on a
// node that was replaced under its name passes. One whose node is gone fails
// the question for the whole volume, good replicas or not.
func (m *Model) protectedElsewhere(volume, node string) (bool, error) {
	answer := false
	for _, r := range m.replicas.of(volume) {
		if r.Spec.HealthyAt == "" || r.Spec.FailedAt != "" {
			continue
		}
		k, ok := m.kube[r.Spec.NodeID]
		if !ok {
			return false, fmt.Errorf("replica %s: node %q: %w", r.Name, r.Spec.NodeID, errNoNode)
		}
		im := m.managerOf(r.Spec.NodeID)
		if !k.Unschedulable && managerRuns(im) && m.budgets[im.Name] && r.Spec.NodeID != node {
			answer = true
		}
	}
	return answer, nil
}
