// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// policyFlags are the flags that make a policy.
type policyFlags struct {
	policy policy.Policy
	risks  []string
}

func newPolicyFlags() *policyFlags { return &policyFlags{policy: policy.Default()} }

// judging adds what changes a judgement.
func (p *policyFlags) judging(f *pflag.FlagSet) {
	f.IntVar(&p.policy.MinReplicas, "min-replicas", 0,
		"good replicas that a volume keeps while a node is out (default: 2, or all but one, whichever is more)")
	f.StringArrayVar(&p.risks, "accept-risk", nil,
		"accept one finding by its name, CODE or CODE:NAME; may be given more than once. Losing the last good replica cannot be accepted")
}

// rolling adds what changes a roll.
func (p *policyFlags) rolling(f *pflag.FlagSet) {
	p.judging(f)
	f.StringVar((*string)(&p.policy.Strategy), "strategy", string(p.policy.Strategy),
		"how a node's replicas survive: evict (moved away first), refill (rebuilt afterwards), or auto (per node, from the forecast)")
	f.BoolVar(&p.policy.NoReplenishWait, "no-replenish-wait", false,
		"for the time of the roll, do not have the storage hold rebuilds back in the hope that a failed replica returns")
	f.BoolVar(&p.policy.LeaveAsJoined, "leave-as-joined", false,
		"do not give a replacement the labels, taints and storage tags of the node before it")
	f.IntVar(&p.policy.MaxWoken, "max-woken", p.policy.MaxWoken, "detached volumes held awake at once")
	f.IntVar(&p.policy.MaxEvicted, "max-evicted", p.policy.MaxEvicted,
		"detached volumes that moving replicas off one node may make the storage attach, all at once")
	f.DurationVar(&p.policy.LookInterval, "look-interval", p.policy.LookInterval,
		"least time between the two looks before anything irreversible, at least 1s; shorter than the node monitor grace period a dead node may go unseen")
	f.DurationVar(&p.policy.DrainLimit, "drain-limit", p.policy.DrainLimit, "longest time without progress while pods leave")
	f.DurationVar(&p.policy.EvacuateLimit, "evacuate-limit", p.policy.EvacuateLimit, "longest time without progress while replicas are moved away")
	f.DurationVar(&p.policy.RetireLimit, "retire-limit", p.policy.RetireLimit, "longest wait for the old node to be gone")
	f.DurationVar(&p.policy.JoinLimit, "join-limit", p.policy.JoinLimit, "longest wait for the replacement to be ready")
	f.DurationVar(&p.policy.RebuildLimit, "rebuild-limit", p.policy.RebuildLimit, "longest time without progress while replicas are rebuilt")
	f.DurationVar(&p.policy.SettleLimit, "settle-limit", p.policy.SettleLimit, "longest time without progress in every other wait")
	f.DurationVar(&p.policy.CommandLimit, "command-limit", p.policy.CommandLimit, "longest time for one run of a command")
}

// complete parses the named risks, and validate checks the whole.
func (p *policyFlags) complete() error {
	for _, r := range p.risks {
		code, name, named := strings.Cut(r, ":")
		if !strings.Contains(code, "/") || strings.ContainsAny(code, " ,") {
			return usagef("--accept-risk=%s: a risk is a code such as volume/one-copy-left, or CODE:NAME", r)
		}
		if err := acceptable(code); err != nil {
			return err
		}
		if named && strings.TrimSpace(name) == "" {
			return usagef("--accept-risk=%s: the name is empty, and without one it would be accepted for all; leave out the colon if that is meant", r)
		}
		p.policy.Accepted = append(p.policy.Accepted, policy.Risk{Code: code, Name: name})
	}
	return nil
}

// acceptable refuses a flag that would change nothing: whoever gives it believes
// that it does.
func acceptable(code string) error {
	var codes []string
	for _, r := range risks() {
		if r.Code == code {
			return nil
		}
		codes = append(codes, r.Code)
	}
	if near := nearest(code, codes); near != "" {
		return usagef("--accept-risk=%s: there is no such risk; did you mean %s?", code, near)
	}
	slices.Sort(codes)
	return usagef("--accept-risk=%s: no flag accepts that; what can be accepted is %s", code, strings.Join(codes, ", "))
}

func (p *policyFlags) validate() error {
	if err := p.policy.Validate(); err != nil {
		return usage(fmt.Errorf("flags: %w", err))
	}
	return nil
}

// kubectlDrainFlags are flags of kubectl drain that people type by habit; each
// is answered with what to use instead.
func kubectlDrainFlags() map[string]string {
	return map[string]string{
		"ignore-daemonsets":    "leave --ignore-daemonsets out: pods of DaemonSets always stay",
		"delete-emptydir-data": "there is no --delete-emptydir-data: a refusal names the pods whose emptyDir would be lost, and --accept-risk=pod/emptydir-data:NAMESPACE/NAME accepts one",
		"force":                "there is no --force: a refusal names its risk, and --accept-risk=CODE accepts that one, where it can be accepted",
	}
}

// addHabits registers them, hidden.
func addHabits(f *pflag.FlagSet) {
	for name := range kubectlDrainFlags() {
		f.Bool(name, false, "a flag of kubectl drain")
		if err := f.MarkHidden(name); err != nil {
			panic(err) // the flag was added a line above
		}
	}
}

// refuseHabits answers the first of them that was given.
func refuseHabits(f *pflag.FlagSet) error {
	for _, name := range []string{"ignore-daemonsets", "delete-emptydir-data", "force"} {
		if f.Changed(name) {
			return usagef("%s", kubectlDrainFlags()[name])
		}
	}
	return nil
}
