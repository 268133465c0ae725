// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// rebuild waits until every volume has its configured replicas again, and no
// object of one that is gone is in the way. It wakes the sleeping ones, which
// the storage would leave as they are.
func (t *tick) rebuild() Decision {
	var left []string
	var parts []Part
	var blind, stuck []assess.Finding
	for i := range t.j.Volumes {
		v := &t.j.Volumes[i]
		if v.Waived || t.fullyRebuilt(v) {
			if d := t.letSleep(v); d != nil {
				return d
			}
			continue
		}
		if v.Condition == assess.Lost && !mayComeBack(v) {
			return t.refuse(v.Findings, "do not start workloads on volume "+v.Volume.Name+"; keep every disk and orphaned directory, and look for backups")
		}
		if f, ok := together(v); ok && !haunted(t.j, v) {
			stuck = append(stuck, f)
			if d := t.letSleep(v); d != nil {
				return d
			}
			continue
		}
		if d := t.refill(v); d != nil {
			return d
		}
		p := t.part(v)
		parts = append(parts, p)
		left = append(left, p.line(fmt.Sprintf("%d of %d replicas good, %s", v.Good, v.Volume.Want, v.Word())))
		if f := t.blocked(v); f != nil {
			blind = append(blind, *f)
		}
	}
	switch {
	case len(left) == 0 && len(stuck) > 0:
		return Halt{
			Exit: exitOf(stuck), Reason: stuck[0].Message, Findings: stuck,
			Remedy: "delete one of the two replicas, never both: the storage builds another on a node that has none; then run the same command again",
		}
	case len(left) == 0:
		return t.nobodyAwake()
	}
	if d := t.prune(); d != nil {
		return d
	}
	if len(blind) == len(left) {
		// Nothing else is left to be done, and no time will do this.
		return t.refuse(blind, "run the same command again with --probe; start no workload that uses these volumes before")
	}
	return t.waitForVolumes(Many(len(left), "volume")+" to be rebuilt", left, parts)
}

// blocked says which replica keeps a sleeping volume from ever being opened: one
// whose machine's name is there again, and of which nobody has looked whether
// anything is left. Nil where nothing does, or somebody is looking.
func (t *tick) blocked(v *assess.VolumeJudgement) *assess.Finding {
	if v.Volume.State != cluster.Detached || t.plan.Probe {
		return nil
	}
	for i := range v.Replicas {
		if r := &v.Replicas[i]; phantom(r) && r.Replica.Probe == nil && !provenGone(t.j, r) && t.live(r.Replica.Node) {
			f := needsProbe(v, r)
			return &f
		}
	}
	return nil
}

// fullyRebuilt reports whether the volume needs nothing more.
func (t *tick) fullyRebuilt(v *assess.VolumeJudgement) bool {
	switch v.Condition {
	case assess.Whole, assess.Unused, assess.Going:
		return !haunted(t.j, v)
	default:
		return false
	}
}

// mayComeBack: a replica is being written or cannot be judged now.
func mayComeBack(v *assess.VolumeJudgement) bool {
	for _, r := range v.Replicas {
		if s := r.Standing; s == cluster.StandingUnknown || s == cluster.StandingUnproven || s == cluster.StandingRebuilding {
			return true
		}
	}
	return false
}

// settle closes the turn when every volume is whole in two looks and every
// node is live.
func (t *tick) settle() Decision {
	if d := t.othersLive(); d != nil {
		return d
	}
	what := "every volume is whole"
	p := assess.Permit{Verdict: t.j.Verdict, Findings: worst(t.j.Findings)}
	if d := t.permitted(GateSettle, p, what); d != nil {
		return d
	}
	how := "replaced by " + t.turn.Joined.Name
	if t.plan.Goal.Reboots() {
		how = "rebooted"
	}
	return Remember{Note: Note{
		Kind: TurnClosed, Node: t.planned.Node,
		Says: fmt.Sprintf("%s was %s; every volume has its replicas on live nodes", t.node(), how),
	}}
}
