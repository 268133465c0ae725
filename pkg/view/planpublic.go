// SPDX-License-Identifier: Apache-2.0

package view

import (
	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
)

// Public returns the plan as the public type.
func (a Plan) Public() v1alpha1.Plan {
	e := a.Proposal.Estimate(a.Rate)
	out := v1alpha1.Plan{
		APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindPlan,
		Verdict: verdict(a.Proposal.Verdict()), ObservedAt: Answer{Judgement: a.Judgement}.observedAt(), Summary: a.Summary(),
		Estimate: v1alpha1.Estimate{Seconds: int64(e.Took.Seconds()), Bytes: e.Bytes, Basis: e.Basis},
		Heal:     a.heal(), Turns: []v1alpha1.PlanTurn{},
		Findings: a.Catalogue.Findings(a.Proposal.Refused), Notes: a.Catalogue.Findings(a.Proposal.Notes), NotConsidered: a.notConsidered(),
	}
	for i, t := range a.Proposal.Turns {
		out.Turns = append(out.Turns, a.turn(a.Proposal.Plan.Turns[i], t))
	}
	return out
}

func (a Plan) heal() *v1alpha1.PlanHeal {
	if a.Proposal.Plan.Heals == 0 {
		return nil
	}
	out := &v1alpha1.PlanHeal{Prunes: []v1alpha1.PlanPrune{}, Volumes: a.placements(a.Proposal.Heals)}
	for _, x := range a.Proposal.Prunes {
		out.Prunes = append(out.Prunes, v1alpha1.PlanPrune(x))
	}
	return out
}

func (a Plan) turn(t decide.PlannedTurn, f decide.TurnForecast) v1alpha1.PlanTurn {
	out := v1alpha1.PlanTurn{
		Node: t.Node.Name, UID: string(t.Node.UID), Strategy: string(t.Strategy), Why: t.Why,
		Replicas: t.Replicas, Bytes: t.Bytes, Seconds: int64(a.Proposal.EstimateOf(t, a.Rate).Took.Seconds()), Detached: f.Asleep,
		Volumes: a.placements(f.Chosen(t.Strategy)), Pods: []v1alpha1.PlanPod{}, Budgets: []v1alpha1.PlanBudget{},
	}
	for _, x := range f.Pods {
		out.Pods = append(out.Pods, v1alpha1.PlanPod{
			Namespace: x.Pod.Namespace, Name: x.Pod.Name, Owner: x.Owner, Only: x.Only,
			EmptyDir: x.EmptyDir, HostPath: x.HostPath, FitsNowhere: x.Nowhere,
		})
	}
	for _, b := range f.Budget {
		hold := v1alpha1.PlanBudget{Namespace: b.Namespace, Name: b.Name, Never: b.Never, Why: b.Why, Pods: []string{}}
		for _, p := range b.Pods {
			hold.Pods = append(hold.Pods, p.Name)
		}
		out.Budgets = append(out.Budgets, hold)
	}
	return out
}

func (a Plan) placements(f forecast.Forecast) []v1alpha1.PlanVolume {
	out := []v1alpha1.PlanVolume{}
	for _, x := range append(append([]forecast.Placement(nil), f.Stuck...), f.Placed...) {
		out = append(out, a.volumeOf(x))
	}
	return out
}

// volumeOf is one placement with what people know the volume by.
func (a Plan) volumeOf(x forecast.Placement) v1alpha1.PlanVolume {
	out := v1alpha1.PlanVolume{Name: x.Volume, Replica: x.Replica, Node: x.Node, Disk: x.Disk, Bytes: x.Bytes, Why: x.Why}
	for _, w := range x.Ways {
		out.Ways = append(out.Ways, v1alpha1.Way{Kind: string(w.Kind), Says: w.Says})
	}
	if v := a.Judgement.Volume(x.Volume); v != nil {
		out.Namespace, out.Claim, out.Detached = v.ClaimNamespace, v.ClaimName, v.Volume.State == cluster.Detached
	}
	return out
}
