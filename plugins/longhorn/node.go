// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"slices"
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

// node is what is kept of a Node: its disks, sorted by name, in place of the maps
// that they come in, and the newest time in its status.
type node struct {
	meta
	placement  cluster.Placement
	tags       []string
	zone       string
	conditions narrow.Conditions
	disks      []cluster.Disk
	reported   time.Time
}

func newNode(item []byte) (*node, error) {
	o, err := decode[nodeSpec, nodeStatus]("Node", item)
	if err != nil {
		return nil, err
	}
	n := &node{
		meta: o.Metadata, placement: cluster.Placement{Accept: o.Spec.AllowScheduling, Evacuate: o.Spec.EvictionRequested},
		tags: o.Spec.Tags, zone: o.Status.Zone, conditions: o.Status.Conditions,
		disks: disksOf(o.Spec.Disks, o.Status.Disks), reported: o.Status.Conditions.Newest(),
	}
	for _, d := range o.Status.Disks {
		n.reported = later(n.reported, d.Conditions.Newest())
	}
	return n, nil
}

// fact translates the node, without what other objects say of it.
func (n *node) fact() cluster.StorageNode {
	f := cluster.StorageNode{
		Name: n.Name, UID: n.UID, Created: n.Created.time(), Deleting: n.Deleted != nil,
		Placement: n.placement, Zone: n.zone, Tags: n.tags, Disks: slices.Clone(n.disks), Reported: n.reported,
	}
	f.Ready, f.ReadyReason = n.conditions.Of("Ready")
	f.Schedulable, _ = n.conditions.Of("Schedulable")
	return f
}

// disksOf joins what is declared with what is reported, by the disk's name.
func disksOf(declared map[string]diskSpec, reported map[string]diskStatus) []cluster.Disk {
	names := make([]string, 0, len(declared))
	for name := range declared {
		names = append(names, name)
	}
	for name := range reported {
		if _, ok := declared[name]; !ok {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	out := make([]cluster.Disk, 0, len(names))
	for _, name := range names {
		spec, isDeclared := declared[name]
		status, isReported := reported[name]
		d := spec.joined(status)
		d.Name, d.Declared, d.Reported = name, isDeclared, isReported
		if !isDeclared {
			d.Path, d.Medium = clean(status.Path), status.Type
		}
		if d.Medium == "" {
			d.Medium = filesystem // before 1.5 there was no other
		}
		out = append(out, d)
	}
	return out
}

func (spec diskSpec) joined(status diskStatus) cluster.Disk {
	d := cluster.Disk{
		UUID: status.UUID, Path: clean(spec.Path), Accept: spec.AllowScheduling, Evacuate: spec.EvictionRequested, Tags: spec.Tags, Medium: spec.Type,
		Maximum: int64(status.Maximum), Available: int64(status.Available),
		Reserved: int64(spec.StorageReserved), Scheduled: int64(status.Scheduled),
	}
	d.Ready, d.ReadyReason = status.Conditions.Of("Ready")
	d.Schedulable, _ = status.Conditions.Of("Schedulable")
	return d
}
