// SPDX-License-Identifier: Apache-2.0

package placing_test

import (
	"fmt"

	lh "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// volume draws one with its engine and its replicas: some never used, most
// asleep, some attached; some with failed, leaving or deleted replicas, or with
// one whose disk is not there.
func (d *drawn) volume(name string) {
	v := &lh.Volume{ObjectMeta: d.meta(name)}
	v.Spec = lh.VolumeSpec{
		Size: int64(1+d.IntN(16)) * gib, NumberOfReplicas: 1 + d.IntN(3), Image: engineImage, DataEngine: lh.DataEngineTypeV1,
		NodeSelector: chance(d.Rand, nil, nil, nil, []string{"ssd"}), DiskSelector: chance(d.Rand, nil, nil, nil, []string{"nvme"}),
		ReplicaSoftAntiAffinity:     chance(d.Rand, "", lh.ReplicaSoftAntiAffinityDefault, lh.ReplicaSoftAntiAffinityEnabled, lh.ReplicaSoftAntiAffinityDisabled),
		ReplicaZoneSoftAntiAffinity: chance(d.Rand, "", lh.ReplicaZoneSoftAntiAffinityDefault, lh.ReplicaZoneSoftAntiAffinityEnabled, lh.ReplicaZoneSoftAntiAffinityDisabled),
		ReplicaDiskSoftAntiAffinity: chance(d.Rand, "", lh.ReplicaDiskSoftAntiAffinityDefault, lh.ReplicaDiskSoftAntiAffinityEnabled, lh.ReplicaDiskSoftAntiAffinityDisabled),
		DataLocality:                lh.DataLocalityDisabled,
	}
	if one(d.Rand, 60) {
		v.Spec.Size = 17 << 40
	}
	if one(d.Rand, 10) {
		v.Spec.BackingImage = "base"
	}
	used := !one(d.Rand, 5)
	v.Status.State, v.Status.CurrentImage, v.Status.OwnerID = lh.VolumeStateDetached, engineImage, "w1"
	if used {
		v.Status.ActualSize = d.Int64N(min(v.Spec.Size, 16*gib))
	}
	e := &lh.Engine{ObjectMeta: d.meta(name + "-e-0")}
	e.Spec = lh.EngineSpec{InstanceSpec: lh.InstanceSpec{VolumeName: name, VolumeSize: v.Spec.Size, Image: engineImage, DataEngine: lh.DataEngineTypeV1}, Active: true}
	e.Status.CurrentState, e.Status.CurrentSize, e.Status.CurrentImage = lh.InstanceStateStopped, v.Spec.Size, engineImage
	if one(d.Rand, 40) {
		e.Status.CurrentSize, v.Status.ExpansionRequired = v.Spec.Size/2, true
	}
	attached := used && one(d.Rand, 3)
	if attached {
		v.Status.State, v.Status.Robustness = lh.VolumeStateAttached, lh.VolumeRobustnessHealthy
		e.Status.CurrentState = lh.InstanceStateRunning
		e.Status.ReplicaModeMap, e.Status.CurrentReplicaAddressMap = map[string]lh.ReplicaMode{}, map[string]string{}
	}
	d.volumes = append(d.volumes, v)
	d.put("engines", e)
	d.replicas(v, e, used)
}

// replicas puts the volume's replicas onto disks that are there.
func (d *drawn) replicas(v *lh.Volume, e *lh.Engine, used bool) {
	nodes := d.Perm(len(d.nodes))
	if one(d.Rand, 2) {
		nodes = append([]int{0}, nodes...) // the leaving node has one
	}
	count := v.Spec.NumberOfReplicas
	if one(d.Rand, 8) {
		count += chance(d.Rand, -1, 1)
	}
	taken := map[int]bool{}
	made := 0
	for _, at := range nodes {
		if made >= max(count, 1) || taken[at] && !one(d.Rand, 4) {
			continue
		}
		taken[at] = true
		if d.replica(v, e, d.nodes[at], used) {
			made++
		}
	}
	if attached := e.Status.ReplicaModeMap; attached != nil && len(attached) < v.Spec.NumberOfReplicas {
		v.Status.Robustness, v.Status.LastDegradedAt = lh.VolumeRobustnessDegraded, healthy
	}
}

// replica makes one on a disk of the node that is declared and reported.
func (d *drawn) replica(v *lh.Volume, e *lh.Engine, n *lh.Node, used bool) bool {
	var disks []string
	for _, name := range []string{"a", "b", "c"} {
		if spec, ok := n.Spec.Disks[name]; ok && n.Status.DiskStatus[name] != nil && spec.Type == lh.DiskTypeFilesystem {
			disks = append(disks, name)
		}
	}
	if len(disks) == 0 {
		return false
	}
	disk := chance(d.Rand, disks...)
	name := fmt.Sprintf("%s-r-%d", v.Name, len(d.other["replicas"]))
	r := &lh.Replica{ObjectMeta: d.meta(name)}
	r.Spec = lh.ReplicaSpec{
		InstanceSpec: lh.InstanceSpec{VolumeName: v.Name, VolumeSize: v.Spec.Size, NodeID: n.Name, Image: engineImage, DataEngine: lh.DataEngineTypeV1},
		EngineName:   e.Name, DiskID: n.Status.DiskStatus[disk].DiskUUID, DiskPath: n.Spec.Disks[disk].Path, DataDirectoryName: name, Active: true,
	}
	r.Spec.Image, r.Status.OwnerID, r.Status.CurrentState = engineImage, n.Name, lh.InstanceStateStopped
	if used {
		r.Spec.HealthyAt, r.Spec.LastHealthyAt = healthy, healthy
	}
	switch {
	case used && one(d.Rand, 12):
		r.Spec.FailedAt, r.Spec.LastFailedAt = failed, failed
		r.Spec.RebuildRetryCount = chance(d.Rand, 0, 0, 1, 5)
	case one(d.Rand, 40):
		r.Spec.DiskID = "of another life"
	}
	r.Spec.EvictionRequested = one(d.Rand, 40)
	if one(d.Rand, 60) {
		now := metav1.NewTime(r.CreationTimestamp.AddDate(0, 0, 1))
		r.DeletionTimestamp, r.Finalizers = &now, []string{"longhorn.io"}
	}
	if e.Status.ReplicaModeMap != nil && r.Spec.FailedAt == "" && r.DeletionTimestamp == nil {
		e.Status.ReplicaModeMap[name], e.Status.CurrentReplicaAddressMap[name] = lh.ReplicaModeRW, name
		r.Status.CurrentState = lh.InstanceStateRunning
	}
	if s := n.Status.DiskStatus[disk]; s.DiskUUID == r.Spec.DiskID {
		s.ScheduledReplica[name] = v.Spec.Size
		s.StorageScheduled += v.Spec.Size
		s.StorageAvailable = max(gib, s.StorageAvailable-v.Status.ActualSize)
	}
	d.put("replicas", r)
	return true
}

// pressure closes the disks that are full, as the node controller does.
func (d *drawn) pressure() {
	for _, n := range d.nodes {
		for name, s := range n.Status.DiskStatus {
			spec := n.Spec.Disks[name]
			left := s.StorageAvailable > int64(float64(s.StorageMaximum)*float64(d.minimal)/100)
			promised := s.StorageScheduled <= int64(float64(s.StorageMaximum-spec.StorageReserved)*float64(d.over)/100)
			if !(left && promised) {
				s.Conditions[1] = condition(lh.DiskConditionTypeSchedulable, false, string(lh.DiskConditionReasonDiskPressure))
			}
		}
	}
}
