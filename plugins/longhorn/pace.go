// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Settings by which Longhorn paces its rebuilds.
const (
	rebuildLimit  = "concurrent-replica-rebuild-per-node-limit"
	replenishWait = "replica-replenishment-wait-interval"
)

// pacer knows how Longhorn paces its rebuilds.
type pacer struct {
	settings settingValues
	version  string
	// limit of rebuilds on one node; 0 where there is none, or it is not known.
	limit int
	// building is how many replicas are being written, by node.
	building map[string]int
	serving  func(node string) cluster.Answer
}

// addPace prepares to say of every volume why Longhorn does not get on with it.
func (j *join) addPace(st *cluster.Storage) {
	p := pacer{settings: j.settings, version: st.Version, building: j.building, serving: j.serving()}
	if n, err := strconv.Atoi(perEngine(j.settings[rebuildLimit])); err == nil && n > 0 {
		p.limit = n
	}
	st.RebuildsPerNode = p.limit
	j.pacer = p
}

// pace says why Longhorn does not get on with a volume: what it holds back on
// purpose, and what keeps it. It is asked of volumes that lack a replica or are
// to lose one.
func (p pacer) pace(v *volume, f family) (*cluster.Pause, []string) {
	if !lacks(v, f) {
		return nil, nil
	}
	leaving := slices.ContainsFunc(f.replicas, (*replica).leaving)
	return p.pause(v, f.replicas), p.hindered(v, f, leaving)
}

// lacks reports whether the volume lacks a replica or is to lose one.
func lacks(v *volume, f family) bool {
	whole := 0
	for _, r := range f.replicas {
		if r.leaving() {
			return true
		}
		if r.Active && !r.HealthyAt.time().IsZero() && r.FailedAt.time().IsZero() {
			whole++
		}
	}
	return whole < v.NumberOfReplicas
}

// pause returns why the rebuild is held back. A degraded volume waits for a
// failed replica that might return, until the interval since it became degraded
// has passed (v1.12.0 scheduler/replica_scheduler.go RequireNewReplica); and a
// replica waits while as many as the limit are written on its node.
func (p pacer) pause(v *volume, rs []*replica) *cluster.Pause {
	for _, r := range rs {
		switch {
		case !isNew(r):
		case p.limit > 0 && r.Status.State != "running" && p.building[r.NodeID] >= p.limit:
			return &cluster.Pause{Why: fmt.Sprintf("%s has as many rebuilds as it may, %d (%s)", r.NodeID, p.building[r.NodeID], rebuildLimit)}
		default:
			return nil // it is on its way
		}
	}
	wait, err := strconv.Atoi(perEngine(p.settings[replenishWait]))
	if err != nil || wait <= 0 || v.Status.Robustness != "degraded" || v.Degraded.IsZero() {
		return nil
	}
	for _, r := range rs {
		if mightReturn(r) {
			return &cluster.Pause{
				Until: v.Degraded.Add(time.Duration(wait) * time.Second),
				Why:   fmt.Sprintf("Longhorn waits for the failed replica %s to return (%s %d s)", r.Name, replenishWait, wait),
			}
		}
	}
	return nil
}

// mightReturn reports whether Longhorn takes a failed replica for one that may
// be used again one day.
func mightReturn(r *replica) bool {
	return !r.FailedAt.time().IsZero() && r.Deleted == nil && r.NodeID != "" && r.DiskID != "" &&
		r.RebuildRetryCount < maxRetries && !r.leaving()
}

// isNew reports whether the replica was made to be written.
func isNew(r *replica) bool {
	return r.NodeID != "" && r.Active && r.Deleted == nil && r.HealthyAt.time().IsZero() && r.FailedAt.time().IsZero()
}

// hindered lists what keeps Longhorn from rebuilding or moving a replica.
func (p pacer) hindered(v *volume, f family, leaving bool) []string {
	var out []string
	if perEngine(p.settings[rebuildLimit]) == "0" {
		what := "no replica is rebuilt"
		if leaving {
			what = "no replica is rebuilt, so none can be moved away"
		}
		out = append(out, rebuildLimit+" is 0: "+what)
	}
	if v.Unscheduled != "" {
		out = append(out, "no disk takes a replica (condition Scheduled: "+v.Unscheduled+")")
	}
	if e := f.current(); e != nil && e.running() {
		known := map[string]bool{}
		for _, r := range f.replicas {
			known[r.Name] = true
		}
		for _, name := range sortedKeys(e.Status.Modes) {
			if e.Status.Modes[name] == "ERR" && !known[name] {
				out = append(out, "its engine lists "+name+" as ERR, which has no object, and rebuilds nothing before that is gone")
			}
		}
		if node := e.NodeID; node != "" && p.serving(node) == no {
			out = append(out, "the instance manager of "+node+" does not run")
		}
	}
	if leaving && v.Status.State == "detached" && !evictsDetached(p.version) {
		out = append(out, "Longhorn "+p.version+" may leave a detached volume where it is (longhorn issues 9781 and 9857)")
	}
	return out
}

// evictsDetached reports whether that version moves detached volumes reliably:
// from 1.6.4, 1.7.3 and 1.8.0 on (commit bb0a41dba). A version that is not
// known is not blamed.
func evictsDetached(word string) bool {
	minor, ok := minorOf(word)
	if !ok || minor >= 8 {
		return true
	}
	patch, ok := patchOf(word)
	return ok && (minor == 7 && patch >= 3 || minor == 6 && patch >= 4)
}
