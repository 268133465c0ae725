// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"
	"slices"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// part tells of one volume that is waited for: what shows its progress, and
// what keeps it.
func (t *tick) part(v *assess.VolumeJudgement) Part {
	why, idle := t.keeps(v)
	return Part{Name: "volume " + v.Volume.Name, Token: token(v), Why: why, Idle: idle}
}

// line is the part for people.
func (p Part) line(what string) string {
	if p.Why == "" {
		return p.Name + ": " + what
	}
	return p.Name + ": " + what + ": " + p.Why
}

// token shows the progress of one volume: its state, which replicas are good,
// how the others stand and how far they are written. What a replica that is
// being written is called is left out, so that one which is begun, fails and is
// begun again shows no progress.
func token(v *assess.VolumeJudgement) string {
	var good []string
	rest, progress := map[string]int{}, 0
	for i := range v.Replicas {
		r := &v.Replicas[i]
		if r.Standing == cluster.StandingGood {
			good = append(good, string(r.Replica.UID))
			continue
		}
		rest[r.Standing.String()]++
		progress = max(progress, r.Replica.Progress)
	}
	slices.Sort(good)
	return hash(fmt.Sprint(v.Volume.State, good, rest, progress))
}

// keeps says what keeps the volume from getting on, and whether nothing is
// expected of it now.
func (t *tick) keeps(v *assess.VolumeJudgement) (why string, idle bool) {
	if p := v.Volume.Pause; p != nil && (p.Until.IsZero() || t.now.Before(p.Until)) {
		if p.Until.IsZero() {
			return p.Why, true
		}
		return p.Why + ", until " + p.Until.UTC().Format("15:04:05 MST"), true
	}
	if v.Volume.State == cluster.Detached && t.ours(v.Volume) == nil {
		if why, idle = t.asleep(v); why != "" {
			return why, idle
		}
	}
	return strings.Join(v.Volume.Hindered, "; "), false
}

// asleep says why a volume that is not attached is not being woken.
func (t *tick) asleep(v *assess.VolumeJudgement) (why string, idle bool) {
	for i := range v.Replicas {
		if r := &v.Replicas[i]; !unwritten(v) && startsBlank(t, v, r) {
			why := fmt.Sprintf("replica %s on %s is %s, and might be started without its data", r.Replica.Name, r.Replica.Node, r.Standing)
			if r.Standing == cluster.StandingUnproven && r.Replica.Probe == nil && !t.plan.Probe {
				why += "; with --probe its directory is looked for"
			}
			return why, false
		}
	}
	switch holds := v.Volume.Holds; {
	case v.Volume.Class != cluster.ClassOrdinary:
		return "it is of a kind that is not woken", false
	case t.wanted(v):
		return "a workload wants it and does not get it", false
	case len(holds) > 0:
		return "it is held by " + holds[0].ID + " (" + holds[0].Why + ")", false
	case v.Volume.SelfRebuild.IsAside():
		return "its storage shall rebuild it while it sleeps (" + v.Volume.SelfRebuild.Name + ") and has not begun", false
	case t.wakeNode(v) == "":
		return "no node could open it", false
	case t.woken() >= t.wakeful():
		return "it waits for its turn: " + Many(t.wakeful(), "volume") + " awake at a time", true
	default:
		return "", false
	}
}
