// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// Reforecast asks again whether a turn can end, where its plan may not hold any
// more: when the turn is about to open, in the cluster as the turns before it
// really left it, with the replacements that really came; and while replicas
// are moved away, if a setting that decides placement has been changed since
// the plan was made. Where it cannot end it returns, in the place of the
// decision, a Halt if a setting was changed, else a Wait: what is missing may
// still be on its way. Everything else passes through.
func Reforecast(d Decision, p Plan, j *assess.Judgement, placers map[string]forecast.Placer) Decision {
	if len(placers) == 0 {
		return d
	}
	changed := func() bool { return p.Settings != "" && p.Settings != settingsOf(j.Snapshot) }
	var t *PlannedTurn
	switch d := d.(type) {
	case Remember:
		if d.Note.Kind == TurnOpened {
			t = p.turnOf(d.Note.Node)
		}
	case Wait:
		if d.Phase == Evacuate && changed() {
			t = p.moving(j)
		}
	}
	if t == nil || t.Strategy == policy.Stay {
		return d
	}
	course := forecast.Begin(j.Snapshot, placers)
	f, what := course.Evict(t.Node.Name), "cannot leave "+t.Node.Name
	if t.Strategy == policy.Refill {
		f, what = course.Refill(t.Node.Name, p.joined(j)), "could not be rebuilt after "+t.Node.Name+" has gone"
	}
	if f.Fits() {
		return d
	}
	var fs []assess.Finding
	for _, at := range course.WaysOut(f).Stuck {
		fs = append(fs, stuckFinding(CodeChanged, at, replicaOf(at)+" "+what))
	}
	if !changed() {
		return p.mayCome(t, fs)
	}
	return Halt{
		Phase: Preflight, Exit: exitOf(fs), Findings: fs,
		Reason: fmt.Sprintf("the turn of %s could no longer end as planned: %s", t.Node.Name, fs[0].Message),
		Remedy: "take one of the ways out, then run the same command again; abort puts back what was changed",
	}
}

// mayCome waits for a place for every replica, for a limited time.
func (p Plan) mayCome(t *PlannedTurn, fs []assess.Finding) Decision {
	return Wait{
		Phase: Preflight, For: "a place for every replica before the turn of " + t.Node.Name,
		Left: messages(fs), Progress: fmt.Sprint(len(fs)),
		Limit: p.Policy.SettleLimit, LimitName: "settle limit",
		Stuck: "kubectl safe-roll plan " + t.Node.Name + " shows the ways out",
	}
}

func (p Plan) turnOf(ref cluster.NodeRef) *PlannedTurn {
	for i := range p.Turns {
		if p.Turns[i].Node == ref {
			return &p.Turns[i]
		}
	}
	return nil
}

// moving is the turn whose node the storage is told to empty.
func (p Plan) moving(j *assess.Judgement) *PlannedTurn {
	for i := range p.Turns {
		t := &p.Turns[i]
		if t.Strategy != policy.Evict || j.Snapshot.NodeByUID(t.Node.UID) == nil {
			continue
		}
		for k := range j.Snapshot.Storages {
			for _, sn := range j.Snapshot.Storages[k].Nodes {
				if sn.Name == t.Node.Name && sn.Placement.Evacuate {
					return t
				}
			}
		}
	}
	return nil
}

// joined is what the replacements to come will be like: as large as the
// smallest node of the plan is now, if that is smaller than what was foreseen;
// the first replacement shows what the others will be.
func (p Plan) joined(j *assess.Judgement) forecast.Replacement {
	r := p.Replacement
	old := map[string]bool{}
	for _, t := range p.Turns {
		old[t.Node.Name] = j.Snapshot.NodeByUID(t.Node.UID) == nil
	}
	for k := range j.Snapshot.Storages {
		for _, sn := range j.Snapshot.Storages[k].Nodes {
			for _, d := range sn.Disks {
				if old[sn.Name] && d.Maximum > 0 && (r.Disk == 0 || d.Maximum < r.Disk) {
					r.Disk = d.Maximum
				}
			}
		}
	}
	return r
}
