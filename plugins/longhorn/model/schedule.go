// SPDX-License-Identifier: Apache-2.0

package model

import (
	"cmp"
	"slices"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
)

// candidate is a disk that a new replica of a volume may be placed on.
type candidate struct {
	node *longhorn.Node
	spec longhorn.DiskSpec
	disk *longhorn.DiskStatus
}

// placeReplicas gives a disk to every replica that has none. Longhorn takes the
// disk with the most room; where that is equal the model takes the one with the
// least scheduled on it, then the first by name (v1.8.1
// scheduler/replica_scheduler.go ScheduleReplica). It reports whether all found
// one.
func (m *Model) placeReplicas(v *longhorn.Volume) bool {
	found := true
	for _, r := range m.replicas.of(v.Name) {
		if r.Spec.NodeID != "" || r.DeletionTimestamp != nil || r.Spec.FailedAt != "" {
			continue
		}
		all := m.candidates(v)
		if len(all) == 0 {
			found = false
			continue
		}
		c := slices.MinFunc(all, func(a, b candidate) int {
			return cmp.Or(-cmp.Compare(a.room(), b.room()), cmp.Compare(a.disk.StorageScheduled, b.disk.StorageScheduled), cmp.Compare(a.node.Name, b.node.Name), cmp.Compare(a.disk.DiskUUID, b.disk.DiskUUID))
		})
		set(m, r, &r.Spec.NodeID, c.node.Name)
		set(m, r, &r.Spec.DiskID, c.disk.DiskUUID)
		set(m, r, &r.Spec.DiskPath, c.spec.Path)
		set(m, r, &r.Spec.DataDirectoryName, v.Name+"-"+m.hex(8))
		c.disk.ScheduledReplica[r.Name] = r.Spec.VolumeSize
		c.disk.StorageScheduled += r.Spec.VolumeSize
		m.touchRoom(c.node)
	}
	return found
}

func (c candidate) room() int64 { return c.disk.StorageAvailable - c.spec.StorageReserved }

// setScheduled keeps the volume's Scheduled condition. While a detached volume
// has one replica that is placed and not marked failed it says True, whatever
// it lacks (v1.8.1 reconcileVolumeCondition).
func (m *Model) setScheduled(v *longhorn.Volume, found bool) {
	rs := m.replicas.of(v.Name)
	placed, one := len(rs) == v.Spec.NumberOfReplicas, false
	for _, r := range rs {
		placed = placed && r.Spec.NodeID != ""
		one = one || r.Spec.NodeID != "" && r.Spec.FailedAt == ""
	}
	c := longhorn.Condition{Type: longhorn.VolumeConditionTypeScheduled, Status: longhorn.ConditionStatusTrue}
	switch {
	case placed && missing(v, rs) <= 0:
	case v.Status.CurrentNodeID == "" && one && m.settingBool(settingDegraded):
		c.Message = "Reset schedulable due to allow volume creation with degraded availability"
	case !found:
		c.Status = longhorn.ConditionStatusFalse
		c.Reason, c.Message = longhorn.VolumeConditionReasonReplicaSchedulingFailure, longhorn.ErrorReplicaScheduleSchedulingFailed
	default:
		return // as replenish left it
	}
	m.setCondition(v, &v.Status.Conditions, c)
}

// candidates returns the disks that may take one more replica of a volume, best
// class first: an unused zone; else, with soft zones, an unused node, then a
// node that all replicas of the volume are leaving; else, with soft nodes, any
// that is used, of which no tags are asked (v1.8.1
// scheduler/replica_scheduler.go getDiskCandidates).
func (m *Model) candidates(v *longhorn.Volume) []candidate {
	m.roomy = true
	u := m.used(v)
	nodeSoft := m.soft(string(v.Spec.ReplicaSoftAntiAffinity), settingSoftNode)
	zoneSoft := m.soft(string(v.Spec.ReplicaZoneSoftAntiAffinity), settingSoftZone)
	fits := func(n *longhorn.Node) bool {
		return hasTags(n.Spec.Tags, v.Spec.NodeSelector, m.settingBool(settingEmptyNodeTags))
	}
	unused := func(n *longhorn.Node) bool { return !u.nodes[n.Name] && fits(n) }
	classes := []func(*longhorn.Node) bool{func(n *longhorn.Node) bool { return !u.zones[n.Status.Zone] && fits(n) }}
	switch {
	case !zoneSoft:
		classes = append(classes, func(n *longhorn.Node) bool { return u.leaving[n.Name] && u.leavingZones[n.Status.Zone] && fits(n) })
	case nodeSoft:
		classes = append(classes, unused, func(n *longhorn.Node) bool { return u.nodes[n.Name] })
	default:
		classes = append(classes, unused, func(n *longhorn.Node) bool { return u.leaving[n.Name] && fits(n) })
	}
	for _, in := range classes {
		if found := m.disksOf(v, in); len(found) > 0 {
			return found
		}
	}
	return nil
}

// soft reads a volume's own anti-affinity, or the setting.
func (m *Model) soft(own, setting string) bool {
	if own == "" || own == "ignored" {
		return m.settingBool(setting)
	}
	return own == "enabled"
}

type occupancy struct {
	nodes, zones, leaving, leavingZones map[string]bool
}

// used tells which nodes and zones a volume's replicas occupy. A failed one
// that may come back does, until the volume stops waiting for it; a replica on
// a node that takes none does not.
func (m *Model) used(v *longhorn.Volume) occupancy {
	u := occupancy{nodes: map[string]bool{}, zones: map[string]bool{}, leaving: map[string]bool{}, leavingZones: map[string]bool{}}
	replacing := v.Status.Robustness == longhorn.VolumeRobustnessDegraded && m.untilReplacement(v) == 0
	for _, r := range m.replicas.of(v.Name) {
		if r.Spec.NodeID == "" || r.DeletionTimestamp != nil || (r.Spec.FailedAt != "" && (!mightReturn(r) || replacing)) {
			continue
		}
		n := m.nodes.get(r.Spec.NodeID)
		if n == nil || !m.takesReplicas(n) {
			continue
		}
		zone := n.Status.Zone
		if !r.Spec.EvictionRequested {
			u.leaving[n.Name], u.leavingZones[zone] = false, false
		} else {
			if !u.nodes[n.Name] {
				u.leaving[n.Name] = true
			}
			if !u.zones[zone] {
				u.leavingZones[zone] = true
			}
		}
		u.nodes[n.Name], u.zones[zone] = true, true
	}
	return u
}

// takesReplicas tells whether new replicas may be placed on a node at all.
func (m *Model) takesReplicas(n *longhorn.Node) bool {
	return n.DeletionTimestamp == nil && n.Spec.AllowScheduling &&
		isTrue(n.Status.Conditions, longhorn.NodeConditionTypeReady) && isTrue(n.Status.Conditions, longhorn.NodeConditionTypeSchedulable) &&
		managerRuns(m.managerOf(n.Name)) && m.kube[n.Name].EngineImage
}

func (m *Model) disksOf(v *longhorn.Volume, in func(*longhorn.Node) bool) []candidate {
	var out []candidate
	for _, n := range m.nodes.all() {
		if !m.takesReplicas(n) || !in(n) {
			continue
		}
		for _, name := range keys(n.Status.DiskStatus) {
			spec, ok := n.Spec.Disks[name]
			s := n.Status.DiskStatus[name]
			if !ok || !spec.AllowScheduling || spec.EvictionRequested || spec.Type != longhorn.DiskTypeFilesystem ||
				!isTrue(s.Conditions, longhorn.DiskConditionTypeSchedulable) || !hasTags(spec.Tags, v.Spec.DiskSelector, m.settingBool(settingEmptyDiskTags)) ||
				!m.fits(spec, s, v.Spec.Size+m.beside(v, n, s), v.Status.ActualSize) || m.diskTaken(v, s.DiskUUID) {
				continue
			}
			out = append(out, candidate{node: n, spec: spec, disk: s})
		}
	}
	return out
}

// beside is the size of the volume's replicas on the node that are not among
// those of the disk: they count as promised of it, in case it was not told of
// them yet.
func (m *Model) beside(v *longhorn.Volume, n *longhorn.Node, s *longhorn.DiskStatus) int64 {
	var size int64
	for _, r := range m.replicas.of(v.Name) {
		if _, ok := s.ScheduledReplica[r.Name]; !ok && r.Spec.NodeID == n.Name {
			size += r.Spec.VolumeSize
		}
	}
	return size
}

// diskTaken tells whether a disk is barred because it holds a replica of the
// volume already.
func (m *Model) diskTaken(v *longhorn.Volume, uuid string) bool {
	if m.soft(string(v.Spec.ReplicaDiskSoftAntiAffinity), settingSoftDisk) {
		return false
	}
	return slices.ContainsFunc(m.replicas.of(v.Name), func(r *longhorn.Replica) bool {
		return r.Spec.DiskID == uuid && r.DeletionTimestamp == nil && (r.Spec.FailedAt == "" || mightReturn(r))
	})
}

// fits is Longhorn's arithmetic of space: enough stays available, and no more
// is promised than may be (v1.8.1 IsSchedulableToDisk).
func (m *Model) fits(spec longhorn.DiskSpec, s *longhorn.DiskStatus, size, used int64) bool {
	if s.StorageMaximum <= 0 || s.StorageAvailable <= 0 {
		return false
	}
	return s.StorageAvailable-used > s.StorageMaximum*m.settingInt(settingMinimal)/100 &&
		size+s.StorageScheduled <= (s.StorageMaximum-spec.StorageReserved)*m.settingInt(settingOverProvision)/100
}

// hasTags: every tag that is asked for is there; nothing asked for takes tagged
// ones too if the setting allows it.
func hasTags(have, want []string, emptyTakesAll bool) bool {
	if len(want) == 0 {
		return len(have) == 0 || emptyTakesAll
	}
	for _, w := range want {
		if !slices.Contains(have, w) {
			return false
		}
	}
	return true
}
