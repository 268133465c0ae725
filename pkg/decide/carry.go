// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"
	"slices"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// Carry is how a request relates to a roll that is in flight.
type Carry uint8

// The relations.
const (
	// CarryRefused: another roll must be ended first, or the flags differ.
	CarryRefused Carry = iota
	// CarryResume: go on with the stored plan.
	CarryResume
	// CarryWiden: go on with the widened plan that is returned.
	CarryWiden
	// CarryFresh: nothing stands in the way of a new plan.
	CarryFresh
)

// CarryOn decides what a request means while the journal holds a roll that is
// not over. names are the nodes as they were asked for; empty means whatever
// is in flight. The stored plan and policy rule: what differs is refused, and
// the sentence shows both values.
func CarryOn(stored Plan, m Memory, names []string, req Request) (Carry, Plan, string) {
	open := m.Current()
	have := planned(stored)
	if len(names) > 0 && !slices.Equal(sorted(names), sorted(have)) {
		if open == nil && len(m.Undo) == 0 && m.Open == nil {
			return CarryFresh, Plan{}, ""
		}
		where := strings.Join(have, ", ")
		if open != nil {
			where = open.Node.Name
		}
		return CarryRefused, Plan{}, fmt.Sprintf(
			"a turn of node %s is not finished; run kubectl safe-roll run %s (or abort) before %s",
			where, strings.Join(have, " "), strings.Join(names, ", "))
	}
	if diff := differs(stored, req); diff != "" {
		return CarryRefused, Plan{}, diff
	}
	if stored.Goal.StaysOpen() && !req.Goal.StaysOpen() {
		wide := stored
		wide.Goal, wide.Commands, wide.Selector = req.Goal, req.Commands, req.Selector
		for _, t := range wide.Turns {
			if t.Strategy == policy.Refill && wide.Commands.Replace != "" {
				return CarryRefused, Plan{}, "replicas stay on " + t.Node.Name +
					" until it goes, so use --retire-command with --create-command, not --replace-command"
			}
		}
		return CarryWiden, wide, ""
	}
	return CarryResume, stored, ""
}

// differs says which flag contradicts the stored plan; a flag left at its
// default contradicts nothing.
func differs(stored Plan, req Request) string {
	if !stored.Goal.StaysOpen() && req.Goal.StaysOpen() {
		return "a run of " + strings.Join(planned(stored), ", ") + " is in flight; go on with kubectl safe-roll run"
	}
	type pair struct{ flag, have, want string }
	pairs := []pair{{"--strategy", string(stored.Policy.Strategy), string(req.Policy.Strategy)}}
	if req.Policy.Strategy == policy.Auto {
		pairs = nil
	}
	if stored.Goal.Reboots() != req.Goal.Reboots() {
		pairs = append(pairs, pair{"--for", purpose(stored.Goal), purpose(req.Goal)})
	}
	if !stored.Goal.StaysOpen() {
		pairs = append(pairs,
			pair{"--reboot-command", stored.Commands.Reboot, req.Commands.Reboot},
			pair{"--retire-command", stored.Commands.Retire, req.Commands.Retire},
			pair{"--create-command", stored.Commands.Create, req.Commands.Create},
			pair{"--replace-command", stored.Commands.Replace, req.Commands.Replace})
	}
	if req.Policy.MinReplicas != 0 {
		pairs = append(pairs, pair{"--min-replicas", fmt.Sprint(stored.Policy.MinReplicas), fmt.Sprint(req.Policy.MinReplicas)})
	}
	for _, risk := range req.Policy.Accepted {
		if !slices.Contains(stored.Policy.Accepted, risk) {
			pairs = append(pairs, pair{"--accept-risk", risks(stored.Policy.Accepted), risks(req.Policy.Accepted)})
			break
		}
	}
	for _, p := range pairs {
		if p.want != "" && p.want != p.have {
			return fmt.Sprintf("the roll in flight has %s %q and this command says %q; leave the flag out, or abort first", p.flag, p.have, p.want)
		}
	}
	return ""
}

// purpose spells what the machine goes for, as the flag does.
func purpose(g Goal) string {
	if g.Reboots() {
		return "reboot"
	}
	return "replacement"
}

// risks spells the accepted risks as the flag does.
func risks(all []policy.Risk) string {
	words := make([]string, 0, len(all))
	for _, r := range all {
		words = append(words, strings.TrimSuffix(r.Code+":"+r.Name, ":"))
	}
	return strings.Join(words, ", ")
}

func planned(p Plan) []string {
	out := make([]string, 0, len(p.Turns))
	for _, t := range p.Turns {
		out = append(out, t.Node.Name)
	}
	return out
}

func sorted(names []string) []string {
	return slices.Sorted(slices.Values(names))
}
