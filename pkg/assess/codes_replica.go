// SPDX-License-Identifier: Apache-2.0

package assess

// Of replicas and their disks.
const (
	DiskOtherUUID         = "disk/other-uuid"
	DiskElsewhere         = "disk/elsewhere"
	DiskNotReported       = "disk/not-reported"
	DiskTwice             = "disk/uuid-twice"
	DiskNotDeclared       = "disk/not-declared"
	DiskNotReady          = "disk/not-ready"
	DiskOtherPath         = "disk/other-path"
	ReplicaNodeGone       = "replica/node-gone"
	ReplicaNodeYounger    = "replica/node-younger"
	ReplicaNodeAsOld      = "replica/node-as-old"
	ReplicaNodeRetired    = "replica/node-retired"
	ReplicaHealthyAhead   = "replica/healthy-ahead"
	ReplicaNoPlace        = "replica/no-place"
	ReplicaOwnerElsewhere = "replica/owner-elsewhere"
	ReplicaFailed         = "replica/failed"
	ReplicaRebuilding     = "replica/rebuilding"
	ReplicaDeleting       = "replica/deleting"
	ReplicaLeaving        = "replica/leaving"
	ReplicaPlaceholder    = "replica/placeholder"
	ReplicaClaimUnknown   = "replica/claim-unknown"
	ReplicaNeverHealthy   = "replica/never-healthy"
	ReplicaUnused         = "replica/unused"
	ReplicaBlank          = "replica/blank"
	ReplicaTwice          = "replica/twice"
	ReplicaNotServing     = "replica/not-serving"
	ReplicaReplaced       = "replica/replaced"
	EngineNotRunning      = "engine/not-running"
	EngineNodeNotLive     = "engine/node-not-live"
)

func replicaCodes() []CodeDoc {
	return append(diskCodes(), []CodeDoc{
		{ReplicaNodeGone, "The replica's node is not in the cluster any more; the replica's object outlived it.",
			"Nothing brings this copy back. Rebuild the volume from its other replicas before another node goes."},
		{ReplicaNodeYounger, "The replica's node was created after the replica was last known to be healthy: it is another machine, or the same one set up again.",
			"It is not counted until its directory was seen with data. Do not delete its object, nor start it, before that."},
		{ReplicaNodeAsOld, "The replica's node is as old as the replica, within the margin of their clocks, so which came first cannot be told.",
			"It is not counted until its directory was seen with data, or it was rebuilt."},
		{ReplicaNodeRetired, "The replica was last known to be healthy on a machine of that name that was retired since, as the roll's own record tells.",
			"It is not counted until its directory was seen with data. Do not delete its object, nor start it, before that."},
		{ReplicaHealthyAhead, "The replica is said to have been healthy at a time that is yet to come: a clock is wrong, and an old replica would look newer than its node.",
			"Set the clocks of the nodes and of this machine."},
		{ReplicaNoPlace, "The replica does not say on which node and disk it lies.", "Look at the replica's object."},
		{ReplicaOwnerElsewhere, "The replica is reported by another node than the one it lies on: the storage's manager is not there.",
			"Look at the storage's pods on the replica's node."},
		{ReplicaFailed, "The storage says that the replica failed.",
			"Where other replicas are good have the volume rebuilt, unless it must not be attached (volume/unsafe-to-attach). Where none is, do not: the failed ones are what there is to salvage from (volume/data-lost). Do not delete the replica while no other one is proven."},
		{ReplicaRebuilding, "The replica is being written from others.", "Wait."},
		{ReplicaDeleting, "The replica is being deleted.", "Wait."},
		{ReplicaLeaving, "The storage was asked to move the replica away.", "Wait until its successor is whole."},
		{ReplicaPlaceholder, "The object stands for no data.", "Nothing must be done."},
		{ReplicaClaimUnknown, "What the storage says of the replica is not known.", "Look at the replica's object; a newer version of the tool may know it."},
		{ReplicaNeverHealthy, "The replica was never said to be healthy.", "Have the volume attached and rebuilt, unless it must not be attached (volume/unsafe-to-attach)."},
		{ReplicaUnused, "The replica belongs to a volume that nobody has used.", "Nothing must be done."},
		{ReplicaBlank, "The replica never held data, and no sibling holds them any more.",
			"Do not start workloads that use the volume: it would be formatted. See volume/data-lost."},
		{ReplicaTwice, "Two replicas of the volume have one name.", "Give files of one moment only."},
		{ReplicaNotServing, "The volume is attached, or may be, and no engine that runs lists the replica as read-write.",
			"Wait; if it stays so, look at the volume's events."},
		{ReplicaReplaced, "Another replica is being rebuilt in the same directory, so what the engine says of this one is of the other.",
			"Wait until the rebuild has ended."},
		{EngineNotRunning, "The replica is said to serve, and no engine runs that could say so.", "Wait; if it stays so, look at the engine's node."},
		{EngineNodeNotLive, "The engine's node, or the one that reports it, is not live, so its list of replicas is of the past.",
			"Bring the node back, or have the workload move."},
	}...)
}

func diskCodes() []CodeDoc {
	return []CodeDoc{
		{DiskOtherUUID, "The replica's node reports other disks: a machine of the same name took the place of the one that held the data.",
			"Nothing brings this copy back. Rebuild the volume from its other replicas before another node goes; do not attach it while this object is there."},
		{DiskElsewhere, "The replica's disk is reported by another node.", "Wait until the storage has followed it; if it does not, move the disk back."},
		{DiskNotReported, "The replica's node has not told of all its disks.", "Wait; if it stays so, look at the disk's conditions."},
		{DiskTwice, "One disk UUID is reported twice, by two nodes or by one: a disk was cloned, and only one of them holds the data.",
			"Give the clone a new identity, by the storage's procedure. Do not delete either."},
		{DiskNotDeclared, "The disk is reported but not configured any more.", "Add the disk to the node's configuration again."},
		{DiskNotReady, "The disk is not ready: its file system may be another one.", "Look at the disk's conditions. Do not attach its volumes before it is ready."},
		{DiskOtherPath, "The disk has another path than the replica recorded.", "Mount the disk where it was."},
	}
}

// replicaClause is what is said of a code; empty for another.
func replicaClause(code string) string {
	switch code {
	case ReplicaNodeGone:
		return "its node is not in the cluster any more"
	case ReplicaNodeYounger:
		return "its node is younger than its data"
	case ReplicaNodeAsOld:
		return "whether its node is older than its data cannot be told"
	case ReplicaNodeRetired:
		return "the machine that held it was retired"
	case ReplicaHealthyAhead:
		return "it was healthy in the future"
	case ReplicaNoPlace:
		return "where it lies is not known"
	case ReplicaOwnerElsewhere:
		return "another node reports it"
	case ReplicaFailed:
		return "it failed"
	case ReplicaRebuilding:
		return "it is being rebuilt"
	case ReplicaDeleting:
		return "it is being deleted"
	case ReplicaLeaving:
		return "it is being moved away"
	case ReplicaPlaceholder:
		return "it stands for no data"
	case ReplicaClaimUnknown:
		return "what its storage says of it is not known"
	case ReplicaNeverHealthy:
		return "it was never healthy"
	case ReplicaUnused:
		return "it never held data"
	case ReplicaBlank:
		return "it is blank"
	case ReplicaTwice:
		return "there are two of that name"
	case ReplicaNotServing:
		return "the running engine does not list it"
	case ReplicaReplaced:
		return "another one is being written in its place"
	case EngineNotRunning:
		return "no engine runs that serves it"
	case EngineNodeNotLive:
		return "the engine's node is not live"
	default:
		return ""
	}
}
