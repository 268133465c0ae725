// SPDX-License-Identifier: Apache-2.0

package sim

import (
	longhornapi "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// shown is what goes into the JSON that the plugin reads: of the kinds that
// change often only what it looks at. Whatever else is changed is no news to it
// then. TestShown_… holds it to the reading of whole objects.
func shown(o model.Object) any {
	switch o := o.(type) {
	case *longhornapi.Volume:
		return shownVolume(o)
	case *longhornapi.Engine:
		return shownEngine(o)
	case *longhornapi.Replica:
		return shownReplica(o)
	case *longhornapi.Node:
		return shownNode(o)
	case *longhornapi.InstanceManager:
		return shownManager(o)
	case *longhornapi.EngineImage:
		return excerpt[longhornapi.EngineImageSpec, imageStatus]{o.Kind, headOf(o), o.Spec, imageStatus{o.Status.Version, o.Status.CLIAPIVersion, o.Status.NodeDeploymentMap}}
	default:
		return o
	}
}

// excerpt is a part of an object, with the names that the API gives it.
type excerpt[Spec, Status any] struct {
	Kind     string `json:"kind"`
	Metadata head   `json:"metadata"`
	Spec     Spec   `json:"spec"`
	Status   Status `json:"status"`
}

type head struct {
	Name      string       `json:"name"`
	Namespace string       `json:"namespace"`
	UID       types.UID    `json:"uid"`
	Created   metav1.Time  `json:"creationTimestamp"`
	Deleted   *metav1.Time `json:"deletionTimestamp,omitempty"`
}

func headOf(o model.Object) head {
	return head{o.GetName(), o.GetNamespace(), o.GetUID(), o.GetCreationTimestamp(), o.GetDeletionTimestamp()}
}

// condition is one without its message, which is for people.
type condition struct {
	Type    string                      `json:"type"`
	Status  longhornapi.ConditionStatus `json:"status"`
	Reason  string                      `json:"reason"`
	Changed string                      `json:"lastTransitionTime"`
}

func conditions(of []longhornapi.Condition) []condition {
	out := make([]condition, 0, len(of))
	for _, c := range of {
		out = append(out, condition{c.Type, c.Status, c.Reason, c.LastTransitionTime})
	}
	return out
}

type volumeStatus struct {
	State      longhornapi.VolumeState           `json:"state"`
	Robustness longhornapi.VolumeRobustness      `json:"robustness"`
	Image      string                            `json:"currentImage"`
	Used       int64                             `json:"actualSize"`
	DegradedAt string                            `json:"lastDegradedAt"`
	Conditions []condition                       `json:"conditions"`
	Kubernetes volumeUse                         `json:"kubernetesStatus"`
	Clone      cloning                           `json:"cloneStatus"`
	MovesTo    string                            `json:"currentMigrationNodeID"`
	Switchover longhornapi.VolumeSwitchoverState `json:"switchoverState"`
	Restores   bool                              `json:"restoreRequired"`
	Expands    bool                              `json:"expansionRequired"`
	Standby    bool                              `json:"isStandby"`
}

type cloning struct {
	State longhornapi.VolumeCloneState `json:"state"`
}

type volumeUse struct {
	LastPodRefAt string                       `json:"lastPodRefAt"`
	Workloads    []longhornapi.WorkloadStatus `json:"workloadsStatus"`
}

func shownVolume(v *longhornapi.Volume) any {
	s := &v.Status
	return excerpt[longhornapi.VolumeSpec, volumeStatus]{v.Kind, headOf(v), v.Spec, volumeStatus{
		s.State, s.Robustness, s.CurrentImage, s.ActualSize, s.LastDegradedAt, conditions(s.Conditions),
		volumeUse{s.KubernetesStatus.LastPodRefAt, s.KubernetesStatus.WorkloadsStatus},
		cloning{s.CloneStatus.State}, s.CurrentMigrationNodeID, s.SwitchoverState, s.RestoreRequired, s.ExpansionRequired, s.IsStandby,
	}}
}

type imageStatus struct {
	Version string          `json:"version"`
	CLI     int             `json:"cliAPIVersion"`
	Nodes   map[string]bool `json:"nodeDeploymentMap"`
}

type engineSpec struct {
	Volume string `json:"volumeName"`
	Active bool   `json:"active"`
	Node   string `json:"nodeID"`
	Size   int64  `json:"volumeSize,string"`
}

type engineStatus struct {
	State       longhornapi.InstanceState             `json:"currentState"`
	Owner       string                                `json:"ownerID"`
	Size        int64                                 `json:"currentSize,string"`
	IsExpanding bool                                  `json:"isExpanding"`
	ExpandError string                                `json:"lastExpansionError"`
	Modes       map[string]longhornapi.ReplicaMode    `json:"replicaModeMap"`
	Addresses   map[string]string                     `json:"currentReplicaAddressMap"`
	Rebuilds    map[string]*longhornapi.RebuildStatus `json:"rebuildStatus"`
	Purges      map[string]purging                    `json:"purgeStatus"`
	Restores    map[string]restoring                  `json:"restoreStatus"`
	Snapshots   map[string]struct{}                   `json:"snapshots"`
}

type purging struct {
	Is    bool   `json:"isPurging"`
	Error string `json:"error"`
}

type restoring struct {
	Is    bool   `json:"isRestoring"`
	Error string `json:"error"`
}

func shownEngine(e *longhornapi.Engine) any {
	s := &e.Status
	return excerpt[engineSpec, engineStatus]{
		e.Kind, headOf(e), engineSpec{e.Spec.VolumeName, e.Spec.Active, e.Spec.NodeID, e.Spec.VolumeSize},
		engineStatus{
			State: s.CurrentState, Owner: s.OwnerID, Size: s.CurrentSize, IsExpanding: s.IsExpanding, ExpandError: s.LastExpansionError,
			Modes: s.ReplicaModeMap, Addresses: s.CurrentReplicaAddressMap, Rebuilds: s.RebuildStatus,
			Purges:    each(s.PurgeStatus, func(p *longhornapi.PurgeStatus) purging { return purging{p.IsPurging, p.Error} }),
			Restores:  each(s.RestoreStatus, func(r *longhornapi.RestoreStatus) restoring { return restoring{r.IsRestoring, r.Error} }),
			Snapshots: each(s.Snapshots, func(*longhornapi.SnapshotInfo) struct{} { return struct{}{} }),
		},
	}
}

// each is the map with something else in the place of every value.
func each[A, B any](of map[string]A, to func(A) B) map[string]B {
	if of == nil {
		return nil
	}
	out := make(map[string]B, len(of))
	for k, v := range of {
		out[k] = to(v)
	}
	return out
}

type replicaSpec struct {
	Volume        string `json:"volumeName"`
	Engine        string `json:"engineName"`
	Active        bool   `json:"active"`
	Node          string `json:"nodeID"`
	Disk          string `json:"diskID"`
	DiskPath      string `json:"diskPath"`
	Directory     string `json:"dataDirectoryName"`
	HealthyAt     string `json:"healthyAt"`
	FailedAt      string `json:"failedAt"`
	LastHealthyAt string `json:"lastHealthyAt"`
	LastFailedAt  string `json:"lastFailedAt"`
	Retries       int    `json:"rebuildRetryCount"`
	Leaves        bool   `json:"evictionRequested"`
}

type replicaStatus struct {
	State      longhornapi.InstanceState `json:"currentState"`
	Owner      string                    `json:"ownerID"`
	Conditions []condition               `json:"conditions"`
}

func shownReplica(r *longhornapi.Replica) any {
	s := &r.Spec
	return excerpt[replicaSpec, replicaStatus]{
		r.Kind, headOf(r),
		replicaSpec{
			s.VolumeName, s.EngineName, s.Active, s.NodeID, s.DiskID, s.DiskPath, s.DataDirectoryName,
			s.HealthyAt, s.FailedAt, s.LastHealthyAt, s.LastFailedAt, s.RebuildRetryCount, s.EvictionRequested,
		},
		replicaStatus{r.Status.CurrentState, r.Status.OwnerID, conditions(r.Status.Conditions)},
	}
}

type nodeStatus struct {
	Conditions []condition           `json:"conditions"`
	Zone       string                `json:"zone"`
	Disks      map[string]diskStatus `json:"diskStatus"`
}

type diskStatus struct {
	UUID       string               `json:"diskUUID"`
	Path       string               `json:"diskPath"`
	Type       longhornapi.DiskType `json:"diskType"`
	Conditions []condition          `json:"conditions"`
	Available  int64                `json:"storageAvailable"`
	Maximum    int64                `json:"storageMaximum"`
	Scheduled  int64                `json:"storageScheduled"`
}

func shownNode(n *longhornapi.Node) any {
	return excerpt[longhornapi.NodeSpec, nodeStatus]{
		n.Kind, headOf(n), n.Spec,
		nodeStatus{conditions(n.Status.Conditions), n.Status.Zone, each(n.Status.DiskStatus, func(d *longhornapi.DiskStatus) diskStatus {
			return diskStatus{d.DiskUUID, d.DiskPath, d.Type, conditions(d.Conditions), d.StorageAvailable, d.StorageMaximum, d.StorageScheduled}
		})},
	}
}

type managerSpec struct {
	Node string                          `json:"nodeID"`
	Type longhornapi.InstanceManagerType `json:"type"`
}

type managerStatus struct {
	State     longhornapi.InstanceManagerState       `json:"currentState"`
	Engines   map[string]longhornapi.InstanceProcess `json:"instanceEngines,omitempty"`
	Frontends map[string]longhornapi.InstanceProcess `json:"instanceEngineFrontends,omitempty"`
}

func shownManager(m *longhornapi.InstanceManager) any {
	return excerpt[managerSpec, managerStatus]{
		m.Kind, headOf(m), managerSpec{m.Spec.NodeID, m.Spec.Type}, managerStatus{m.Status.CurrentState, m.Status.InstanceEngines, m.Status.InstanceEngineFrontends},
	}
}
