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
// still be on its way. Once all that can be rebuilt is, it halts as well where a
// replacement came that is too small for the rest. Everything else passes
// through.
func (p Plan) Reforecast(d Decision, j *assess.Judgement, m Memory, placers map[string]forecast.Placer) Decision {
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
		switch {
		case d.Phase == Evacuate && changed():
			t = p.moving(j)
		case d.Phase == Rebuild && p.foreseen(j, m) != p.Replacement:
			return tooSmall(d, j, m.replacements(j), placers)
		}
	}
	if t == nil || t.Strategy == policy.Stay {
		return d
	}
	course := forecast.Begin(j.Snapshot, placers)
	f, what := course.Evict(t.Node.Name), "cannot leave "+t.Node.Name
	if t.Strategy == policy.Refill {
		f, what = course.Refill(t.Node.Name, p.foreseen(j, m)), "could not be rebuilt after "+t.Node.Name+" has gone"
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
		Reason: fmt.Sprintf("the turn of %s could no longer end as planned: %s", t.Node.Name, clause(fs[0].Message)),
		Remedy: "take one of the ways out, then run the same command again; abort puts back what was changed",
	}
}

// tooSmall halts a rebuild of which nothing goes on and nothing more fits, where
// larger disks in the replacements are all that it lacks, of which one came
// smaller than was foreseen: no waiting makes a disk grow.
func tooSmall(w Wait, j *assess.Judgement, came map[string]bool, placers map[string]forecast.Placer) Decision {
	gone := map[cluster.UID]bool{}
	for i := range j.Volumes {
		for _, r := range j.Volumes[i].Replicas {
			switch r.Standing {
			case cluster.StandingRebuilding, cluster.StandingUnknown, cluster.StandingUnproven:
				return w // it may go on by itself
			case cluster.StandingAbsent:
				gone[r.Replica.UID] = true
			default: // it is where it is, and goes on by nothing
			}
		}
	}
	course := forecast.Begin(j.Snapshot, placers)
	f := course.Heal(gone, nil)
	if f.Fits() || len(f.Placed) > 0 {
		return w
	}
	size := course.DisksFor(came)
	if size == 0 {
		return w
	}
	var fs []assess.Finding
	for _, at := range f.Stuck {
		fs = append(fs, stuckFinding(CodeNoRebuild, at, "a replica of volume "+at.Volume+" cannot be rebuilt"))
	}
	return Halt{
		Phase: Rebuild, Exit: exitOf(fs), Findings: fs,
		Reason: fmt.Sprintf("the replacements have less space than was foreseen, and there is no place for %s: %s", Many(len(fs), "replica"), fs[0].Message),
		Remedy: fmt.Sprintf("give the nodes that have joined disks of %d GiB or more, or add a node; then run the same command again", size>>30),
	}
}

// mayCome waits for a place for every replica, for a limited time.
func (p Plan) mayCome(t *PlannedTurn, fs []assess.Finding) Decision {
	return Wait{
		Phase: Preflight, For: "a place for every replica before the turn of " + t.Node.Name,
		Left: messages(fs), Progress: fmt.Sprint(len(fs)),
		Limit: p.Policy.SettleLimit, LimitName: "settle limit",
		Stuck: "kubectl safe-roll plan " + t.Node.Name + " shows the ways out; where volumes have come since the plan, " +
			"kubectl safe-roll abort and a new plan take them into account",
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

// foreseen is what the replacements to come will be like: as was said, unless
// one came with a disk that is smaller than that, or than the one at its path
// before it; it shows what the others will be. File systems of one size differ
// by less than a hundredth.
func (p Plan) foreseen(j *assess.Judgement, m Memory) forecast.Replacement {
	r := p.Replacement
	for i := range m.Turns {
		t := &m.Turns[i]
		if t.Open.Had == nil || j.Snapshot.NodeByUID(t.Joined.UID) == nil {
			continue
		}
		for k := range j.Snapshot.Storages {
			st := &j.Snapshot.Storages[k]
			for _, d := range disksOf(st, t.Joined.Name) {
				said := t.Open.Had.Storage[st.Driver].Disks[d.Path].Maximum
				if p.Replacement.Disk > 0 && (said == 0 || said > p.Replacement.Disk) {
					said = p.Replacement.Disk
				}
				if d.Maximum > 0 && d.Maximum < said-said/100 && (r.Disk == 0 || d.Maximum < r.Disk) {
					r.Disk = d.Maximum
				}
			}
		}
	}
	return r
}

// replacements names the nodes that have joined in the turns so far, and are
// there.
func (m *Memory) replacements(j *assess.Judgement) map[string]bool {
	out := map[string]bool{}
	for i := range m.Turns {
		if n := m.Turns[i].Joined; n.UID != "" && j.Snapshot.NodeByUID(n.UID) != nil {
			out[n.Name] = true
		}
	}
	return out
}

func disksOf(st *cluster.Storage, node string) []cluster.Disk {
	for i := range st.Nodes {
		if st.Nodes[i].Name == node {
			return st.Nodes[i].Disks
		}
	}
	return nil
}
