// SPDX-License-Identifier: Apache-2.0

package assess

// Of volumes.
const (
	VolumeDeleting       = "volume/deleting"
	VolumeLinkedClone    = "volume/linked-clone"
	VolumeSharded        = "volume/sharded"
	VolumeKindUnknown    = "volume/kind-unknown"
	VolumeNumbersUnknown = "volume/numbers-unknown"
	VolumeDataLost       = "volume/data-lost"
	// VolumeWouldBeFormatted is said besides VolumeDataLost.
	VolumeWouldBeFormatted = "volume/would-be-formatted"
	// VolumeAlreadyLost is also the risk, accepted by the volume's name only.
	VolumeAlreadyLost    = "volume/already-lost"
	VolumeNoEngine       = "volume/no-engine"
	VolumeNoData         = "volume/no-data"
	VolumeInTransit      = "volume/in-transit"
	VolumeCreating       = "volume/creating"
	VolumeStateUnknown   = "volume/state-unknown"
	VolumeBusy           = "volume/busy"
	VolumeUnproven       = "volume/unproven"
	VolumeDegraded       = "volume/degraded"
	VolumeColocated      = "volume/colocated"
	VolumeNoBase         = "volume/no-base"
	VolumeOneZone        = "volume/one-zone"
	VolumeUnsafeToAttach = "volume/unsafe-to-attach"
	VolumeMoving         = "volume/moving"
)

func volumeCodes() []CodeDoc {
	return []CodeDoc{
		{VolumeDeleting, "The volume is being deleted and is not counted.", "Nothing must be done."},
		{VolumeLinkedClone, "The volume shares its data with the one it was cloned from, and cannot be rebuilt alone.",
			"Copy it to a volume of its own, or delete it, before nodes are replaced."},
		{VolumeSharded, "The volume is cut into shards, which cannot be judged yet.", "Do not replace nodes that hold its shards with this tool."},
		{VolumeKindUnknown, "The volume is of a kind that is not known.", "A newer version of the tool may know it."},
		{VolumeNumbersUnknown, "The volume does not say how many replicas it shall have.", "Set its number of replicas."},
		{VolumeDataLost, "No copy of the volume's data is left that could be served; the storage may take it for a new volume and have it formatted.",
			"Do not start workloads that use it. Do not delete its replicas, failed ones too, nor orphaned directories, nor wipe disks of replaced machines: " +
				"bring such a disk back, or export the data from its directory, or restore a backup. " +
				"Unless it is about to be formatted, nodes that hold nothing of it may go once its loss is accepted (volume/already-lost)."},
		{VolumeWouldBeFormatted, "The storage would take what is left of the volume for a new one: attached, it comes up empty, and whoever mounts it formats it.",
			"Stop everything that uses the volume, and keep it stopped: scale its workloads to zero, suspend its jobs. Then see volume/data-lost."},
		{VolumeAlreadyLost, "The volume is lost, and its loss was accepted for the nodes that hold nothing of it.",
			"It still needs a backup, or its data salvaged. A node that holds a replica or a directory of it is not let go: salvage first, or delete the volume."},
		{VolumeNoEngine, "The volume does not have exactly one current engine.", "Wait; if it stays so, look at the volume's events."},
		{VolumeNoData, "No replica of the volume ever held data, and it is not as a new volume is: whether it was used cannot be told.",
			"Wait if it is just being made or attached for the first time. Otherwise do not start workloads that use it unless it is known to be new."},
		{VolumeInTransit, "The volume is being attached or detached.", "Nothing must be done; if it stays so for minutes, one of its replicas cannot start."},
		{VolumeCreating, "The volume is still being created.", "Wait."},
		{VolumeStateUnknown, "The volume is in a state that is not known.", "Look at the volume's object; a newer version of the tool may know it."},
		{VolumeBusy, "Something must end before the volume can be judged.", "Wait until it has ended."},
		{VolumeUnproven, "Whether the volume has its replicas cannot be told.", "See the reasons of its replicas; each names what to do."},
		{VolumeDegraded, "The volume has fewer good replicas than it is configured to have.",
			"Do not take another node out before it is whole. Unless it must not be attached (volume/unsafe-to-attach), have it attached and rebuilt; run does that itself before its first turn (phase heal)."},
		{VolumeNoBase, "No copy of the image that the volume is layered upon is known to be on a disk that can be read. One that was last seen before its node was made may have gone with the machine before.",
			"Bring a node with a copy back, or provide the image again; the volume cannot be opened without it."},
		{VolumeOneZone, "All good replicas of the volume lie in one zone, and the cluster has others.",
			"Nothing must be done for a node to go. To survive the loss of a zone, have one of them moved to another."},
		{VolumeUnsafeToAttach, "The storage believes in a replica whose data may be gone: attached, the volume hangs, or that replica comes up blank and is read from.",
			"Do not attach it: start no workload that uses the volume. Do not take another node out. Delete no object of a replica that is only unproven or unreadable: its data may be the last; --probe sees what is there. One that is certainly absent the heal phase takes away, while another replica is proven."},
		{VolumeMoving, "The storage was asked to move a replica of the volume away; it counts as long as it is there, and for no node's floor.",
			"Wait until its successor is whole; no turn begins before. If it never is, look for space, tags and anti-affinity, or take the request back."},
		{VolumeColocated, "Replicas of the volume lie together and count once.", "Move one of them to another node."},
	}
}

// Of permissions.
const (
	NodeNotFound          = "node/not-found"
	NodeOtherIncarnation  = "node/other-incarnation"
	NodeStillServing      = "node/still-serving"
	NodeForeignAttachment = "node/foreign-attachment"
	VolumeNotJudged       = "volume/not-judged"
	VolumeBelowFloor      = "volume/below-floor"
	VolumeOneCopy         = "volume/one-copy-left"
	VolumeLastCopy        = "volume/last-copy"
	VolumeNotProven       = "volume/not-proven"
	VolumeRebuilding      = "volume/rebuilding"
	ReplicaLastResort     = "replica/last-resort"
	PVBoundToNode         = "pv/bound-to-node"
	PVMayLieThere         = "pv/may-lie-there"
	OrphanLastResort      = "orphan/last-resort"
	OrphanUnknown         = "orphan/unknown"
	BaseOnlyCopy          = "base/only-copy"
	PodUnmanaged          = "pod/unmanaged"
	PodEmptyDir           = "pod/emptydir-data"
	PodDaemonSetGone      = "pod/daemonset-gone"
	PodOwnerUnknown       = "pod/owner-unknown"
)

func permitCodes() []CodeDoc {
	return []CodeDoc{
		{NodeNotFound, "The node is not in the cluster.", "Look at its name."},
		{NodeOtherIncarnation, "A node of that name exists and is not the one that was asked about.", "Look at the nodes again, and ask about the one that is there now."},
		{NodeStillServing, "A volume is served or held from the node.", "Wait until its workload has moved; look who holds it."},
		{NodeForeignAttachment, "A volume of a driver that no plugin knows is attached to the node.",
			"Move its workload away. If it can be attached elsewhere, that may be accepted."},
		{VolumeNotJudged, "The volume cannot be counted, so what it keeps without the node cannot be told.", "See the finding about the volume itself."},
		{VolumeBelowFloor, "The volume would keep fewer good replicas than its floor.", "Rebuild it first, or have its replica moved. --min-replicas sets another floor for every volume."},
		{VolumeOneCopy, "The volume would be down to a single copy while the node is out.",
			"Add a replica, or have this one moved. Accepted, a single failure while the node is out loses the volume."},
		{VolumeLastCopy, "The node holds the volume's last copy.", "Have it moved first."},
		{VolumeNotProven, "The volume's other replicas look good and were not seen serving its data without the node.",
			"Have them seen: the volume is attached elsewhere once, which drain and run do themselves (phase prove); or, where it must not be attached (volume/unsafe-to-attach), verify --probe looks into their directories."},
		{VolumeRebuilding, "A replica is being written.", "Wait until it is whole."},
		{ReplicaLastResort, "A failed replica on the node belongs to a volume that is not whole without it: it may be needed to salvage from.",
			"Make the volume whole on other nodes first."},
		{OrphanLastResort, "A directory on the node that no replica names was made for a volume that is not whole without the node: it may be needed to salvage from.",
			"Make the volume whole on other nodes first. Do not delete the orphan."},
		{OrphanUnknown, "A directory on the node that no replica names does not tell whose data it holds.",
			"Look into it; then delete it, or accept its loss."},
		{PVBoundToNode, "A PersistentVolume lies on the node and would be lost with it.", "Copy its data, or accept their loss."},
		{PVMayLieThere, "PersistentVolumes of drivers that no plugin knows may keep data on the node that is to be deleted.",
			"Ask their own storage whether the node holds any of their data, and whether others have them too."},
		{BaseOnlyCopy, "The only copy of an image that can be read lies on the node.",
			"Have it copied to another node. Where no volume uses it, delete it, or accept its loss."},
		{PodUnmanaged, "A pod has no controller: nobody would start it again.", "Stop it yourself, or accept that it ends."},
		{PodEmptyDir, "A pod keeps data in an emptyDir, which are lost with it.", "Accept the loss if the data can be made again; else save them first."},
		{PodDaemonSetGone, "A pod belonged to a DaemonSet that is gone.", "Delete it yourself, or accept that it ends."},
		{PodOwnerUnknown, "Who owns a pod could not be read.", "Grant the right to read it."},
	}
}
