// SPDX-License-Identifier: Apache-2.0

package cluster

// The annotations by which tools say on a Node what they do to its machine. The
// others of a Node's annotations are not kept.
const (
	// KuredReboot and OldKuredReboot are kured's, with --annotate-nodes.
	KuredReboot    = "kured.dev/kured-reboot-in-progress"
	OldKuredReboot = "weave.works/kured-reboot-in-progress"
	// MachineConfigState is of OpenShift's machine config daemon.
	MachineConfigState = "machineconfiguration.openshift.io/state"
)

// Announcements lists them.
func Announcements() []string { return []string{KuredReboot, OldKuredReboot, MachineConfigState} }
