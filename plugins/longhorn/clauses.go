// SPDX-License-Identifier: Apache-2.0

package longhorn

// clause is what a Doubt says in the middle of a sentence; empty where it
// depends on what was written.
func clause(code string) string {
	switch code {
	case codeNoEngine:
		return "which engine it belongs to cannot be told"
	case codeEngineState:
		return "its engine neither runs nor is stopped"
	case codeEngineSilent:
		return "its engine runs and lists no replica yet"
	case codeNotInEngine:
		return "its engine runs without it"
	case codeStranger:
		return "its engine writes to what is none of its replicas"
	case codeInPlace:
		return "a rebuild at its address still goes on"
	case codeNeverHealthy:
		return "its engine lists it, and Longhorn has not recorded it as healthy"
	case codeReplicaState:
		return "its own process is in error or unknown, or does not run"
	case codeAboutToFail:
		return "its process is in error, or a purge or a restore of it failed, and Longhorn marks it as failed next"
	case codeAddress:
		return "its engine lists it without an address of its own"
	case codeNoStart:
		return "Longhorn could not start its process the last time that it tried"
	case codeFailedSince:
		return "it failed after it was last healthy, and has not served since"
	case codeRetries:
		return "Longhorn has given up rebuilding it"
	case codeFaulted:
		return "Longhorn calls the volume faulted"
	case codeDegraded:
		return "Longhorn calls the volume degraded, though its engine lists enough replicas"
	case codeCloneFailed:
		return "the volume was to be a copy of another one, and the copying failed"
	case codeSharded:
		return "data are cut into shards, and how many are needed is not known"
	case codeNoCount:
		return "the volume does not say how many replicas it wants"
	case codeDiskChanged:
		return "the disk at its path is not the one that Longhorn recorded"
	case codeStandby:
		return "it follows a backup, and holds what was restored last"
	case codeMoveHalted:
		return "it was to be moved away, and Longhorn moves nothing off a node that is not ready"
	case codeExpandFailed:
		return "the last try to expand the volume failed"
	case codeOrphanDeletion:
		return "directories that no replica names are deleted, and one may be a last copy"
	case codeUntestedVersion:
		return "its version is none of 1.4 to 1.12"
	default:
		return ""
	}
}
