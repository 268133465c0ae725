// SPDX-License-Identifier: Apache-2.0

package longhorn

import "github.com/safe-roll/kubectl-safe-roll/pkg/cluster"

const (
	yes = cluster.Yes
	no  = cluster.No

	filesystem = "filesystem"
	block      = "block"

	// tickets is the path of an attachment's reasons.
	ticketPath = "spec.attachmentTickets"
	// oursPrefix begins the ID of every ticket of safe-roll.
	oursPrefix = "safe-roll-"

	// diskChanged is the reason of a disk that is not the one recorded (Longhorn
	// v1.12.0 k8s/pkg/apis/longhorn/v1beta2/node.go).
	diskChanged = "DiskFilesystemChanged"

	// reporter is the DaemonSet that writes everything that Longhorn says.
	reporter = "longhorn-manager"

	// maxRetries is FailedReplicaMaxRetryCount (Longhorn v1.12.0
	// scheduler/replica_scheduler.go): a replica that failed to be rebuilt so
	// often is not tried again, and is cleaned away.
	maxRetries = 5
)

// stateOf translates a volume's state; the second result is false for a word
// never seen.
func stateOf(word string) (cluster.VolumeState, bool) {
	switch word {
	case "detached":
		return cluster.Detached, true
	case "attaching":
		return cluster.Attaching, true
	case "attached":
		return cluster.Attached, true
	case "detaching":
		return cluster.Detaching, true
	case "creating":
		return cluster.Creating, true
	case "deleting":
		return cluster.Deleting, true
	default:
		return cluster.StateUnknown, false
	}
}

// holdOf translates the type of an attachment ticket (Longhorn v1.12.0
// k8s/pkg/apis/longhorn/v1beta2/volumeattachment.go lists them).
func holdOf(kind, id string) cluster.HoldKind {
	switch kind {
	case "csi-attacher", "share-manager-controller":
		return cluster.HoldWorkload
	case "longhorn-api":
		if len(id) > len(oursPrefix) && id[:len(oursPrefix)] == oursPrefix {
			return cluster.HoldOurs
		}
		return cluster.HoldOther
	case "snapshot-controller", "backup-controller", "volume-clone-controller", "salvage-controller",
		"volume-restore-controller", "volume-eviction-controller", "volume-expansion-controller",
		"bim-ds-controller", "volume-rebuilding-controller":
		return cluster.HoldStorage
	default:
		return cluster.HoldUnknown
	}
}

// mediumOf is the kind of disk that a data engine needs; empty for an engine
// never seen.
func mediumOf(dataEngine string) string {
	switch dataEngine {
	case "v1":
		return filesystem
	case "v2":
		return block
	default:
		return ""
	}
}
