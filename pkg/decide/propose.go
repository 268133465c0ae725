// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"
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
	Policy   policy.Policy
}

// Propose makes a plan from a judgement: the nodes in the order given, and for
// each the strategy that can end. Findings are the reasons to refuse before
// anything is touched; with any of them the plan must not be run.
func Propose(j *assess.Judgement, req Request, placers map[string]forecast.Placer) (Plan, []assess.Finding) {
	p := Plan{
		Run: req.Run, Goal: req.Goal, Commands: req.Commands,
		Selector: req.Selector, Policy: req.Policy,
	}
	refused := Incurable(j)
	p.Heals = len(Mendable(j))
	refused = append(refused, othersOut(j, req.Policy, own(req.Nodes))...)
	seen := map[cluster.NodeRef]bool{}
	for _, ref := range req.Nodes {
		if seen[ref] {
			refused = append(refused, nodeFinding(CodeNodeTwice, ref.Name, "node "+ref.Name+" was named twice"))
			continue
		}
		seen[ref] = true
		t, fs := proposeTurn(j, req, placers, ref)
		p.Turns = append(p.Turns, t)
		refused = append(refused, fs...)
	}
	return p, refused
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

func proposeTurn(j *assess.Judgement, req Request, placers map[string]forecast.Placer, ref cluster.NodeRef) (PlannedTurn, []assess.Finding) {
	t := PlannedTurn{Node: ref}
	if n := j.Snapshot.NodeByUID(ref.UID); n != nil {
		t.ProviderID, t.Roles = n.ProviderID, roles(n.Labels)
	}
	refused := assess.Drain(j.Snapshot, req.Policy, ref).Blocked
	t.Forecast = forecast.Evacuation(j.Snapshot, placers, ref.Name)
	t.Strategy, t.Why = req.Policy.Strategy, "it was asked for"
	if t.Strategy == policy.Auto {
		t.Strategy, t.Why = policy.Evict, fmt.Sprintf("all %d replicas on it fit elsewhere", len(t.Forecast.Placed))
		if !t.Forecast.Fits() {
			t.Strategy = policy.Refill
			t.Why = fmt.Sprintf("%d of %d replicas on it fit nowhere else", len(t.Forecast.Stuck),
				len(t.Forecast.Stuck)+len(t.Forecast.Placed))
		}
	}
	switch {
	case t.Strategy == policy.Evict && !t.Forecast.Fits():
		refused = append(refused, stuck(t.Forecast)...)
	case t.Strategy == policy.Refill:
		refused = append(refused, refillRefused(j, req, t)...)
	}
	return t, refused
}

// refillRefused: without room elsewhere, every volume must keep its Floor
// without the node, and lost replicas must be cleaned up between its going and
// its coming.
func refillRefused(j *assess.Judgement, req Request, t PlannedTurn) []assess.Finding {
	var out []assess.Finding
	// What is mended first is asked about again when it is whole.
	if fs := besides(worst(j.MayDrain(t.Node).Findings), Mendable(j)); len(fs) > 0 {
		out = append(out, fs...)
		out = append(out, stuck(t.Forecast)...)
	}
	if req.Commands.Replace != "" {
		out = append(out, nodeFinding(CodeReplace, t.Node.Name,
			"replicas stay on "+t.Node.Name+" until it goes ("+t.Why+"), and --replace-command leaves no moment to clean up after them"))
	}
	return out
}

func stuck(f forecast.Forecast) []assess.Finding {
	var out []assess.Finding
	for _, p := range f.Stuck {
		out = append(out, assess.Finding{
			Code: CodeNoRoom, Severity: assess.Danger,
			Subject: assess.Subject{Kind: "Volume", Name: p.Volume},
			Message: fmt.Sprintf("replica %s of volume %s cannot leave %s: %s", p.Replica, p.Volume, f.Node, p.Why),
		})
	}
	return out
}

func nodeFinding(code, node, message string) assess.Finding {
	return assess.Finding{
		Code: code, Severity: assess.Danger,
		Subject: assess.Subject{Kind: "Node", Name: node}, Message: message,
	}
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
