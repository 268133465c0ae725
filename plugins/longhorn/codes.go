// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"fmt"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// The codes of this plugin's Doubts.
const (
	codeNoEngine        = "longhorn/no-current-engine"
	codeEngineState     = "longhorn/engine-state"
	codeEngineSilent    = "longhorn/engine-silent"
	codeNotInEngine     = "longhorn/not-in-engine"
	codeStranger        = "longhorn/engine-serves-stranger"
	codeInPlace         = "longhorn/rebuilt-in-place"
	codeNeverHealthy    = "longhorn/served-but-never-healthy"
	codeReplicaState    = "longhorn/replica-state"
	codeAboutToFail     = "longhorn/about-to-fail"
	codeAddress         = "longhorn/no-address-of-its-own"
	codeNoStart         = "longhorn/process-not-started"
	codeFailedSince     = "longhorn/failed-since"
	codeRetries         = "longhorn/retries-exhausted"
	codeFaulted         = "longhorn/faulted"
	codeDegraded        = "longhorn/degraded"
	codeCloneFailed     = "longhorn/clone-failed"
	codeSharded         = "longhorn/sharded"
	codeNoCount         = "longhorn/no-replica-count"
	codeDiskChanged     = "longhorn/disk-changed"
	codeStandby         = "longhorn/standby"
	codeMoveHalted      = "longhorn/eviction-halted"
	codeExpandFailed    = "longhorn/expansion-failed"
	codeOrphanDeletion  = "longhorn/orphans-deleted"
	codeUnknownValue    = "longhorn/value-never-seen"
	codeUntestedVersion = "longhorn/version-never-seen"
)

// doubt makes a Doubt from names and values in turn.
func doubt(code string, atMost cluster.Standing, facts ...string) cluster.Doubt {
	d := cluster.Doubt{Code: code, Says: clause(code), AtMost: atMost}
	if code == codeUnknownValue {
		d.Says = fmt.Sprintf("Longhorn wrote %s %q, which is not known", facts[0], facts[1])
	}
	for i := 0; i+1 < len(facts); i += 2 {
		d.Facts = append(d.Facts, cluster.Fact{Name: facts[i], Value: facts[i+1]})
	}
	return d
}

func doc(code, means, remedy string) plugin.CodeDoc {
	return plugin.CodeDoc{Code: code, Means: means, Remedy: remedy}
}

func codes() []plugin.CodeDoc { return append(codesOfReplicas(), codesOfVolumes()...) }

func codesOfReplicas() []plugin.CodeDoc {
	return []plugin.CodeDoc{
		doc(codeNoEngine,
			"The volume has no engine, or more than one that calls itself active, so nothing says which replicas count.",
			"Wait while a migration or an upgrade ends. Otherwise ask Longhorn's support; do not attach the volume."),
		doc(codeEngineState,
			"The engine neither runs nor is stopped: what it last said of its replicas may be old.",
			"Wait until the volume is attached or detached. If its node is gone, let Longhorn detach the volume first."),
		doc(codeEngineSilent,
			"The engine runs but lists no replica yet.",
			"Wait some seconds and look again; if it stays so, read the log of the engine's instance manager."),
		doc(codeNotInEngine,
			"The engine runs without this replica, which says that it is healthy: it misses what is written now.",
			"Do not count it. Longhorn rebuilds or removes it while the volume is attached."),
		doc(codeStranger,
			"The engine writes to, or rebuilds, something that belongs to no replica object.",
			"Detach and attach the volume when its workload allows, then look again."),
		doc(codeInPlace,
			"The engine calls the replica read-write while a rebuild at its address still goes on.",
			"Wait until the rebuild ends, then look again."),
		doc(codeNeverHealthy,
			"The engine calls the replica read-write, but Longhorn has not recorded it as healthy.",
			"Wait some seconds and look again."),
		doc(codeReplicaState,
			"The replica's own process is in error or unknown, or does not run although the engine lists it.",
			"Look at the replica's node; wait until Longhorn has marked the replica as failed or stopped."),
		doc(codeAboutToFail,
			"The engine lists the replica as read-write, but its process is in error, or a purge of snapshots or a restore failed in it: Longhorn marks it as failed next.",
			"Wait some seconds and look again; then see to it that Longhorn rebuilds it. Do not take another replica of the volume away."),
		doc(codeAddress,
			"The engine lists the replica as read-write without an address, or at that of another replica: which process it writes to is not known.",
			"Wait some seconds and look again; if it stays so, detach and attach the volume when its workload allows."),
		doc(codeNoStart,
			"Longhorn could not start the replica's process the last time that it tried.",
			"Read why in the replica's condition InstanceCreation and mend that. Do not count on the replica before an engine has served it."),
		doc(codeFailedSince,
			"The replica failed after it was last healthy; the mark of the failure was taken away to use it again, but it has not served since.",
			"Do not delete the other replicas. Unless the volume must not be attached (volume/unsafe-to-attach), attach it, so that its engine proves or rebuilds the replica."),
		doc(codeRetries,
			"Longhorn has given up rebuilding this replica and will remove it.",
			"Do not wait for it; see why its rebuilds failed (space, network) before the next one."),
	}
}

func codesOfVolumes() []plugin.CodeDoc {
	return []plugin.CodeDoc{
		doc(codeFaulted,
			"Longhorn says that the volume is faulted: none of its replicas can be used.",
			"Do not start its pods. Keep every replica object, disk and orphaned directory; salvage the volume or restore a backup."),
		doc(codeDegraded,
			"Longhorn says that the volume is degraded although its engine lists enough replicas.",
			"Wait some seconds and look again; if it stays so, find out which replica Longhorn does not count."),
		doc(codeCloneFailed,
			"The volume was to be a copy of another one, and the copying failed: its contents are not what was asked for.",
			"Delete and clone it again, or accept it as it is."),
		doc(codeSharded,
			"The volume's data are shards, not copies; this version of safe-roll does not know how many of them are needed.",
			"Leave its nodes alone until a version that knows shards is used."),
		doc(codeNoCount,
			"The volume does not say how many replicas it wants.",
			"Set its number of replicas."),
		doc(codeDiskChanged,
			"The disk that Longhorn finds at the replica's path is not the one that it recorded: the machine or the disk was replaced under the same name, or the disk is not mounted. "+
				"Longhorn starts the replica all the same when the volume is attached, and it comes up blank.",
			"Do not attach the volume. If the disk still exists, mount it again. If it is gone, have the replica's object deleted while another replica is proven, "+
				"then remove the disk from Longhorn's node and add it again."),
		doc(codeStandby,
			"The volume follows a backup elsewhere: it holds what was restored last, not what is newest.",
			"Nothing must be done. Losing it means a full restore."),
		doc(codeMoveHalted,
			"Longhorn was asked to move the replica away, and its node is not ready: Longhorn moves nothing off such a node.",
			"Bring the node back, or take the request back and have the volume rebuilt from its other replicas."),
		doc(codeExpandFailed,
			"The volume was to be expanded and the last try failed; until that is settled Longhorn rebuilds nothing of it.",
			"Read the engine's lastExpansionError; have the expansion cancelled or repeated. Do not take a node out before."),
		doc(codeOrphanDeletion,
			"Longhorn is set to delete directories that no replica object names. One of them may be the last copy of a volume.",
			"Switch it off while nodes are replaced (orphan-auto-deletion; from 1.9 on orphan-resource-auto-deletion)."),
		doc(codeUnknownValue,
			"Longhorn wrote a word that this version of safe-roll has never seen.",
			"Use a safe-roll that knows this version of Longhorn; nothing is concluded from the word."),
		doc(codeUntestedVersion,
			"This version of Longhorn is outside 1.4 to 1.12, the versions whose objects are understood.",
			"Use a safe-roll that knows it."),
	}
}
