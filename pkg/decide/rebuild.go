// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// rebuild waits until every volume has its configured replicas again, and
// wakes the detached ones, which the storage would leave as they are.
func (t *tick) rebuild() Decision {
	var left []string
	woken := t.woken()
	for i := range t.j.Volumes {
		v := &t.j.Volumes[i]
		switch v.Condition {
		case assess.Whole, assess.Unused, assess.Going:
			if haunted(v) {
				break // woken so that a sibling is proven, and the phantom pruned
			}
			if d := t.letSleep(v); d != nil {
				return d
			}
			continue
		case assess.Lost:
			if !mayComeBack(v) {
				return t.refuse(v.Findings, "do not start workloads on volume "+v.Volume.Name+"; keep every disk and orphaned directory, and look for backups")
			}
		case assess.Degraded, assess.Busy, assess.ConditionUnknown:
			// Waited for below.
		}
		left = append(left, fmt.Sprintf("volume %s: %d of %d replicas good, %s", v.Volume.Name, v.Good, v.Volume.Want, v.Condition))
		if d := t.wake(v, woken); d != nil {
			return d
		}
	}
	if len(left) > 0 {
		return t.waitForVolumes(fmt.Sprintf("%d volumes to be rebuilt", len(left)), left)
	}
	return t.nobodyAwake()
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
	if d := t.onlyOneOut(); d != nil {
		return d
	}
	what := "every volume is whole"
	p := assess.Permit{Verdict: t.j.Verdict, Findings: worst(t.j.Findings)}
	if d := t.permitted(GateSettle, p, what); d != nil {
		return d
	}
	return Remember{Note: Note{
		Kind: TurnClosed, Node: t.planned.Node,
		Says: fmt.Sprintf("%s was replaced by %s; every volume has its replicas on live nodes", t.node(), t.turn.Joined.Name),
	}}
}
