// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"fmt"
	"iter"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	core "k8s.io/api/core/v1"
	storage "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const driver = "driver.longhorn.io"

// volumes yields what belongs to each volume: the PersistentVolume, Longhorn's
// volume, engine, replicas and attachment, and of one in use the pod and
// Kubernetes' attachment.
func (s Shape) volumes() iter.Seq[made] {
	return func(yield func(made) bool) {
		for i := range s.Volumes {
			name := volumeName(i)
			all := []made{
				{"persistentvolumes/" + name, persistent(i), "csi-provisioner"},
				{longhornKey("volumes", name), s.volume(i), "longhorn-manager"},
				{longhornKey("engines", engineName(i)), s.engine(i), "longhorn-manager"},
				{longhornKey("volumeattachments", name), s.tickets(i), "longhorn-manager"},
			}
			for k := range s.Replicas {
				all = append(all, made{longhornKey("replicas", replicaName(i, k)), s.replica(i, k), "longhorn-manager"})
			}
			if s.attached(i) {
				all = append(all, made{"pods/" + users + "/" + podName(i), s.pod(i), "kubelet"},
					made{"volumeattachments/" + attachmentName(i), s.attachment(i), "csi-attacher"})
			}
			for _, m := range all {
				if !yield(m) {
					return
				}
			}
		}
	}
}

func engineName(i int) string { return volumeName(i) + "-e-0" }
func claimName(i int) string  { return fmt.Sprintf("claim-user-%06d", i) }
func podName(i int) string    { return fmt.Sprintf("jupyter-user-%06d", i) }
func attachmentName(i int) string {
	return "csi-" + id("attachment", i) + id("attachment", i+1)
}

// engineNode is where an attached volume is served.
func (s Shape) engineNode(i int) string { return nodeName(s.place(i, 0)) }

func persistent(i int) *core.PersistentVolume {
	name, mode := volumeName(i), core.PersistentVolumeFilesystem
	o := &core.PersistentVolume{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolume"}, ObjectMeta: meta("", name, ageOfVolumes, nil),
		Spec: core.PersistentVolumeSpec{
			AccessModes: []core.PersistentVolumeAccessMode{core.ReadWriteOnce}, Capacity: core.ResourceList{core.ResourceStorage: resource.MustParse("10Gi")},
			ClaimRef:                      &core.ObjectReference{APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: users, Name: claimName(i), UID: "c" + meta("", name, 0, nil).UID[1:]},
			PersistentVolumeReclaimPolicy: core.PersistentVolumeReclaimDelete, StorageClassName: "longhorn", VolumeMode: &mode,
		},
		Status: core.PersistentVolumeStatus{Phase: core.VolumeBound},
	}
	o.Spec.CSI = &core.CSIPersistentVolumeSource{Driver: driver, VolumeHandle: name, FSType: "ext4", VolumeAttributes: map[string]string{
		"numberOfReplicas": "3", "staleReplicaTimeout": "30", "fsType": "ext4", "dataEngine": "v1", "storage.kubernetes.io/csiProvisionerIdentity": "1690000000000-8081-" + driver,
	}}
	o.Annotations = map[string]string{"pv.kubernetes.io/provisioned-by": driver, "volume.kubernetes.io/provisioner-deletion-secret-name": "", "volume.kubernetes.io/provisioner-deletion-secret-namespace": ""}
	o.Finalizers = []string{"kubernetes.io/pv-protection"}
	return o
}

func owned(m metav1.ObjectMeta, by string, i int) metav1.ObjectMeta {
	m.Finalizers = []string{"longhorn.io"}
	if by != "" {
		m.OwnerReferences = []metav1.OwnerReference{{APIVersion: longhorn.SchemeGroupVersion.String(), Kind: by, Name: volumeName(i), UID: meta(system, volumeName(i), 0, nil).UID}}
	}
	return m
}

func text(t metav1.Time) string { return t.UTC().Format(time.RFC3339) }

func (s Shape) volume(i int) *longhorn.Volume {
	name := volumeName(i)
	o := &longhorn.Volume{TypeMeta: longhornType("Volume"), ObjectMeta: owned(meta(system, name, ageOfVolumes, map[string]string{
		"backup-target": "default", "longhornvolume": name, "recurring-job-group.longhorn.io/default": "enabled",
		"setting.longhorn.io/remove-snapshots-during-filesystem-trim": "ignored", "setting.longhorn.io/replica-auto-balance": "ignored",
		"setting.longhorn.io/snapshot-data-integrity": "ignored",
	}), "", i)}
	o.Spec = longhorn.VolumeSpec{
		Size: size, NumberOfReplicas: s.Replicas, AccessMode: longhorn.AccessModeReadWriteOnce, DataEngine: longhorn.DataEngineTypeV1,
		DataLocality: longhorn.DataLocalityDisabled, Frontend: longhorn.VolumeFrontendBlockDev, Image: engineIs, BackupTargetName: "default",
		StaleReplicaTimeout: 30, SnapshotMaxCount: 250, ReplicaAutoBalance: "ignored", ReplicaSoftAntiAffinity: "ignored",
		ReplicaZoneSoftAntiAffinity: "ignored", ReplicaDiskSoftAntiAffinity: "ignored", RestoreVolumeRecurringJob: "ignored",
		SnapshotDataIntegrity: "ignored", UnmapMarkSnapChainRemoved: "ignored", FreezeFilesystemForSnapshot: "ignored",
		BackupCompressionMethod: "lz4", RevisionCounterDisabled: true, NodeSelector: []string{}, DiskSelector: []string{},
	}
	o.Status = longhorn.VolumeStatus{
		OwnerID: s.engineNode(i), State: longhorn.VolumeStateDetached, Robustness: longhorn.VolumeRobustnessUnknown,
		CurrentImage: engineIs, ActualSize: size / 4,
		KubernetesStatus: longhorn.KubernetesStatus{PVName: name, PVStatus: "Bound", Namespace: users, PVCName: claimName(i), LastPodRefAt: text(born(24 * time.Hour))},
	}
	for _, c := range []string{"WaitForBackingImage", "TooManySnapshots", "Restore"} {
		o.Status.Conditions = append(o.Status.Conditions, condition(c, longhorn.ConditionStatusFalse))
	}
	o.Status.Conditions = append(o.Status.Conditions, condition(longhorn.VolumeConditionTypeScheduled, longhorn.ConditionStatusTrue))
	if s.attached(i) {
		o.Spec.NodeID = s.engineNode(i)
		o.Status.State, o.Status.Robustness, o.Status.CurrentNodeID = longhorn.VolumeStateAttached, longhorn.VolumeRobustnessHealthy, s.engineNode(i)
		o.Status.KubernetesStatus.LastPodRefAt = ""
		o.Status.KubernetesStatus.WorkloadsStatus = []longhorn.WorkloadStatus{{PodName: podName(i), PodStatus: "Running", WorkloadName: "hub", WorkloadType: "StatefulSet"}}
	}
	return o
}

func (s Shape) replica(i, k int) *longhorn.Replica {
	name, node, disk := replicaName(i, k), nodeName(s.place(i, k)), diskUUID(s.place(i, k))
	if i == s.phantom() && k == 0 {
		disk = id("disk that is gone", 0)
	}
	o := &longhorn.Replica{TypeMeta: longhornType("Replica"), ObjectMeta: owned(meta(system, name, ageOfVolumes, map[string]string{
		"longhorndiskuuid": disk, "longhornnode": node, "longhornvolume": volumeName(i),
	}), "Volume", i)}
	healthy := text(born(ageOfVolumes - time.Minute))
	o.Spec = longhorn.ReplicaSpec{
		InstanceSpec: longhorn.InstanceSpec{VolumeName: volumeName(i), VolumeSize: size, NodeID: node, Image: engineIs, DesireState: longhorn.InstanceStateStopped, DataEngine: longhorn.DataEngineTypeV1},
		EngineName:   engineName(i), HealthyAt: healthy, LastHealthyAt: healthy, DiskID: disk, DiskPath: dataPath,
		DataDirectoryName: volumeName(i) + "-" + name[len(name)-8:], Active: true, RevisionCounterDisabled: true,
	}
	o.Status.OwnerID, o.Status.CurrentState = node, longhorn.InstanceStateStopped
	o.Status.Conditions = []longhorn.Condition{condition("InstanceCreation", longhorn.ConditionStatusTrue), condition("WaitForBackingImage", longhorn.ConditionStatusFalse), condition("RebuildFailed", longhorn.ConditionStatusFalse)}
	if s.attached(i) {
		o.Spec.DesireState, o.Status.CurrentState, o.Status.Started = longhorn.InstanceStateRunning, longhorn.InstanceStateRunning, true
		o.Status.CurrentImage, o.Status.InstanceManagerName = engineIs, managerName(s.place(i, k))
		o.Status.IP, o.Status.StorageIP, o.Status.Port = address(s.place(i, k)), address(s.place(i, k)), 10000+i%1000
	}
	return o
}

func (s Shape) engine(i int) *longhorn.Engine {
	o := &longhorn.Engine{TypeMeta: longhornType("Engine"), ObjectMeta: owned(meta(system, engineName(i), ageOfVolumes, map[string]string{
		"longhornnode": s.engineNode(i), "longhornvolume": volumeName(i),
	}), "Volume", i)}
	o.Spec = longhorn.EngineSpec{
		InstanceSpec: longhorn.InstanceSpec{VolumeName: volumeName(i), VolumeSize: size, Image: engineIs, DesireState: longhorn.InstanceStateStopped, DataEngine: longhorn.DataEngineTypeV1},
		Frontend:     longhorn.VolumeFrontendBlockDev, Active: true, SnapshotMaxCount: 250, RevisionCounterDisabled: true,
		ReplicaAddressMap: map[string]string{}, UpgradedReplicaAddressMap: map[string]string{},
	}
	o.Status.OwnerID, o.Status.CurrentState = s.engineNode(i), longhorn.InstanceStateStopped
	o.Status.CurrentSize = size
	o.Status.Snapshots = map[string]*longhorn.SnapshotInfo{}
	for n := range 3 {
		snapshot := id("snapshot", i*8+n)
		o.Status.Snapshots[snapshot] = &longhorn.SnapshotInfo{Name: snapshot, Created: text(born(ageOfVolumes / 2)), Size: "1073741824", Labels: map[string]string{"RecurringJob": "daily"}, Children: map[string]bool{"volume-head": true}, UserCreated: true}
	}
	if !s.attached(i) {
		return o
	}
	o.Spec.NodeID, o.Spec.DesireState = s.engineNode(i), longhorn.InstanceStateRunning
	o.Status.CurrentState, o.Status.Started, o.Status.CurrentImage = longhorn.InstanceStateRunning, true, engineIs
	o.Status.InstanceManagerName, o.Status.IP, o.Status.Port, o.Status.Endpoint = managerName(s.place(i, 0)), address(s.place(i, 0)), 20000, "/dev/longhorn/"+volumeName(i)
	o.Status.ReplicaModeMap, o.Status.CurrentReplicaAddressMap = map[string]longhorn.ReplicaMode{}, map[string]string{}
	o.Status.ReplicaTransitionTimeMap, o.Status.PurgeStatus = map[string]string{}, map[string]*longhorn.PurgeStatus{}
	for k := range s.Replicas {
		at := fmt.Sprintf("%s:%d", address(s.place(i, k)), 10000+i%1000)
		o.Spec.ReplicaAddressMap[replicaName(i, k)], o.Status.CurrentReplicaAddressMap[replicaName(i, k)] = at, at
		o.Status.ReplicaModeMap[replicaName(i, k)] = longhorn.ReplicaModeRW
		o.Status.ReplicaTransitionTimeMap[replicaName(i, k)] = text(born(ageOfVolumes / 2))
		o.Status.PurgeStatus["tcp://"+at] = &longhorn.PurgeStatus{}
	}
	return o
}

func (s Shape) tickets(i int) *longhorn.VolumeAttachment {
	o := &longhorn.VolumeAttachment{TypeMeta: longhornType("VolumeAttachment"), ObjectMeta: owned(meta(system, volumeName(i), ageOfVolumes, map[string]string{"longhornvolume": volumeName(i)}), "Volume", i)}
	o.Spec = longhorn.VolumeAttachmentSpec{Volume: volumeName(i), AttachmentTickets: map[string]*longhorn.AttachmentTicket{}}
	if s.attached(i) {
		ticket := attachmentName(i)
		o.Spec.AttachmentTickets[ticket] = &longhorn.AttachmentTicket{ID: ticket, Type: longhorn.AttacherTypeCSIAttacher, NodeID: s.engineNode(i), Parameters: map[string]string{"disableFrontend": "false"}}
		o.Status.AttachmentTicketStatuses = map[string]*longhorn.AttachmentTicketStatus{ticket: {ID: ticket, Satisfied: true, Conditions: []longhorn.Condition{condition("Satisfied", longhorn.ConditionStatusTrue)}}}
	}
	return o
}

func (s Shape) attachment(i int) *storage.VolumeAttachment {
	name := volumeName(i)
	return &storage.VolumeAttachment{
		TypeMeta: metav1.TypeMeta{APIVersion: "storage.k8s.io/v1", Kind: "VolumeAttachment"}, ObjectMeta: meta("", attachmentName(i), 24*time.Hour, nil),
		Spec:   storage.VolumeAttachmentSpec{Attacher: driver, NodeName: s.engineNode(i), Source: storage.VolumeAttachmentSource{PersistentVolumeName: &name}},
		Status: storage.VolumeAttachmentStatus{Attached: true},
	}
}

func (s Shape) pod(i int) *core.Pod {
	yes := true
	o := &core.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: meta(users, podName(i), 24*time.Hour, map[string]string{"app": "jupyterhub", "component": "singleuser-server"})}
	o.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "StatefulSet", Name: "hub", UID: "0e8d1f55-2f43-4a7e-9d3a-0c7a1d1c9a11", Controller: &yes}}
	o.Spec = core.PodSpec{
		NodeName: s.engineNode(i), RestartPolicy: core.RestartPolicyAlways, DNSPolicy: core.DNSClusterFirst, SchedulerName: "default-scheduler",
		Containers: []core.Container{{Name: "notebook", Image: "registry.example.org/team/notebook:2026.11", ImagePullPolicy: core.PullIfNotPresent,
			TerminationMessagePath: "/dev/termination-log", TerminationMessagePolicy: core.TerminationMessageReadFile,
			VolumeMounts: []core.VolumeMount{{Name: "home", MountPath: "/home/jovyan"}}}},
		Volumes: []core.Volume{{Name: "home", VolumeSource: core.VolumeSource{PersistentVolumeClaim: &core.PersistentVolumeClaimVolumeSource{ClaimName: claimName(i)}}}},
	}
	for n := range 12 {
		o.Spec.Containers[0].Env = append(o.Spec.Containers[0].Env, core.EnvVar{Name: fmt.Sprintf("JUPYTERHUB_SETTING_%02d", n), Value: "/user/user-" + podName(i)})
	}
	o.Status = core.PodStatus{Phase: core.PodRunning, HostIP: address(s.place(i, 0)), PodIP: "10.200.0.1", QOSClass: core.PodQOSBestEffort}
	for _, c := range []core.PodConditionType{core.PodInitialized, core.PodReady, core.ContainersReady, core.PodScheduled} {
		o.Status.Conditions = append(o.Status.Conditions, core.PodCondition{Type: c, Status: core.ConditionTrue, LastTransitionTime: born(24 * time.Hour)})
	}
	return o
}
