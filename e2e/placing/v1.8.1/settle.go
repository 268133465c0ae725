// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"

	"github.com/longhorn/longhorn-manager/datastore"
	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	"github.com/longhorn/longhorn-manager/types"
)

// written takes the space of a replica on its disk, and has the disk's report
// follow as the node controller's does. One that is rebuilt where it lies has
// its space already.
func (i *installation) written(v *longhorn.Volume, r *longhorn.Replica, reused bool) error {
	if reused {
		return nil
	}
	return i.space(r, v.Spec.Size, v.Status.ActualSize)
}

// space takes so much of the disk of a replica, or gives it back.
func (i *installation) space(r *longhorn.Replica, size, used int64) error {
	n, err := i.ds.GetNode(r.Spec.NodeID)
	if datastore.ErrorIsNotFound(err) {
		return nil
	} else if err != nil {
		return err
	}
	for name, d := range n.Status.DiskStatus {
		if d.DiskUUID != r.Spec.DiskID {
			continue
		}
		d.StorageScheduled += size
		d.StorageAvailable -= used
		if d.ScheduledReplica == nil {
			d.ScheduledReplica = map[string]int64{}
		}
		d.ScheduledReplica[r.Name] = r.Spec.VolumeSize
		if size < 0 {
			delete(d.ScheduledReplica, r.Name)
		}
		if err := i.press(n.Spec.Disks[name], d); err != nil {
			return err
		}
	}
	return i.caches["nodes"].Update(n)
}

// press closes a disk that is under pressure, and opens one that was and is
// no longer.
func (i *installation) press(spec longhorn.DiskSpec, d *longhorn.DiskStatus) error {
	info, err := i.scheduler.GetDiskSchedulingInfo(spec, d)
	if err != nil {
		return err
	}
	now := types.GetCondition(d.Conditions, longhorn.DiskConditionTypeSchedulable)
	switch ok := i.scheduler.IsSchedulableToDisk(0, 0, info); {
	case !ok && now.Status == longhorn.ConditionStatusTrue:
		d.Conditions = types.SetCondition(d.Conditions, longhorn.DiskConditionTypeSchedulable, longhorn.ConditionStatusFalse,
			longhorn.DiskConditionReasonDiskPressure, "")
	case ok && now.Status != longhorn.ConditionStatusTrue && now.Reason == longhorn.DiskConditionReasonDiskPressure:
		d.Conditions = types.SetCondition(d.Conditions, longhorn.DiskConditionTypeSchedulable, longhorn.ConditionStatusTrue, "", "")
	}
	return nil
}

// settle stores a volume with its replicas, and lets those go that were asked
// to leave and are no longer needed: one for each healthy replica above the
// configured number (cleanupEvictionRequestedReplicas).
func (i *installation) settle(v *longhorn.Volume, e *longhorn.Engine, rs map[string]*longhorn.Replica) error {
	healthy := 0
	for _, r := range rs {
		if r.Spec.FailedAt == "" && r.Spec.HealthyAt != "" {
			healthy++
		}
	}
	for _, r := range ordered(rs) {
		switch {
		case r.Spec.NodeID == "":
			if err := i.caches["replicas"].Delete(r); err != nil {
				return err
			}
		case r.Spec.EvictionRequested && healthy > v.Spec.NumberOfReplicas && r.Spec.FailedAt == "" && r.Spec.HealthyAt != "":
			healthy--
			delete(e.Spec.ReplicaAddressMap, r.Name)
			delete(e.Status.ReplicaModeMap, r.Name)
			delete(e.Status.CurrentReplicaAddressMap, r.Name)
			if err := i.space(r, -v.Spec.Size, -v.Status.ActualSize); err != nil {
				return err
			}
			if err := i.caches["replicas"].Delete(r); err != nil {
				return err
			}
		default:
			if err := i.caches["replicas"].Update(r); err != nil {
				return err
			}
		}
	}
	if err := i.caches["volumes"].Update(v); err != nil {
		return err
	}
	return i.caches["engines"].Update(e)
}

// short tells whether the volume has fewer replicas that serve and stay than
// it is configured to have.
func (i *installation) short(name, leaving string) bool {
	v, e, rs, err := i.volume(name)
	if err != nil {
		return true
	}
	have := 0
	for _, r := range rs {
		if e.Status.ReplicaModeMap[r.Name] == longhorn.ReplicaModeRW && (leaving == "" || r.Spec.NodeID != leaving) {
			have++
		}
	}
	return have < v.Spec.NumberOfReplicas
}

// left names the volumes with a replica on the node that is not failed.
func (i *installation) left(node string) []string {
	names := map[string]bool{}
	for _, r := range listed[*longhorn.Replica](i, "replicas") {
		if node != "" && r.Spec.NodeID == node && r.Spec.FailedAt == "" {
			names[r.Spec.VolumeName] = true
		}
	}
	var out []string
	for name := range maps.Keys(names) {
		out = append(out, name)
	}
	return out
}

// save keeps the objects that change; restore puts them back.
func (i *installation) save() map[string][]any {
	return map[string][]any{
		"nodes": copies[*longhorn.Node](i, "nodes"), "volumes": copies[*longhorn.Volume](i, "volumes"),
		"engines": copies[*longhorn.Engine](i, "engines"), "replicas": copies[*longhorn.Replica](i, "replicas"),
	}
}

func (i *installation) restore(saved map[string][]any) error {
	for _, r := range listed[*longhorn.Replica](i, "replicas") {
		i.forget(r.Name)
	}
	for resource, objects := range saved {
		if err := i.caches[resource].Replace(objects, ""); err != nil {
			return err
		}
	}
	return nil
}

func copies[T interface{ DeepCopy() T }](i *installation, resource string) []any {
	var out []any
	for _, o := range listed[T](i, resource) {
		out = append(out, o)
	}
	return out
}
