// SPDX-License-Identifier: Apache-2.0

package cluster

import "time"

// Node is a Kubernetes node.
type Node struct {
	Ref     NodeRef
	Created time.Time
	// Ready is the Ready condition; Unknown also where the node controller
	// itself says Unknown.
	Ready       Answer
	ReadyReason string
	// LeaseRenewed is the last renewal of the node's lease; zero where there
	// is no lease.
	LeaseRenewed time.Time
	// LeaseDuration is how long that renewal holds.
	LeaseDuration time.Duration
	// Cordoned is spec.unschedulable.
	Cordoned bool
	Deleting bool
	Labels   map[string]string
	Taints   []string // key=value:Effect
	// Announced are the annotations by which tools say what they do to the
	// machine, spelled key=value; see Announcements.
	Announced  []string
	ProviderID string
	BootID     string
	Zone       string
	// CPU and Memory are what pods may request of it, in thousandths of a CPU
	// and in bytes; zero where it does not say.
	CPU, Memory int64
}

// Owner is the kind of controller behind a pod.
type Owner uint8

// The owners of a pod.
const (
	OwnerUnknown   Owner = iota
	OwnerNone            // nobody re-creates it
	OwnerDaemonSet       // its DaemonSet exists
	OwnerStatic          // a mirror pod; the kubelet owns it
	OwnerOther           // some controller
	OwnerOrphan          // a DaemonSet pod whose DaemonSet is gone
)

// PodRef names one pod.
type PodRef struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name" keep:"own"`
	UID       UID    `json:"uid" keep:"own"`
}

// Pod is a pod, as far as draining and volumes need it.
type Pod struct {
	Ref  PodRef
	Node string
	// Finished is true for phases Succeeded and Failed.
	Finished bool
	Ready    Answer
	Deleting bool
	Owner    Owner
	// OwnerName is kind/name of the controller, for people.
	OwnerName string
	// Claims are the PersistentVolumeClaims it mounts, by name in its namespace.
	Claims   []string `keep:"own"`
	EmptyDir bool
	HostPath bool
	Labels   map[string]string
	// CPU and Memory are what it requests, in thousandths of a CPU and in
	// bytes. NodeSelector, Affinity and Tolerations say where it may run.
	CPU, Memory  int64
	NodeSelector map[string]string
	Affinity     Affinity
	Tolerations  []Toleration
}

// Budget is a PodDisruptionBudget.
type Budget struct {
	Namespace string
	Name      string
	UID       UID
	// Allowed is status.disruptionsAllowed.
	Allowed  int
	Healthy  int
	Desired  int
	Expected int
	// Pods are the pods that its selector matches.
	Pods []UID
}

// PersistentVolume is a PersistentVolume.
type PersistentVolume struct {
	Name string `keep:"own"`
	UID  UID    `keep:"own"`
	// Driver and Handle are of a CSI volume; empty for other kinds.
	Driver string
	Handle string
	// ClaimNamespace and ClaimName are the claim it is bound to, if any.
	ClaimNamespace string
	ClaimName      string `keep:"own"`
	Bound          bool
	Deleting       bool
	// Local is true where the data lie on one node (local, hostPath).
	Local bool
	// Hostnames are the nodes to which its affinity binds it; empty for any.
	Hostnames []string
}

// Attachment is a VolumeAttachment of storage.k8s.io.
type Attachment struct {
	Name     string `keep:"own"`
	UID      UID    `keep:"own"`
	Driver   string
	PV       string `keep:"own"`
	Node     string
	Attached bool
	Deleting bool
}
