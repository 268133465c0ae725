// SPDX-License-Identifier: Apache-2.0

package model

import (
	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
)

// defaultVolume fills in what the admission webhook fills in (v1.8.1
// webhook/resources/volume/mutator.go).
func (m *Model) defaultVolume(v *longhorn.Volume) {
	if v.Labels == nil {
		v.Labels = map[string]string{}
	}
	v.TypeMeta = typeMeta(Volumes)
	for k, value := range map[string]string{
		"longhornvolume": v.Name, "backup-target": "default", "recurring-job-group.longhorn.io/default": "enabled",
	} {
		v.Labels[k] = value
	}
	s := &v.Spec
	fill(&s.NumberOfReplicas, int(m.settingInt("default-replica-count")))
	fill(&s.Image, m.engineImage())
	fill(&s.Frontend, longhorn.VolumeFrontendBlockDev)
	fill(&s.DataEngine, longhorn.DataEngineTypeV1)
	fill(&s.DataLocality, longhorn.DataLocalityDisabled)
	fill(&s.AccessMode, longhorn.AccessModeReadWriteOnce)
	fill(&s.ReplicaSoftAntiAffinity, longhorn.ReplicaSoftAntiAffinityDefault)
	fill(&s.ReplicaZoneSoftAntiAffinity, longhorn.ReplicaZoneSoftAntiAffinityDefault)
	fill(&s.ReplicaDiskSoftAntiAffinity, longhorn.ReplicaDiskSoftAntiAffinityDefault)
	fill(&s.ReplicaAutoBalance, longhorn.ReplicaAutoBalanceIgnored)
	fill(&s.SnapshotDataIntegrity, longhorn.SnapshotDataIntegrityIgnored)
	fill(&s.UnmapMarkSnapChainRemoved, longhorn.UnmapMarkSnapChainRemovedIgnored)
	fill(&s.RestoreVolumeRecurringJob, longhorn.RestoreVolumeRecurringJobDefault)
	fill(&s.FreezeFilesystemForSnapshot, longhorn.FreezeFilesystemForSnapshotDefault)
	fill(&s.BackupCompressionMethod, longhorn.BackupCompressionMethodLz4)
	fill(&s.BackupTargetName, "default")
	fill(&s.BackupBlockSize, 2<<20)
	fill(&s.OfflineRebuilding, longhorn.VolumeOfflineRebuildingIgnored)
	fill(&s.SnapshotMaxCount, 250)
	if s.NodeSelector == nil {
		s.NodeSelector = []string{}
	}
	if s.DiskSelector == nil {
		s.DiskSelector = []string{}
	}
	if m.settingBool(settingDisableRevision) {
		s.RevisionCounterDisabled = true // as the CSI provisioner asks for
	}
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// syncVolume is one look of the volume controller and of those that write the
// volume's tickets, in the order of v1.8.1 controller/volume_controller.go
// syncVolume.
func (m *Model) syncVolume(v *longhorn.Volume) {
	set(m, v, &v.Status.OwnerID, m.owner(v.Name, v.Spec.NodeID, v.Status.OwnerID))
	e := m.current(v)
	if v.DeletionTimestamp != nil {
		m.deleteVolume(v, e)
		return
	}
	a := m.attachment(v)
	set(m, v, &v.Status.CurrentImage, v.Spec.Image)
	m.syncKubernetesStatus(v)
	if e == nil {
		m.newEngine(v)
		m.setVolumeConditions(v)
		set(m, v, &v.Status.State, longhorn.VolumeStateCreating)
		return
	}
	m.judgeReplicas(v, e)
	if len(m.replicas.of(v.Name)) == 0 {
		// No replica at all means a new volume, whatever it held before.
		m.replenish(v, e)
	}
	m.setScheduled(v, m.placeReplicas(v))
	m.salvage(v, e)
	if a == nil {
		m.advanceBySpec(v, e)
		m.cleanup(v)
		return
	}
	set(m, v, &v.Status.FrontendDisabled, v.Spec.DisableFrontend)
	m.advance(v, e)
	m.cleanup(v)
	m.evictionTicket(v, a)
	m.offlineTicket(v, a, e)
	m.syncTickets(v, a)
}

// attachment returns a volume's Longhorn VolumeAttachment, made if missing; nil
// in a version that has none.
func (m *Model) attachment(v *longhorn.Volume) *longhorn.VolumeAttachment {
	if a := m.attachments.get(v.Name); a != nil || m.options.Behaviour.AttachesBySpec {
		return a
	}
	a := &longhorn.VolumeAttachment{TypeMeta: typeMeta(VolumeAttachments), ObjectMeta: m.meta(VolumeAttachments, v.Name, v)}
	a.Labels = map[string]string{"longhornvolume": v.Name}
	a.Spec = longhorn.VolumeAttachmentSpec{Volume: v.Name, AttachmentTickets: map[string]*longhorn.AttachmentTicket{}}
	a.Status.AttachmentTicketStatuses = map[string]*longhorn.AttachmentTicketStatus{}
	m.insert(a)
	return a
}

// current returns a volume's engine; the model never makes two.
func (m *Model) current(v *longhorn.Volume) *longhorn.Engine {
	for _, e := range m.engines.of(v.Name) {
		if e.Spec.Active {
			return e
		}
	}
	return nil
}

func (m *Model) newEngine(v *longhorn.Volume) {
	e := &longhorn.Engine{TypeMeta: typeMeta(Engines), ObjectMeta: m.meta(Engines, v.Name+"-e-0", v)}
	e.Labels = map[string]string{"longhornvolume": v.Name, "longhornnode": ""}
	e.Spec = longhorn.EngineSpec{
		InstanceSpec: longhorn.InstanceSpec{VolumeName: v.Name, VolumeSize: v.Spec.Size, Image: v.Spec.Image, DataEngine: v.Spec.DataEngine, DesireState: longhorn.InstanceStateStopped},
		Frontend:     v.Spec.Frontend, Active: true, RevisionCounterDisabled: v.Spec.RevisionCounterDisabled,
		ReplicaAddressMap: map[string]string{}, UpgradedReplicaAddressMap: map[string]string{},
		SnapshotMaxCount: v.Spec.SnapshotMaxCount, SnapshotMaxSize: v.Spec.SnapshotMaxSize,
	}
	e.Status.CurrentState = longhorn.InstanceStateStopped
	m.insert(e)
	m.setInstanceConditions(e, &e.Status.Conditions)
}

// newReplica makes a replica object that is scheduled nowhere yet.
func (m *Model) newReplica(v *longhorn.Volume, e *longhorn.Engine) *longhorn.Replica {
	r := &longhorn.Replica{TypeMeta: typeMeta(Replicas), ObjectMeta: m.meta(Replicas, v.Name+"-r-"+m.hex(8), v)}
	r.Labels = map[string]string{"longhornvolume": v.Name, "longhornnode": "", "longhorndiskuuid": "", "longhorn.io/backing-image": ""}
	r.Spec = longhorn.ReplicaSpec{
		InstanceSpec: longhorn.InstanceSpec{VolumeName: v.Name, VolumeSize: v.Spec.Size, Image: v.Spec.Image, DataEngine: v.Spec.DataEngine, DesireState: longhorn.InstanceStateStopped},
		EngineName:   e.Name, Active: true, RevisionCounterDisabled: v.Spec.RevisionCounterDisabled,
		SnapshotMaxCount: v.Spec.SnapshotMaxCount, SnapshotMaxSize: v.Spec.SnapshotMaxSize,
	}
	r.Status.CurrentState = longhorn.InstanceStateStopped
	m.setInstanceConditions(r, &r.Status.Conditions)
	m.setCondition(r, &r.Status.Conditions, longhorn.Condition{Type: longhorn.ReplicaConditionTypeWaitForBackingImage, Status: longhorn.ConditionStatusFalse})
	return r
}

func (m *Model) setInstanceConditions(o Object, list *[]longhorn.Condition) {
	m.setCondition(o, list, longhorn.Condition{Type: longhorn.InstanceConditionTypeInstanceCreation, Status: longhorn.ConditionStatusTrue})
	m.setCondition(o, list, longhorn.Condition{Type: "FilesystemReadOnly", Status: longhorn.ConditionStatusFalse})
}

func (m *Model) setVolumeConditions(v *longhorn.Volume) {
	for _, c := range []string{longhorn.VolumeConditionTypeWaitForBackingImage, longhorn.VolumeConditionTypeTooManySnapshots, longhorn.VolumeConditionTypeRestore} {
		m.setCondition(v, &v.Status.Conditions, longhorn.Condition{Type: c, Status: longhorn.ConditionStatusFalse})
	}
}

func (m *Model) syncKubernetesStatus(v *longhorn.Volume) {
	c, ok := m.claims[v.Name]
	if !ok {
		return
	}
	s := &v.Status.KubernetesStatus
	set(m, v, &s.PVName, c.PVName)
	set(m, v, &s.PVStatus, c.PVStatus)
	set(m, v, &s.Namespace, c.Namespace)
	set(m, v, &s.PVCName, c.PVCName)
	set(m, v, &s.LastPVCRefAt, c.LastPVCRefAt)
	switch {
	case len(c.WorkloadsStatus) > 0 && !equalWorkloads(s.WorkloadsStatus, c.WorkloadsStatus):
		s.WorkloadsStatus = append([]longhorn.WorkloadStatus(nil), c.WorkloadsStatus...)
		m.touch(v)
	case len(c.WorkloadsStatus) == 0 && len(s.WorkloadsStatus) > 0 && s.LastPodRefAt == "":
		// The last workload stays in the status as history.
		set(m, v, &s.LastPodRefAt, m.stamp())
	}
	if len(c.WorkloadsStatus) > 0 {
		set(m, v, &s.LastPodRefAt, "")
	}
}

func equalWorkloads(a, b []longhorn.WorkloadStatus) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// deleteVolume takes down what belongs to a deleted volume, data included.
func (m *Model) deleteVolume(v *longhorn.Volume, e *longhorn.Engine) {
	set(m, v, &v.Status.State, longhorn.VolumeStateDeleting)
	set(m, v, &v.Spec.NodeID, "")
	if e != nil {
		m.close(v, e)
		if e.Status.CurrentState != longhorn.InstanceStateStopped {
			return
		}
	}
	for _, r := range m.replicas.of(v.Name) {
		m.remove(r)
	}
	if len(m.replicas.of(v.Name)) > 0 {
		return
	}
	if e != nil {
		m.drop(e)
	}
	if a := m.attachments.get(v.Name); a != nil {
		m.drop(a)
	}
	m.drop(v)
}
