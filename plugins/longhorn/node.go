// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"sort"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin/narrow"
)

type diskSpec struct {
	Path              string   `json:"path"`
	Type              string   `json:"diskType"`
	AllowScheduling   bool     `json:"allowScheduling"`
	EvictionRequested bool     `json:"evictionRequested"`
	StorageReserved   size     `json:"storageReserved"`
	Tags              []string `json:"tags"`
}

type diskStatus struct {
	UUID       string            `json:"diskUUID"`
	Path       string            `json:"diskPath"`
	Type       string            `json:"diskType"`
	Conditions narrow.Conditions `json:"conditions"`
	Available  size              `json:"storageAvailable"`
	Maximum    size              `json:"storageMaximum"`
	Scheduled  size              `json:"storageScheduled"`
}

type nodeSpec struct {
	AllowScheduling   bool                `json:"allowScheduling"`
	EvictionRequested bool                `json:"evictionRequested"`
	Tags              []string            `json:"tags"`
	Disks             map[string]diskSpec `json:"disks"`
}

type nodeStatus struct {
	Conditions narrow.Conditions     `json:"conditions"`
	Zone       string                `json:"zone"`
	Disks      map[string]diskStatus `json:"diskStatus"`
}

// node is what is kept of a Node.
type node struct {
	meta
	nodeSpec
	Status nodeStatus
}

func newNode(item []byte) (*node, error) {
	o, err := decode[nodeSpec, nodeStatus]("Node", item)
	if err != nil {
		return nil, err
	}
	return &node{meta: o.Metadata, nodeSpec: o.Spec, Status: o.Status}, nil
}

// reported is the newest time in its status.
func (n *node) reported() time.Time {
	t := n.Status.Conditions.Newest()
	for _, d := range n.Status.Disks {
		t = later(t, d.Conditions.Newest())
	}
	return t
}

// fact translates the node, without what other objects say of it.
func (n *node) fact() cluster.StorageNode {
	f := cluster.StorageNode{
		Name: n.Name, UID: n.UID, Created: n.Created.time(), Deleting: n.Deleted != nil,
		Placement: cluster.Placement{Accept: n.AllowScheduling, Evacuate: n.EvictionRequested},
		Zone:      n.Status.Zone, Tags: n.Tags, Disks: n.disks(), Reported: n.reported(),
	}
	f.Ready, f.ReadyReason = n.Status.Conditions.Of("Ready")
	f.Schedulable, _ = n.Status.Conditions.Of("Schedulable")
	return f
}

// disks joins what is declared with what is reported, by the disk's name.
func (n *node) disks() []cluster.Disk {
	names := make([]string, 0, len(n.Disks))
	for name := range n.Disks {
		names = append(names, name)
	}
	for name := range n.Status.Disks {
		if _, ok := n.Disks[name]; !ok {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	out := make([]cluster.Disk, 0, len(names))
	for _, name := range names {
		out = append(out, n.disk(name))
	}
	return out
}

func (n *node) disk(name string) cluster.Disk {
	spec, declared := n.Disks[name]
	status, reported := n.Status.Disks[name]
	d := cluster.Disk{
		Name: name, UUID: status.UUID, Path: clean(spec.Path), Declared: declared, Reported: reported,
		Accept: spec.AllowScheduling, Evacuate: spec.EvictionRequested, Tags: spec.Tags, Medium: spec.Type,
		Maximum: int64(status.Maximum), Available: int64(status.Available),
		Reserved: int64(spec.StorageReserved), Scheduled: int64(status.Scheduled),
	}
	if !declared {
		d.Path, d.Medium = clean(status.Path), status.Type
	}
	if d.Medium == "" {
		d.Medium = filesystem // before 1.5 there was no other
	}
	d.Ready, d.ReadyReason = status.Conditions.Of("Ready")
	d.Schedulable, _ = status.Conditions.Of("Schedulable")
	return d
}
