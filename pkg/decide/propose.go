// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// Request is what somebody asks for.
type Request struct {
	// Run is a new roll's identity.
	Run      string
	Goal     Goal
	Nodes    []cluster.NodeRef
	Commands Commands
	Selector map[string]string
	// Order is how the nodes are ordered; empty for as given.
	Order Order
	// Replacement is what is known beforehand of the machines to come.
	Replacement forecast.Replacement
	// Probe: directories of replicas are looked into.
	Probe  bool
	Policy policy.Policy
}

// Proposal is a plan, whether it may be run, and what it would do to whom.
type Proposal struct {
	Plan Plan
	// Refused are the reasons to refuse before anything is touched; with any of
	// them the plan must not be run.
	Refused []assess.Finding
	// Notes are what somebody should know; they refuse nothing.
	Notes []assess.Finding
	// Heals is where the replicas go that volumes lack now, before the first
	// turn, and Prunes what is taken away first.
	Heals  forecast.Forecast
	Prunes []Pruned
	// Turns are in the order of the plan's.
	Turns []TurnForecast
}

// Pruned is a replica object whose data are gone, and which healing takes away.
type Pruned struct {
	Volume, Replica, Node string
	// Code is why its data are gone.
	Code string
}

// TurnForecast is what one turn of the plan would do.
type TurnForecast struct {
	// Evict is where its replicas would go while the node is alive, with the
	// ways out of what fits nowhere; Refill where they would be rebuilt after
	// it went. Refill is asked only where it was chosen or tried.
	Evict, Refill forecast.Forecast
	// Asleep is how many detached volumes have a replica on the node.
	Asleep int
	Pods   []Disruption
	Budget []BudgetHold
}

// Chosen is the forecast of the strategy that the plan has.
func (t TurnForecast) Chosen(s policy.Strategy) forecast.Forecast {
	switch s {
	case policy.Evict:
		return t.Evict
	case policy.Refill:
		return t.Refill
	default:
		return forecast.Forecast{} // what stays goes nowhere
	}
}

// Verdict is Safe where nothing refuses the plan.
func (p Proposal) Verdict() cluster.Verdict {
	v := cluster.Safe
	for _, f := range p.Refused {
		switch f.Severity {
		case assess.Danger:
			v = v.Worse(cluster.Unsafe)
		case assess.Unclear:
			v = v.Worse(cluster.VerdictUnknown)
		case assess.Note:
		}
	}
	return v
}

// Propose makes a plan from a judgement. Findings are the reasons to refuse
// before anything is touched; with any of them the plan must not be run.
func Propose(j *assess.Judgement, req Request, placers map[string]forecast.Placer) (Plan, []assess.Finding) {
	p := Draft(j, req, placers)
	return p.Plan, p.Refused
}

// Draft makes a plan from a judgement, and says what it would do: the nodes in
// their order, and for each the strategy that can end, in the cluster as the
// turns before it would leave it. It is what plan shows and what run runs.
func Draft(j *assess.Judgement, req Request, placers map[string]forecast.Placer) Proposal {
	d := &draft{
		j: j, req: req, placers: placers, course: forecast.Begin(j.Snapshot, placers),
		p: Proposal{Plan: Plan{
			Run: req.Run, Goal: req.Goal, Commands: req.Commands, Selector: req.Selector,
			Replacement: req.Replacement, Probe: req.Probe, Settings: settingsOf(j.Snapshot), Policy: req.Policy,
		}},
	}
	d.refuse(Incurable(j)...)
	d.refuse(othersOut(j, req.Policy, own(req.Nodes))...)
	d.refuse(markedToGo(j, req.Policy, func(cluster.NodeRef) bool { return true })...)
	d.refuse(d.unread()...)
	d.refuse(d.notLost()...)
	d.heal()
	seen := map[cluster.NodeRef]bool{}
	for _, ref := range d.ordered(req.Nodes) {
		if seen[ref] {
			d.refuse(nodeFinding(CodeNodeTwice, ref.Name, "node "+ref.Name+" was named twice", cluster.Fact{Name: "node.uid", Value: string(ref.UID)}))
			continue
		}
		seen[ref] = true
		d.turn(ref)
	}
	return d.p
}

// own are the nodes that the plan itself takes out: each is judged when its
// turn comes, so a planned node that is out now is refused too, unless it is
// the only one.
func own(refs []cluster.NodeRef) map[cluster.UID]bool {
	m := map[cluster.UID]bool{}
	if len(refs) == 1 {
		m[refs[0].UID] = true
	}
	return m
}

// roles are the labels that say what a node is for.
func roles(labels map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range labels {
		if strings.HasPrefix(k, "node-role.kubernetes.io/") {
			out[k] = v
		}
	}
	return out
}
