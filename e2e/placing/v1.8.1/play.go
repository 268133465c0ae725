// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	"github.com/longhorn/longhorn-manager/types"
)

// stamp is a time as Longhorn writes it, long ago: no waiting time runs.
const stamp = "2020-01-02T03:04:05Z"

// most bounds how often a volume is worked on; one needs a turn for each
// replica that it gets.
const most = 20

func (i *installation) answer(q question) (*answer, error) {
	if err := i.begin(q); err != nil {
		return nil, err
	}
	a := &answer{Alone: map[string][]step{}, End: map[string][]json.RawMessage{}}
	before := i.save()
	for _, name := range q.Order {
		steps, err := i.work(name)
		if err != nil {
			return nil, fmt.Errorf("volume %s by itself: %w", name, err)
		}
		a.Alone[name] = steps
		if i.short(name, q.Leaving) {
			a.ShortAlone = append(a.ShortAlone, name)
		}
		if err := i.restore(before); err != nil {
			return nil, err
		}
	}
	for range most {
		var round []step
		for _, name := range q.Order {
			steps, err := i.work(name)
			if err != nil {
				return nil, fmt.Errorf("volume %s: %w", name, err)
			}
			round = append(round, steps...)
		}
		if len(round) == 0 {
			break
		}
		a.Steps = append(a.Steps, round...)
	}
	for _, name := range q.Order {
		if i.short(name, q.Leaving) {
			a.Short = append(a.Short, name)
		}
	}
	a.Left = i.left(q.Leaving)
	for _, resource := range []string{"nodes", "replicas"} {
		for _, o := range i.caches[resource].List() {
			raw, err := json.Marshal(o)
			if err != nil {
				return nil, err
			}
			a.End[resource] = append(a.End[resource], raw)
		}
	}
	return a, nil
}

// begin fills the caches, ends what is being deleted, asks the leaving node's
// replicas to leave, as the node controller does, and opens every volume.
func (i *installation) begin(q question) error {
	if err := i.load(q.Objects, q.Kube); err != nil {
		return err
	}
	if q.Leaving != "" {
		for _, n := range listed[*longhorn.Node](i, "nodes") {
			if n.Name == q.Leaving {
				n.Spec.AllowScheduling, n.Spec.EvictionRequested = false, true
				if err := i.caches["nodes"].Update(n); err != nil {
					return err
				}
			}
		}
	}
	for _, r := range listed[*longhorn.Replica](i, "replicas") {
		if r.DeletionTimestamp != nil {
			if err := i.caches["replicas"].Delete(r); err != nil {
				return err
			}
			continue
		}
		i.forget(r.Name)
		r.Spec.EvictionRequested = r.Spec.EvictionRequested || q.Leaving != "" && r.Spec.NodeID == q.Leaving
		if err := i.caches["replicas"].Update(r); err != nil {
			return err
		}
	}
	for _, name := range q.Order {
		if err := i.open(name); err != nil {
			return err
		}
	}
	return nil
}

// open attaches a volume: what can start of its replicas is served by its
// engine, and what lies on a node that is down is marked as failed.
func (i *installation) open(name string) error {
	v, e, rs, err := i.volume(name)
	if err != nil {
		return err
	}
	e.Spec.ReplicaAddressMap, e.Status.ReplicaModeMap = map[string]string{}, map[string]longhorn.ReplicaMode{}
	e.Status.ReplicaTransitionTimeMap = map[string]string{}
	unused := !slices.ContainsFunc(ordered(rs), func(r *longhorn.Replica) bool { return r.Spec.HealthyAt != "" })
	for _, r := range rs {
		if r.Spec.FailedAt != "" || r.Spec.NodeID == "" || !(unused || r.Spec.HealthyAt != "") {
			continue
		}
		switch up, listed := i.disk(r); {
		case !up:
			r.Spec.FailedAt = stamp
		case listed:
			served(e, r)
		}
		if err := i.caches["replicas"].Update(r); err != nil {
			return err
		}
	}
	v.Status.State, v.Status.CurrentNodeID = longhorn.VolumeStateAttached, ""
	v.Status.Robustness, v.Status.LastDegradedAt = longhorn.VolumeRobustnessHealthy, ""
	if len(e.Status.ReplicaModeMap) < v.Spec.NumberOfReplicas { // and has been for long: no waiting time runs
		v.Status.Robustness, v.Status.LastDegradedAt = longhorn.VolumeRobustnessDegraded, stamp
	}
	e.Status.CurrentState = longhorn.InstanceStateRunning
	if err := i.caches["volumes"].Update(v); err != nil {
		return err
	}
	return i.caches["engines"].Update(e)
}

// disk tells whether the node of a replica can start it, and whether it lists
// the replica's disk.
func (i *installation) disk(r *longhorn.Replica) (up, listed bool) {
	n, err := i.ds.GetNodeRO(r.Spec.NodeID)
	if err != nil || types.GetCondition(n.Status.Conditions, longhorn.NodeConditionTypeReady).Status != longhorn.ConditionStatusTrue {
		return false, false
	}
	if im, err := i.ds.GetInstanceManagerByInstanceRO(r); err != nil || im.Status.CurrentState != longhorn.InstanceManagerStateRunning {
		return false, false
	}
	for _, d := range n.Status.DiskStatus {
		listed = listed || d.DiskUUID == r.Spec.DiskID
	}
	return true, listed
}

func served(e *longhorn.Engine, r *longhorn.Replica) {
	e.Spec.ReplicaAddressMap[r.Name] = r.Name
	e.Status.ReplicaModeMap[r.Name], e.Status.ReplicaTransitionTimeMap[r.Name] = longhorn.ReplicaModeRW, stamp
	r.Spec.HealthyAt, r.Spec.LastHealthyAt, r.Spec.FailedAt = stamp, stamp, ""
	r.Status.CurrentState = longhorn.InstanceStateRunning
}

func (i *installation) volume(name string) (*longhorn.Volume, *longhorn.Engine, map[string]*longhorn.Replica, error) {
	v, err := i.ds.GetVolume(name)
	if err != nil {
		return nil, nil, nil, err
	}
	rs := map[string]*longhorn.Replica{}
	for _, r := range listed[*longhorn.Replica](i, "replicas") {
		if r.Spec.VolumeName == name {
			rs[r.Name] = r
		}
	}
	for _, e := range listed[*longhorn.Engine](i, "engines") {
		if e.Spec.VolumeName == name {
			return v, e, rs, nil
		}
	}
	return nil, nil, nil, fmt.Errorf("volume %s has no engine", name)
}

// work has Longhorn work on one volume until it does nothing more.
func (i *installation) work(name string) ([]step, error) {
	var out []step
	for range most {
		done, err := i.turn(name)
		if err != nil {
			return nil, err
		}
		if len(done) == 0 {
			return out, nil
		}
		out = append(out, done...)
	}
	return nil, fmt.Errorf("Longhorn does not come to rest")
}

// turn asks Longhorn once, and has happen what it decides.
func (i *installation) turn(name string) ([]step, error) {
	v, e, rs, err := i.volume(name)
	if err != nil {
		return nil, err
	}
	failed := map[string]bool{}
	for _, r := range rs {
		failed[r.Name] = r.Spec.FailedAt != ""
	}
	if err := i.volumes.ReconcileEngineReplicaState(v, map[string]*longhorn.Engine{e.Name: e}, rs); err != nil {
		return nil, err
	}
	var out []step
	for _, r := range ordered(rs) {
		reused := failed[r.Name] && r.Spec.FailedAt == ""
		if r.Spec.NodeID == "" {
			placed, _, err := i.scheduler.ScheduleReplica(r, rs, v)
			if err != nil {
				return nil, err
			}
			if placed == nil {
				continue // it is not kept: the next turn would make another
			}
		} else if !reused {
			continue
		}
		served(e, r)
		if err := i.written(v, r, reused); err != nil {
			return nil, err
		}
		out = append(out, step{Volume: name, Node: r.Spec.NodeID, Disk: r.Spec.DiskID, Reused: reused})
	}
	return out, i.settle(v, e, rs)
}

func ordered(rs map[string]*longhorn.Replica) []*longhorn.Replica {
	var out []*longhorn.Replica
	for _, r := range rs {
		out = append(out, r)
	}
	sort.Slice(out, func(a, b int) bool { return out[a].Name < out[b].Name })
	return out
}
