// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"fmt"
	"strings"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// dump is the state in a few lines, for failures.
func (w *world) dump() string {
	var b strings.Builder
	for _, o := range w.list(model.Volumes) {
		v := o.(*longhorn.Volume)
		fmt.Fprintf(&b, "%s %s on %q wanted on %q\n", v.Name, w.state(v.Name), v.Status.CurrentNodeID, v.Spec.NodeID)
		for _, r := range w.replicas(v.Name) {
			fmt.Fprintf(&b, "  %s node=%s %s->%s healthy=%q failed=%q evict=%t\n", r.Name, r.Spec.NodeID, r.Status.CurrentState, r.Spec.DesireState, r.Spec.HealthyAt, r.Spec.FailedAt, r.Spec.EvictionRequested)
		}
		fmt.Fprintf(&b, "  engine %s %v %v\n", w.engine(v.Name).Status.CurrentState, w.engine(v.Name).Status.ReplicaModeMap, w.engine(v.Name).Spec.ReplicaAddressMap)
	}
	for _, o := range w.list(model.Nodes) {
		n := o.(*longhorn.Node)
		fmt.Fprintf(&b, "node %s %+v disks=%d\n", n.Name, n.Status.Conditions, len(n.Status.DiskStatus))
		for name, d := range n.Status.DiskStatus {
			fmt.Fprintf(&b, "  %s %+v\n", name, *d)
		}
	}
	for _, o := range w.list(model.InstanceManagers) {
		im := o.(*longhorn.InstanceManager)
		fmt.Fprintf(&b, "im %s %s\n", im.Spec.NodeID, im.Status.CurrentState)
	}
	return b.String()
}
