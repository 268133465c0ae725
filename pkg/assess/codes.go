// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"cmp"
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// CodeDoc documents one code: Means is one sentence, Remedy says what to do,
// and where it matters what not to do.
type CodeDoc struct {
	Code   string
	Means  string
	Remedy string
}

// Codes documents every code that this package can say, in the order of the
// rules. Codes of doubts are documented by the plugin that raises them.
func Codes() []CodeDoc {
	out := inputCodes()
	out = append(out, nodeCodes()...)
	out = append(out, replicaCodes()...)
	out = append(out, probeCodes()...)
	out = append(out, volumeCodes()...)
	return append(out, permitCodes()...)
}

// Of the input as a whole.
const (
	InputGapNeeded   = "input/gap-needed"
	InputGapDrain    = "input/gap-drain"
	InputGapHelpful  = "input/gap-helpful"
	InputNoLeases    = "input/no-leases"
	InputNoNodes     = "input/no-nodes"
	InputNoStorage   = "input/no-storage"
	InputTwice       = "input/twice"
	InputNotLive     = "input/not-live"
	StorageNoNodes   = "storage/no-nodes"
	StorageNoVolumes = "storage/no-volumes"
	OrphanKept       = "orphan/kept"
	PVNoVolume       = "pv/no-volume"
	PVNotVerified    = "pv/not-verified"
	PVLocal          = "pv/local"
)

func inputCodes() []CodeDoc {
	return []CodeDoc{
		{InputGapNeeded, "Something that every verdict rests on could not be read.",
			"See the finding's detail. A right that is missing: grant get, list and watch of the kind. A kind that the server does not know: the storage is not installed here. Files: add the list. There is no way around it."},
		{InputGapDrain, "Something that questions about draining rest on could not be read.",
			"Grant the right, or give the missing list; see the finding's detail."},
		{InputGapHelpful, "Something that would make the verdict rest on more could not be read.",
			"Nothing must be done; the verdict holds for what was read."},
		{InputNoLeases, "The files hold no node leases, so a node that died seconds before they were written looks alive.",
			"Add the list of leases in namespace kube-node-lease, or verify against the cluster."},
		{InputNoNodes, "No Kubernetes node was found.", "Look whether the files are complete, or the cluster the right one."},
		{InputNoStorage, "No storage system was found that a plugin knows.",
			"Look whether the storage's objects were given, and its namespace is right. Nothing about any data was verified."},
		{InputTwice, "One object is in the input more than once, and they may differ.",
			"Give files of one moment only."},
		{InputNotLive, "The facts come from files, which know nothing of the present.",
			"Ask again against the cluster before anything is deleted."},
		{StorageNoNodes, "The storage system has no node of its own.", "Look whether it was removed from the cluster, or its nodes were not given."},
		{StorageNoVolumes, "The storage system has no volumes.",
			"Where PersistentVolumes of it exist its volumes are missing: do not go on. Otherwise it is empty, and nothing must be done."},
		{OrphanKept, "Directories lie on the disks that belong to no replica. They may be old, or the last copy of a volume.",
			"Delete none before every volume is whole, and switch their automatic deletion off while nodes are replaced."},
		{PVNoVolume, "A PersistentVolume refers to a volume that its storage does not have.",
			"If the volume was deleted on purpose, delete the PersistentVolume. Otherwise its data are gone or elsewhere: look for backups, and start nothing that uses it."},
		{PVNotVerified, "PersistentVolumes of a driver that no plugin knows are not verified.", "Verify them with their own storage's means."},
		{PVLocal, "PersistentVolumes are bound to one node, and are not verified: no other node has their data.",
			"Move their data before that node is deleted; its mayDelete counts each of them (pv/bound-to-node)."},
	}
}

// Of nodes, Kubernetes' and the storage's.
const (
	NodeNotReady         = "node/not-ready"
	NodeLeaseOld         = "node/lease-old"
	NodeLeaseMissing     = "node/lease-missing"
	NodeLeaseAhead       = "node/lease-ahead"
	NodeDeleting         = "node/deleting"
	NodeCordoned         = "node/cordoned"
	NodeMarkedToGo       = "node/marked-to-go"
	NodeNotRead          = "node/not-read"
	NodeAgeUnknown       = "node/age-unknown"
	StorageNodeMissing   = "storage-node/missing"
	StorageNodeDeleting  = "storage-node/deleting"
	StorageNodeNotReady  = "storage-node/not-ready"
	StorageNodeReportOld = "storage-node/report-old"
	StorageNodeSilent    = "storage-node/silent"
	StorageNodeLeft      = "storage-node/left-behind"
)

func nodeCodes() []CodeDoc {
	return []CodeDoc{
		{NodeNotReady, "The node is not Ready.", "Bring it back. Its replicas are not counted until then; deleting it would make the loss final."},
		{NodeLeaseOld, "The node has not renewed its lease lately: it may be down although it is still called Ready.",
			"Look at the machine and its kubelet; ask again after the node monitor's grace period. Take no other node out meanwhile."},
		{NodeLeaseMissing, "The node has no lease, so whether it is alive now cannot be told.",
			"Look whether leases in kube-node-lease can be read, and whether the kubelet runs."},
		{NodeLeaseAhead, "The node's lease was renewed in the future: a clock is wrong, and a dead node would look alive.",
			"Set the clocks of the node and of this machine."},
		{NodeDeleting, "The node is being deleted, and its replicas with it.", "Do not delete another node until its replicas are elsewhere."},
		{NodeCordoned, "The node is cordoned.", "Nothing must be done; uncordon it if nobody works on it any more."},
		{NodeMarkedToGo, "Another tool's mark on the node says that it is about to take it down, or has it down.",
			"Let that tool finish, or stop it for the time of the roll; the finding names it. A turn waits meanwhile, for only one node may be out at a time. Accept it only of a mark that was left behind."},
		{NodeNotRead, "Nodes could not all be read, so a node that is not seen may exist.", "Make the list of nodes complete."},
		{NodeAgeUnknown, "The node does not say when it was created, so whether it is the machine that held the replica cannot be told.",
			"Give the node objects with their creationTimestamp."},
		{StorageNodeMissing, "The storage has no object for the replica's node.",
			"Wait for the storage to start there; if it never does, look at its pods on the node."},
		{StorageNodeDeleting, "The storage's object for the node is being deleted; what it still says is of the past.",
			"Wait until it is gone or made anew."},
		{StorageNodeNotReady, "The storage's own node is not ready, so what it says may be of the past.",
			"Look at the storage's pods on that node."},
		{StorageNodeReportOld, "The storage's last report of the node is older than the node: it speaks of the machine before.",
			"Wait until the storage has looked at the node again."},
		{StorageNodeSilent, "The storage's own pod on the node is not ready, or not there: what the storage says of the node may be of the past, whatever its conditions say.",
			"Look at that pod; wait until it is ready. Where pods may not be read, grant that right; to files add the pods of the storage's namespace."},
		{StorageNodeLeft, "The storage still has an object for a node that is not in the cluster.",
			"Nothing must be done now; it is removed when no replica names it any more."},
	}
}

// because says in a clause why a replica or a node does not count. What is no
// code of ours is a doubt's, and one of these says it.
func because(code string, doubts ...[]cluster.Doubt) string {
	clause := cmp.Or(placeClause(code), replicaClause(code), probeClauses()[code])
	for _, d := range slices.Concat(doubts...) {
		if d.Code == code {
			clause = cmp.Or(clause, d.Says)
		}
	}
	return cmp.Or(clause, "its storage says "+code)
}

// placeClause is what is said of a code; empty for another.
func placeClause(code string) string {
	switch code {
	case NodeNotReady:
		return "its node is not Ready"
	case NodeLeaseOld:
		return "its node's lease is old"
	case NodeLeaseMissing:
		return "its node has no lease"
	case NodeLeaseAhead:
		return "its node's lease is of the future"
	case NodeDeleting:
		return "its node is being deleted"
	case NodeNotRead:
		return "the nodes could not all be read"
	case NodeAgeUnknown:
		return "its node's age is not known"
	case StorageNodeMissing:
		return "the storage has no object for its node"
	case StorageNodeDeleting:
		return "the storage's object for its node is being deleted"
	case StorageNodeNotReady:
		return "the storage is not ready on its node"
	case StorageNodeSilent:
		return "nobody reports from its node"
	case StorageNodeReportOld:
		return "the storage has not looked at its node since that was created"
	case InputTwice:
		return "the input holds its node more than once"
	case DiskOtherUUID:
		return "its node has other disks now"
	case DiskElsewhere:
		return "its disk is on another node"
	case DiskNotReported:
		return "its node has not told of all its disks"
	case DiskTwice:
		return "its disk is reported twice"
	case DiskNotDeclared:
		return "its disk is not configured any more"
	case DiskNotReady:
		return "its disk is not ready"
	case DiskOtherPath:
		return "its disk is mounted elsewhere"
	default:
		return ""
	}
}
