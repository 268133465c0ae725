// SPDX-License-Identifier: Apache-2.0

package model

import (
	"crypto/sha512"
	"encoding/hex"
	"strconv"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Names of the settings that decide something here.
const (
	settingDrainPolicy     = "node-drain-policy"
	settingReplenishWait   = "replica-replenishment-wait-interval"
	settingRebuildLimit    = "concurrent-replica-rebuild-per-node-limit"
	settingCordoned        = "disable-scheduling-on-cordoned-node"
	settingAutoSalvage     = "auto-salvage"
	settingDegraded        = "allow-volume-creation-with-degraded-availability"
	settingOverProvision   = "storage-over-provisioning-percentage"
	settingMinimal         = "storage-minimal-available-percentage"
	settingReserved        = "storage-reserved-percentage-for-default-disk"
	settingSoftNode        = "replica-soft-anti-affinity"
	settingSoftZone        = "replica-zone-soft-anti-affinity"
	settingSoftDisk        = "replica-disk-soft-anti-affinity"
	settingEmptyNodeTags   = "allow-empty-node-selector-volume"
	settingEmptyDiskTags   = "allow-empty-disk-selector-volume"
	settingDetachCordoned  = "detach-manually-attached-volumes-when-cordoned"
	settingDisableRevision = "disable-revision-counter"
	settingAutoscaler      = "kubernetes-cluster-autoscaler-enabled"
	settingOffline         = "offline-replica-rebuilding"
)

// defaultSettings are the values of v1.8.1 (types/setting.go), with what the
// behaviour changes. Settings that decide nothing in the model are there so
// that a reader finds what it would find in a cluster.
func (m *Model) defaultSettings() map[string]string {
	b := m.options.Behaviour
	out := map[string]string{
		settingDrainPolicy:     "block-if-contains-last-replica",
		settingReplenishWait:   "600",
		settingRebuildLimit:    "5",
		settingCordoned:        "true",
		settingAutoSalvage:     "true",
		settingDegraded:        "true",
		settingOverProvision:   strconv.Itoa(b.OverProvisioning),
		settingMinimal:         "25",
		settingReserved:        "30",
		settingSoftNode:        "false",
		settingSoftZone:        "true",
		settingSoftDisk:        "true",
		settingEmptyNodeTags:   "true",
		settingEmptyDiskTags:   "true",
		settingDetachCordoned:  "false",
		settingDisableRevision: strconv.FormatBool(!b.RevisionCounter),
		settingAutoscaler:      "false",

		"auto-delete-pod-when-volume-detached-unexpectedly": "true",
		"create-default-disk-labeled-nodes":                 "false",
		"crd-api-version":                                   "longhorn.io/v1beta2",
		"current-longhorn-version":                          b.Version,
		"default-data-locality":                             "disabled",
		"default-data-path":                                 m.options.DataPath,
		"default-engine-image":                              m.engineImage(),
		"default-instance-manager-image":                    m.managerImage(),
		"default-replica-count":                             "3",
		"engine-replica-timeout":                            "8",
		"node-down-pod-deletion-policy":                     "do-nothing",
		"orphan-auto-deletion":                              "false",
		"replica-auto-balance":                              "disabled",
		"v1-data-engine":                                    "true",
		"v2-data-engine":                                    "false",
	}
	if b.OfflineRebuilding {
		out[settingOffline] = "false"
	}
	return out
}

func (m *Model) engineImage() string {
	return "longhornio/longhorn-engine:" + m.options.Behaviour.Version
}

func (m *Model) managerImage() string {
	return "longhornio/longhorn-instance-manager:" + m.options.Behaviour.Version
}

// install makes the settings and the engine image, once.
func (m *Model) install() {
	if m.installed {
		return
	}
	m.installed = true
	if len(m.images.all()) == 0 {
		ei := &longhorn.EngineImage{TypeMeta: typeMeta(EngineImages), ObjectMeta: m.meta(EngineImages, "ei-"+checksum(m.engineImage(), 8), nil)}
		ei.Labels = labels("engine-image")
		ei.Labels["longhorn.io/engine-image"] = ei.Name
		ei.Spec.Image = m.engineImage()
		ei.Status.Version = m.options.Behaviour.Version
		ei.Status.CLIAPIVersion, ei.Status.CLIAPIMinVersion = 10, 8
		ei.Status.ControllerAPIVersion, ei.Status.ControllerAPIMinVersion = 5, 4
		ei.Status.DataFormatVersion, ei.Status.DataFormatMinVersion = 1, 1
		ei.Status.State = longhorn.EngineImageStateDeploying
		m.insert(ei)
	}
	defaults := m.defaultSettings()
	for _, name := range keys(defaults) {
		if m.settings.get(name) != nil {
			continue
		}
		om := metav1.ObjectMeta{
			Name: name, Namespace: m.options.Namespace, Generation: 1,
			CreationTimestamp: metav1.NewTime(m.now.UTC().Truncate(time.Second)),
			UID:               uidOf(name),
		}
		m.insert(&longhorn.Setting{TypeMeta: typeMeta(Settings), ObjectMeta: om, Value: defaults[name], Status: longhorn.SettingStatus{Applied: true}})
	}
}

// syncEngineImages tells on which nodes the engine image is (v1.8.1
// controller/engine_image_controller.go).
func (m *Model) syncEngineImages() {
	for _, ei := range m.images.all() {
		where := map[string]bool{}
		all := len(m.nodes.all()) > 0
		for _, n := range m.nodes.all() {
			where[n.Name] = m.kube[n.Name].EngineImage
			all = all && (where[n.Name] || !isTrue(n.Status.Conditions, longhorn.NodeConditionTypeReady))
		}
		setMap(m, ei, &ei.Status.NodeDeploymentMap, where)
		set(m, ei, &ei.Status.OwnerID, m.owner(ei.Name, "", ei.Status.OwnerID))
		state, ready, message := longhorn.EngineImageStateDeploying, longhorn.ConditionStatusFalse, "Engine image is not fully deployed on all ready nodes"
		if all {
			state, ready, message = longhorn.EngineImageStateDeployed, longhorn.ConditionStatusTrue, "Engine image is fully deployed on all ready nodes"
		}
		set(m, ei, &ei.Status.State, state)
		set(m, ei, &ei.Status.RefCount, len(m.volumes.all())+len(m.engines.all())+len(m.replicas.all()))
		m.setCondition(ei, &ei.Status.Conditions, longhorn.Condition{Type: longhorn.EngineImageConditionTypeReady, Status: ready, Message: message})
	}
}

func (m *Model) setting(name string) string {
	if s := m.settings.get(name); s != nil {
		return s.Value
	}
	return m.defaultSettings()[name]
}

func (m *Model) settingBool(name string) bool { return m.setting(name) == "true" }

// settingInt returns 0 for what is no number, as a refused write would have.
func (m *Model) settingInt(name string) int64 {
	n, err := strconv.ParseInt(m.setting(name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func checksum(s string, n int) string {
	h := sha512.Sum512([]byte(s))
	return hex.EncodeToString(h[:])[:n]
}

func labels(component string) map[string]string {
	return map[string]string{"longhorn.io/component": component, "longhorn.io/managed-by": "longhorn-manager"}
}
