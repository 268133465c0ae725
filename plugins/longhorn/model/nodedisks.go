// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
)

// syncDisks keeps the disks in a node's status, as the manager on the node
// reports them; without one the last report stands (v1.8.1
// controller/node_controller.go syncDiskStatus, controller/monitor).
func (m *Model) syncDisks(n *longhorn.Node) {
	if !m.managerUp(n.Name) {
		return
	}
	for _, name := range keys(n.Status.DiskStatus) {
		if _, ok := n.Spec.Disks[name]; !ok {
			delete(n.Status.DiskStatus, name)
			m.touch(n)
		}
	}
	settled := m.held(waitKey(n, "disks"), true, m.options.Timing.DiskReady)
	for _, name := range keys(n.Spec.Disks) {
		s := n.Status.DiskStatus[name]
		if s == nil {
			if !settled {
				continue
			}
			s = &longhorn.DiskStatus{ScheduledReplica: map[string]int64{}, ScheduledBackingImage: map[string]int64{}}
			if n.Status.DiskStatus == nil {
				n.Status.DiskStatus = map[string]*longhorn.DiskStatus{}
			}
			n.Status.DiskStatus[name] = s
			m.touch(n)
		}
		m.syncDisk(n, name, s)
	}
}

func (m *Model) syncDisk(n *longhorn.Node, name string, s *longhorn.DiskStatus) {
	spec := n.Spec.Disks[name]
	set(m, n, &s.DiskName, name)
	set(m, n, &s.DiskPath, spec.Path)
	set(m, n, &s.Type, spec.Type)
	if im := m.managerOf(n.Name); im != nil {
		set(m, n, &s.InstanceManagerName, im.Name)
	}
	where := "Disk " + name + "(" + spec.Path + ") on node " + n.Name
	reason, message := m.readDisk(n, spec, s)
	if reason != "" {
		for _, c := range []string{longhorn.DiskConditionTypeReady, longhorn.DiskConditionTypeSchedulable} {
			m.setCondition(n, &s.Conditions, longhorn.Condition{Type: c, Status: longhorn.ConditionStatusFalse, Reason: reason, Message: where + " is not ready: " + message})
		}
		m.setRoom(n, &s.StorageScheduled, 0)
		setMap(m, n, &s.ScheduledReplica, map[string]int64{})
		return
	}
	m.setCondition(n, &s.Conditions, longhorn.Condition{Type: longhorn.DiskConditionTypeReady, Status: longhorn.ConditionStatusTrue, Message: where + " is ready"})

	m.countReplicas(n, s)
	c := longhorn.Condition{Type: longhorn.DiskConditionTypeSchedulable, Status: longhorn.ConditionStatusTrue, Message: where + " is schedulable"}
	if !m.fits(spec, s, 0, 0) {
		c.Status, c.Reason = longhorn.ConditionStatusFalse, longhorn.DiskConditionReasonDiskPressure
		c.Message = where + " has too little space left"
	}
	m.setCondition(n, &s.Conditions, c)
}

// countReplicas lists in a disk's status the replicas that name the disk.
func (m *Model) countReplicas(n *longhorn.Node, s *longhorn.DiskStatus) {
	total, listed := int64(0), 0
	var on []*longhorn.Replica
	for _, r := range m.lying.on[s.DiskUUID] {
		// A disk that was moved takes its replicas along.
		if set(m, r, &r.Spec.NodeID, n.Name); r.Labels != nil && r.Labels["longhornnode"] != n.Name {
			r.Labels["longhornnode"] = n.Name
			m.touch(r)
		}
		on = append(on, r)
		if size, ok := s.ScheduledReplica[r.Name]; ok && size == r.Spec.VolumeSize {
			listed++
		}
		total += r.Spec.VolumeSize
	}
	if listed != len(on) || listed != len(s.ScheduledReplica) {
		s.ScheduledReplica = make(map[string]int64, len(on))
		for _, r := range on {
			s.ScheduledReplica[r.Name] = r.Spec.VolumeSize
		}
		m.touchRoom(n)
	}
	m.setRoom(n, &s.StorageScheduled, total)
}

// readDisk copies what the disk says of itself into its status. A blank disk
// gets an identity; one whose identity is another than the recorded one keeps
// the recorded one and is not ready.
func (m *Model) readDisk(n *longhorn.Node, spec longhorn.DiskSpec, s *longhorn.DiskStatus) (reason, message string) {
	d, ok := m.disks.Mounted(n.Name, spec.Path)
	if !ok {
		return longhorn.DiskConditionReasonNoDiskInfo, "no disk is mounted there"
	}
	if d.UUID == "" {
		d.UUID = string(m.newUID())
		m.stir()
		if err := m.disks.Label(n.Name, spec.Path, d.UUID); err != nil {
			return longhorn.DiskConditionReasonNoDiskInfo, err.Error()
		}
	}
	if s.DiskUUID != "" && s.DiskUUID != d.UUID {
		return longhorn.DiskConditionReasonDiskFilesystemChanged, fmt.Sprintf("record diskUUID doesn't match the one on the disk %s", d.UUID)
	}
	set(m, n, &s.DiskUUID, d.UUID)
	set(m, n, &s.FSType, "ext4")
	set(m, n, &s.StorageMaximum, d.Maximum)
	m.setRoom(n, &s.StorageAvailable, d.Available)
	return "", ""
}

// diskListed tells whether a node reports a disk of that UUID, ready or not.
func (m *Model) diskListed(node, uuid string) bool {
	n := m.nodes.get(node)
	if n == nil {
		return false
	}
	for _, s := range n.Status.DiskStatus {
		if s.DiskUUID == uuid {
			return true
		}
	}
	return false
}
