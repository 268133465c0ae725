// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import "time"

// KindPlan is the kind of a Plan.
const KindPlan = "Plan"

// Plan is the answer of `kubectl safe-roll plan`: what a roll would do, whether
// it can end, and who would notice. Nothing was changed.
type Plan struct {
	// APIVersion is always safe-roll.io/v1alpha1.
	APIVersion string `json:"apiVersion"`
	// Kind is always Plan.
	Kind string `json:"kind"`
	// Verdict is Safe where run would begin, and decides the exit code: Safe 0,
	// Unsafe 3, Unknown 4.
	Verdict Verdict `json:"verdict"`
	// ObservedAt is when the reading of the facts ended (RFC 3339, UTC); for
	// files, the newest time found in them. Null where nothing tells.
	ObservedAt *time.Time `json:"observedAt"`
	// Summary is one sentence for people. Do not parse it.
	Summary string `json:"summary"`
	// Estimate is how long the roll may take.
	Estimate Estimate `json:"estimate"`
	// Heal is what happens before the first turn; absent where nothing does.
	Heal *PlanHeal `json:"heal,omitempty"`
	// Turns are the nodes in their order.
	Turns []PlanTurn `json:"turns"`
	// Findings are the reasons to refuse, the worst first; empty where Safe.
	Findings []Finding `json:"findings"`
	// Notes are what somebody should know; they refuse nothing.
	Notes []Finding `json:"notes"`
	// NotConsidered says in sentences what the forecast left out.
	NotConsidered []string `json:"notConsidered"`
}

// Estimate is a time with its basis.
type Estimate struct {
	// Seconds is the sum of what is estimated.
	Seconds int64 `json:"seconds"`
	// Bytes is how much is copied at most.
	Bytes int64 `json:"bytes"`
	// Basis says what it rests on and what it leaves out. Do not parse it.
	Basis string `json:"basis"`
}

// PlanHeal is what is mended before the first turn.
type PlanHeal struct {
	// Prunes are the replica objects that are taken away, their data being gone.
	Prunes []PlanPrune `json:"prunes"`
	// Volumes are where what volumes lack is rebuilt.
	Volumes []PlanVolume `json:"volumes"`
}

// PlanPrune is one replica object that would be deleted.
type PlanPrune struct {
	Volume  string `json:"volume"`
	Replica string `json:"replica"`
	Node    string `json:"node"`
	// Code is why its data are gone.
	Code string `json:"code"`
}

// PlanTurn is one node's replacement.
type PlanTurn struct {
	// Node and UID name the node that goes.
	Node string `json:"node"`
	UID  string `json:"uid"`
	// Strategy is evict or refill, Why the reason for it.
	Strategy string `json:"strategy"`
	Why      string `json:"why"`
	// Replicas is how many are moved or rebuilt, Bytes how much is copied for
	// that at most.
	Replicas int   `json:"replicas"`
	Bytes    int64 `json:"bytes"`
	// Seconds is the turn's part of the estimate.
	Seconds int64 `json:"seconds"`
	// Detached is how many detached volumes have a replica on the node.
	Detached int `json:"detached"`
	// Volumes are those that the turn touches, one entry a replica.
	Volumes []PlanVolume `json:"volumes"`
	// Pods are those that are evicted.
	Pods []PlanPod `json:"pods"`
	// Budgets are those that permit no eviction of a pod on the node.
	Budgets []PlanBudget `json:"budgets"`
}

// PlanVolume is where one replica of a volume would go.
type PlanVolume struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Claim     string `json:"claim"`
	// Detached: nobody uses the volume now.
	Detached bool `json:"detached"`
	// Replica is the one that is moved; empty for one that is rebuilt.
	Replica string `json:"replica"`
	// Node and Disk are where it would probably go; empty where it fits nowhere.
	Node  string `json:"node"`
	Disk  string `json:"disk"`
	Bytes int64  `json:"bytes"`
	// Why says why it fits nowhere, Ways what would make it possible.
	Why  string `json:"why,omitempty"`
	Ways []Way  `json:"ways,omitempty"`
}

// Way is one change that would make a placement possible.
type Way struct {
	// Kind is node, count, setting, space or repair.
	Kind string `json:"kind"`
	// Says is one line for people.
	Says string `json:"says"`
}

// PlanPod is a pod that a turn evicts.
type PlanPod struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Owner is Kind/name of what runs it, empty for nobody.
	Owner string `json:"owner"`
	// Only: it is the only pod of its owner.
	Only bool `json:"only"`
	// EmptyDir and HostPath: what it keeps on the node stays behind.
	EmptyDir bool `json:"emptyDir"`
	HostPath bool `json:"hostPath"`
	// FitsNowhere says why it fits on no other node; empty if it does.
	FitsNowhere string `json:"fitsNowhere,omitempty"`
}

// PlanBudget is a PodDisruptionBudget that holds pods of the node.
type PlanBudget struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Never: waiting does not help.
	Never bool `json:"never"`
	// Pods are the names of those that it holds, in its namespace.
	Pods []string `json:"pods"`
	Why  string   `json:"why"`
}
