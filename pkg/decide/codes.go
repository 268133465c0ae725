// SPDX-License-Identifier: Apache-2.0

package decide

import "github.com/safe-roll/kubectl-safe-roll/pkg/assess"

// The codes of what only a plan or a turn can find.
const (
	CodeOtherOut     = "node/other-out"
	CodeNoRoom       = "plan/no-room"
	CodeReplace      = "plan/replace-command"
	CodeNodeTwice    = "plan/node-twice"
	CodeOldDisk      = "node/old-disk"
	CodeDisksBack    = "node/disks-back"
	CodeReplicaStays = "node/replica-stays"
	CodeNeedsProbe   = "replica/needs-probe"
	CodeNoPlace      = "volume/no-place"
	CodeNotRestored  = "volume/not-restored"
	CodeTogether     = "volume/together"
)

// Codes documents them, for explain.
func Codes() []assess.CodeDoc {
	return append(planCodes(), []assess.CodeDoc{
		{Code: CodeOtherOut, Means: "Another node is not live while this one should go.",
			Remedy: "Bring it back, or remove it from the cluster. Accept it only where it holds nothing."},
		{Code: CodeNoRoom, Means: "A replica on the node fits nowhere else, so the storage could never finish moving it.",
			Remedy: "Add a node or space, or choose --strategy=refill where every volume keeps its floor without the node."},
		{Code: CodeReplace, Means: "One command that deletes and creates a node at once is only safe where no replica is left on the node.",
			Remedy: "Use --retire-command with --create-command, so that what is lost is cleaned up in between. Where the storage keeps its object for the node and replacements get new names, that may be accepted."},
		{Code: CodeNodeTwice, Means: "A node was named twice.", Remedy: "Name every node once."},
		{Code: CodeOldDisk, Means: "The replacement reports a disk of the retired node: its data cannot be told from stale data.",
			Remedy: "Give the replacement an empty disk. Do not start workloads whose replicas lie there."},
		{Code: CodeDisksBack, Means: "The machine of a turn came back as another Node with the disks that it had, and it was not known that no volume needs them.",
			Remedy: "Erase none of them, and do not end the machine: they may hold the only copy. kubectl safe-roll abort gives the turn up; then verify --probe shows what lies on them."},
		{Code: CodeReplicaStays, Means: "A replica is still on the node although it was to be moved away.",
			Remedy: "Wait until the storage has moved it; look at the volume's events."},
		{Code: CodeNeedsProbe, Means: "A replica's node was replaced under the same name; the storage still counts the replica, and starts it when the volume is attached.",
			Remedy: "Run with --probe, which looks for its directory on the node. Start no workload that uses the volume before."},
		{Code: CodeNotRestored, Means: "A volume wants tags of a node or disk that went with the old machine, and nothing left has them.",
			Remedy: "Give the replacement that disk and its tags, or change the volume's selectors. Accepted, the roll waits for somebody to do so."},
		{Code: CodeNoPlace, Means: "A volume that lacks replicas cannot get them back: there are fewer nodes than it wants replicas.",
			Remedy: "Add a node, or bring one back; then run the same command again."},
		{Code: CodeTogether, Means: "Replicas of a volume lie in one place and count once, while its storage counts each and builds no other.",
			Remedy: "Delete one of the two replicas that are named, never both: its storage builds another on a node that has none. Then run the same command again."},
	}...)
}
