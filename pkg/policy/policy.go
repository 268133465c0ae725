// SPDX-License-Identifier: Apache-2.0

// Package policy says what the operator allows: limits, strategies, floors and
// named risks.
//
// It is plain data with Default and Validate. It may import cluster and the
// standard library; it never reads flags, environment or files.
//
// Start reading at Policy.
package policy

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Strategy is how a node's replicas survive its replacement.
type Strategy string

// The strategies.
const (
	// Auto picks per node from the forecast.
	Auto Strategy = "auto"
	// Evict has the storage move every replica away while the node is alive.
	Evict Strategy = "evict"
	// Refill takes the node out with every volume at its Floor and rebuilds
	// onto the replacement.
	Refill Strategy = "refill"
	// Stay takes the node out with every volume at its Floor, and back in with
	// its disks. It is a reboot's, and nobody asks for it by its name.
	Stay Strategy = "stay"
)

// Risk is a finding that the operator accepts by name: CODE or CODE:NAME.
type Risk struct {
	Code string `json:"code"`
	Name string `json:"name,omitempty"`
}

// String spells a risk as --accept-risk takes it; empty for none.
func (r Risk) String() string {
	if r.Name == "" {
		return r.Code
	}
	return r.Code + ":" + r.Name
}

// Policy is what the operator allows.
type Policy struct {
	Strategy Strategy `json:"strategy"`
	// MinReplicas replaces the default Floor of every volume; 0 keeps it.
	MinReplicas int    `json:"minReplicas,omitempty"`
	Accepted    []Risk `json:"accepted,omitempty"`
	// Pause: every turn but the first begins only when somebody has approved it.
	Pause bool `json:"pause,omitempty"`

	// LeaseFresh is the oldest node lease that still speaks of the present.
	LeaseFresh time.Duration `json:"leaseFresh"`
	// ClockSkew is the margin within which times of different clocks cannot
	// be ordered.
	ClockSkew time.Duration `json:"clockSkew"`
	// LookInterval is the least time between the two looks of a gate.
	LookInterval time.Duration `json:"lookInterval"`
	// NoReplenishWait sets aside, for the roll, what makes the storage hold
	// rebuilds back in the hope that a failed replica returns.
	NoReplenishWait bool `json:"noReplenishWait,omitempty"`
	// LeaveAsJoined: a replacement keeps the labels, taints and storage tags that
	// it comes with, and gets none of the node before it.
	LeaveAsJoined bool `json:"leaveAsJoined,omitempty"`
	// MaxWoken bounds how many volumes are held awake at once.
	MaxWoken int `json:"maxWoken"`
	// MaxEvicted bounds how many detached volumes the storage may be made to
	// attach by moving replicas off a node: it attaches them all at once.
	MaxEvicted int `json:"maxEvicted"`
	// EvictBatch bounds how many pods are evicted in one pass.
	EvictBatch int `json:"evictBatch"`

	// The limits of the waits, each without progress.
	DrainLimit    time.Duration `json:"drainLimit"`
	EvacuateLimit time.Duration `json:"evacuateLimit"`
	RetireLimit   time.Duration `json:"retireLimit"`
	JoinLimit     time.Duration `json:"joinLimit"`
	RebuildLimit  time.Duration `json:"rebuildLimit"`
	SettleLimit   time.Duration `json:"settleLimit"`
	// LongestWait bounds every wait, with progress or without: a storage that
	// builds and throws away for ever makes progress too.
	LongestWait time.Duration `json:"longestWait"`
	// CommandLimit bounds one run of a retire, create, replace or reboot command.
	CommandLimit time.Duration `json:"commandLimit"`
}

// Default returns the policy without any flag. The look interval covers the
// default node monitor grace period (kube-controller-manager
// --node-monitor-grace-period, 50 s since Kubernetes 1.32, 40 s before): a
// machine that died right after the first look is NotReady, or its lease
// old, by the second. A hundred volumes that are attached together take some
// 15 GB of memory, among all nodes.
func Default() Policy {
	return Policy{
		Strategy:      Auto,
		LeaseFresh:    40 * time.Second,
		ClockSkew:     10 * time.Second,
		LookInterval:  50 * time.Second,
		MaxWoken:      5,
		MaxEvicted:    100,
		EvictBatch:    10,
		DrainLimit:    15 * time.Minute,
		EvacuateLimit: 30 * time.Minute,
		RetireLimit:   30 * time.Minute,
		JoinLimit:     60 * time.Minute,
		RebuildLimit:  30 * time.Minute,
		SettleLimit:   15 * time.Minute,
		LongestWait:   24 * time.Hour,
		CommandLimit:  60 * time.Minute,
	}
}

// LeastLookInterval is the shortest time between two looks that may be asked
// for. It only keeps two looks from being one: whatever the interval, every node
// that is relied upon must have renewed its lease in between, which takes a
// kubelet some ten seconds.
const LeastLookInterval = time.Second

// Validate reports the first field that makes no sense. No zero means for ever.
func (p Policy) Validate() error {
	switch p.Strategy {
	case Auto, Evict, Refill:
	default:
		return fmt.Errorf("strategy %q is none of auto, evict, refill", p.Strategy)
	}
	if p.MinReplicas < 0 {
		return errors.New("the fewest replicas cannot be negative")
	}
	if p.MaxWoken < 1 || p.MaxEvicted < 1 || p.EvictBatch < 1 {
		return errors.New("the numbers of woken and of evicted volumes and of pods in a pass must be at least 1")
	}
	if p.LookInterval < LeastLookInterval {
		return fmt.Errorf("the look interval must be at least %s: two looks at the same moment are one", LeastLookInterval)
	}
	for _, l := range p.limits() {
		if l.value <= 0 {
			return fmt.Errorf("%s must be longer than zero", l.name)
		}
	}
	return nil
}

type limit struct {
	name  string
	value time.Duration
}

func (p Policy) limits() []limit {
	return []limit{
		{"the lease freshness", p.LeaseFresh},
		{"the clock skew margin", p.ClockSkew},
		{"the drain limit", p.DrainLimit},
		{"the evacuation limit", p.EvacuateLimit},
		{"the retirement limit", p.RetireLimit},
		{"the join limit", p.JoinLimit},
		{"the rebuild limit", p.RebuildLimit},
		{"the settle limit", p.SettleLimit},
		{"the longest wait", p.LongestWait},
		{"the command limit", p.CommandLimit},
	}
}

// Accepts reports whether the operator accepted the finding code for the named
// subject.
func (p Policy) Accepts(code, name string) bool {
	for _, r := range p.Accepted {
		if r.Code == code && (r.Name == "" || r.Name == name) {
			return true
		}
	}
	return false
}

// AcceptsByName reports whether the operator accepted the finding code for the
// named subject and no other.
func (p Policy) AcceptsByName(code, name string) bool {
	return name != "" && slices.Contains(p.Accepted, Risk{Code: code, Name: name})
}

// Floor is the number of good replicas that a volume keeps while a node is
// out: want replicas are configured, need of them hold the data.
func (p Policy) Floor(want, need int) int {
	if p.MinReplicas > 0 {
		return max(need, min(want, p.MinReplicas))
	}
	return max(need, min(want, max(2, want-1)))
}
