// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin/narrow"
)

type nodeSpec struct {
	Unschedulable bool   `json:"unschedulable"`
	ProviderID    string `json:"providerID"`
	Taints        []struct {
		Key    string `json:"key"`
		Value  string `json:"value"`
		Effect string `json:"effect"`
	} `json:"taints"`
}

type nodeStatus struct {
	Conditions  narrow.Conditions `json:"conditions"`
	Allocatable map[string]string `json:"allocatable"`
	NodeInfo    struct {
		BootID string `json:"bootID"`
	} `json:"nodeInfo"`
}

// The labels that carry a node's zone, the older one last.
const (
	zoneLabel    = "topology.kubernetes.io/zone"
	oldZoneLabel = "failure-domain.beta.kubernetes.io/zone"
)

func readNode(item []byte) (cluster.UID, cluster.Node, error) {
	o, err := decode[nodeSpec, nodeStatus](kindNode, item)
	if err != nil {
		return "", cluster.Node{}, err
	}
	m := o.Metadata
	n := cluster.Node{
		Ref: cluster.NodeRef{Name: m.Name, UID: m.UID}, Created: at(m.Created),
		Cordoned: o.Spec.Unschedulable, Deleting: m.Deleted != nil, Labels: m.Labels,
		ProviderID: o.Spec.ProviderID, BootID: o.Status.NodeInfo.BootID, Zone: m.Labels[zoneLabel],
	}
	if n.Zone == "" {
		n.Zone = m.Labels[oldZoneLabel]
	}
	n.Ready, n.ReadyReason = o.Status.Conditions.Of("Ready")
	n.CPU, n.Memory = milli(o.Status.Allocatable["cpu"]), whole(o.Status.Allocatable["memory"])
	for _, t := range o.Spec.Taints {
		n.Taints = append(n.Taints, t.Key+"="+t.Value+":"+t.Effect)
	}
	for _, key := range cluster.Announcements() {
		if value, ok := m.Annotations[key]; ok {
			n.Announced = append(n.Announced, key+"="+value)
		}
	}
	return m.key(), n, nil
}

func readLease(item []byte) (cluster.UID, lease, error) {
	o, err := decode[struct {
		Renewed  *time.Time `json:"renewTime"`
		Duration int        `json:"leaseDurationSeconds"`
	}, struct{}](kindLease, item)
	if err != nil {
		return "", lease{}, err
	}
	l := lease{renewed: at(o.Spec.Renewed), duration: time.Duration(o.Spec.Duration) * time.Second}
	if o.Metadata.Namespace == "" || o.Metadata.Namespace == leaseNamespace {
		l.node = o.Metadata.Name // leases elsewhere are of something else
	}
	return o.Metadata.key(), l, nil
}
