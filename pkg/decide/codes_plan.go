// SPDX-License-Identifier: Apache-2.0

package decide

import "github.com/safe-roll/kubectl-safe-roll/pkg/assess"

// The codes of what a plan foresees.
const (
	CodeNoRebuild   = "plan/no-rebuild"
	CodeDrainPolicy = "plan/drain-policy"
	CodeMayHang     = "plan/eviction-may-hang"
	CodeTooMany     = "plan/wakes-too-many"
	CodeUnread      = "plan/fact-missing"
	CodeBudgetNever = "plan/budget-never"
	CodeBudgetNow   = "plan/budget-now"
	CodePodNowhere  = "plan/pod-fits-nowhere"
	CodeWakes       = "plan/wakes-volumes"
	CodeOnTrust     = "plan/on-trust"
	CodeChanged     = "plan/changed"
	CodeNotLost     = "plan/not-lost"
)

func planCodes() []assess.CodeDoc {
	return []assess.CodeDoc{
		{Code: CodeNoRebuild, Means: "A replica that goes with the node, or is lacking now, could never be rebuilt by the storage's own rules.",
			Remedy: "Do what the plan names as a way out (a larger replacement, another node, a setting, the end of what the volume is doing); then plan again."},
		{Code: CodeDrainPolicy, Means: "The storage lets no cordoned node be drained before replicas have left it, and they fit nowhere else: the drain would never end.",
			Remedy: "Make room for the replicas, or set the storage's drain policy to one that waits for no eviction."},
		{Code: CodeMayHang, Means: "The storage's version is known to hang when it evicts detached volumes.",
			Remedy: "Upgrade the storage, or choose --strategy=refill where every volume keeps its floor. Accepted, the eviction is tried, up to --evacuate-limit."},
		{Code: CodeTooMany, Means: "Moving replicas off the node first would have the storage attach more detached volumes at once than --max-evicted says: each takes memory, and a pod that wants one waits.",
			Remedy: "Give --max-evicted the number, if the nodes have the memory (some 150 MB a volume); or choose --strategy=refill where every volume keeps its floor, which wakes a few at a time."},
		{Code: CodeUnread, Means: "A kind of object that decides where replicas go was not read, so the forecast would be a guess.",
			Remedy: "Give the missing kind (the plan names it), or make it readable."},
		{Code: CodeBudgetNever, Means: "A PodDisruptionBudget can never permit the eviction of a pod on the node: the drain would wait until its limit.",
			Remedy: "Give the workload more pods, or lower or delete the budget for the roll. Accept it if somebody will do that in time, within --drain-limit."},
		{Code: CodeBudgetNow, Means: "A PodDisruptionBudget permits no eviction at present; once its pods are healthy it will.",
			Remedy: "Look why its pods are not healthy: the drain waits for them, up to --drain-limit."},
		{Code: CodePodNowhere, Means: "A pod of the node fits on no other node by what could be considered: it will wait until the replacement has joined.",
			Remedy: "Make room on another node if it must not wait. Nothing is lost by waiting."},
		{Code: CodeWakes, Means: "Detached volumes are attached while their replicas are moved or rebuilt; a pod that wants one meanwhile may wait.",
			Remedy: "Nothing has to be done. Roll when few users log in, or move fewer volumes at once."},
		{Code: CodeOnTrust, Means: "A node is to be rebooted, and volumes have fewer proven replicas on other nodes than they need: of detached ones nobody reads the copies. They are lost only if the node's disks do not come back and those copies are not what they look.",
			Remedy: "Nothing has to be done. To be sure, have the copies looked at before: kubectl safe-roll verify --probe."},
		{Code: CodeNotLost, Means: "The loss of a volume was accepted that is not lost: nobody accepts beforehand what a roll is there to prevent.",
			Remedy: "Leave out --accept-risk=volume/already-lost for that volume."},
		{Code: CodeChanged, Means: "What decides where replicas go has changed since the plan was made, and the turn could no longer end.",
			Remedy: "Change it back, or make room; then run the same command again."},
	}
}
