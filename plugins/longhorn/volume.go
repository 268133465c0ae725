// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"strconv"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin/narrow"
)

// volumeSpec holds the fields of a Volume's spec that are needed. The engine's
// image and the data engine have older names (Longhorn 1.4 and 1.5:
// engineImage; 1.5: backendStoreDriver).
type volumeSpec struct {
	Size               size     `json:"size"`
	NodeID             string   `json:"nodeID"`
	EngineNodeID       string   `json:"engineNodeID"`
	MigrationNodeID    string   `json:"migrationNodeID"`
	Image              string   `json:"image"`
	EngineImage        string   `json:"engineImage"`
	BackingImage       string   `json:"backingImage"`
	Standby            bool     `json:"Standby"`
	CloneMode          string   `json:"cloneMode"`
	DataEngine         string   `json:"dataEngine"`
	BackendStoreDriver string   `json:"backendStoreDriver"`
	DataLocality       string   `json:"dataLocality"`
	NodeSelector       []string `json:"nodeSelector"`
	DiskSelector       []string `json:"diskSelector"`
	SoftNode           string   `json:"replicaSoftAntiAffinity"`
	AutoBalance        string   `json:"replicaAutoBalance"`
	SoftZone           string   `json:"replicaZoneSoftAntiAffinity"`
	SoftDisk           string   `json:"replicaDiskSoftAntiAffinity"`
	NumberOfReplicas   int      `json:"numberOfReplicas"`
	OfflineRebuilding  string   `json:"offlineRebuilding"`
	DisableFrontend    bool     `json:"disableFrontend"`
	LastAttachedBy     string   `json:"lastAttachedBy" keep:"own"`
}

type volumeStatus struct {
	State                  string            `json:"state"`
	Robustness             string            `json:"robustness"`
	CurrentImage           string            `json:"currentImage"`
	CurrentMigrationNodeID string            `json:"currentMigrationNodeID"`
	CurrentEngineNodeID    string            `json:"currentEngineNodeID"`
	SwitchoverState        string            `json:"switchoverState"`
	RestoreRequired        bool              `json:"restoreRequired"`
	RestoreInitiated       bool              `json:"restoreInitiated"`
	LastBackup             given             `json:"lastBackup"`
	RemountRequestedAt     given             `json:"remountRequestedAt"`
	LastAutoSalvagedAt     given             `json:"lastAutoSalvagedAt"`
	ExpansionRequired      bool              `json:"expansionRequired"`
	IsStandby              bool              `json:"isStandby"`
	ActualSize             size              `json:"actualSize"`
	LastDegradedAt         string            `json:"lastDegradedAt"`
	Conditions             narrow.Conditions `json:"conditions"`
	CloneStatus            struct {
		State string `json:"state"`
	} `json:"cloneStatus"`
	KubernetesStatus struct {
		LastPodRefAt    given  `json:"lastPodRefAt"`
		WorkloadsStatus filled `json:"workloadsStatus"`
	} `json:"kubernetesStatus"`
}

// volume is what is kept of a Volume.
type volume struct {
	meta
	volumeSpec
	Status volumeStatus
	// restoring is the Restore condition, unscheduled the reason for which the
	// Scheduled condition is false; degraded is since when the volume is, and
	// reported the newest time in the status.
	Restoring   bool
	Unscheduled string
	Degraded    time.Time
	Reported    time.Time
}

func newVolume(item []byte) (*volume, error) {
	o, err := decode[volumeSpec, volumeStatus]("Volume", item)
	if err != nil {
		return nil, err
	}
	v := &volume{meta: o.Metadata, volumeSpec: o.Spec, Status: o.Status}
	if v.Image == "" {
		v.Image = v.EngineImage
	}
	if v.DataEngine == "" {
		v.DataEngine = v.BackendStoreDriver
	}
	if v.DataEngine == "" {
		v.DataEngine = "v1" // 1.4 knows no other
	}
	restoring, _ := v.Status.Conditions.Of("Restore")
	v.Restoring = restoring == yes
	if scheduled, reason := v.Status.Conditions.Of("Scheduled"); scheduled == no {
		v.Unscheduled = reason
	}
	v.Reported = v.Status.Conditions.Newest()
	if at, err := time.Parse(time.RFC3339, v.Status.LastDegradedAt); err == nil {
		v.Degraded = at.UTC()
		v.Reported = later(v.Reported, v.Degraded)
	}
	v.Status.Conditions, v.Status.LastDegradedAt = nil, ""
	return v, nil
}

// touched reports whether it says that it was written or served: it was never
// degraded or salvaged but while an engine ran.
func (v *volume) touched() bool {
	s := &v.Status
	return s.ActualSize != 0 || bool(s.KubernetesStatus.LastPodRefAt) || !v.Degraded.IsZero() || bool(s.LastAutoSalvagedAt)
}

// mounted reports whether a workload uses it, or has done so.
func (v *volume) mounted() bool {
	return bool(v.Status.KubernetesStatus.LastPodRefAt) || bool(v.Status.KubernetesStatus.WorkloadsStatus)
}

// outgrown reports whether the running engine serves another size than the
// volume shall have, before the engine's own spec says so (Longhorn v1.12.0
// controller/volume_controller.go compares the volume's).
func (v *volume) outgrown(e *engine) bool {
	is, err := strconv.ParseInt(e.Status.CurrentSize, 10, 64)
	return e.running() && err == nil && is > 0 && v.Size > 0 && is != int64(v.Size)
}
