// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"strconv"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// said is what Longhorn says of one replica.
type said struct {
	claim    cluster.Claim
	progress int
	doubts   []cluster.Doubt
}

func (s said) because(d cluster.Doubt) said {
	s.doubts = append(s.doubts, d)
	return s
}

// claim says what Longhorn claims of a replica. The engine is the volume's
// current one, or nil where there is not exactly one.
//
// The order matters: what is not counted at all (unscheduled, of another
// engine, inactive) says nothing about data; a mark of failure outranks what
// an engine last listed; and only then it matters whether the engine runs.
func claim(r *replica, e *engine) said {
	switch {
	case r.Unread != "":
		return said{}.because(doubt(codeUnknownValue, cluster.StandingUnknown, "replica", r.Unread))
	case r.NodeID == "" || !r.Active:
		return said{claim: cluster.Placeholder}
	case e == nil && r.FailedAt.time().IsZero():
		return said{}.because(doubt(codeNoEngine, cluster.StandingUnknown, "engineName", r.Engine))
	case e != nil && r.Engine != e.Name:
		return said{claim: cluster.Placeholder}
	case r.RebuildRetryCount >= maxRetries && !fresh(r, e):
		return said{claim: cluster.Failed}.because(doubt(codeRetries, cluster.StandingFailed,
			"rebuildRetryCount", strconv.Itoa(r.RebuildRetryCount)))
	case !r.FailedAt.time().IsZero():
		return said{claim: cluster.Failed}
	case e.running():
		return served(r, e)
	case e.Status.State == "stopped" || e.Status.State == "":
		return stopped(r)
	default:
		return said{}.because(doubt(codeEngineState, cluster.StandingUnknown,
			"engine", e.Name, "currentState", e.Status.State))
	}
}

// fresh: Longhorn makes the replica that a rebuild will fill with all its retries
// used up, so that it is never used again if that fails (v1.8.1
// controller/volume_controller.go createReplica), and clears the count when it
// is first read-write.
func fresh(r *replica, e *engine) bool {
	return r.FailedAt.time().IsZero() && r.HealthyAt.time().IsZero() && e.running()
}

// served says what a running engine says of the replica.
func served(r *replica, e *engine) said {
	mode, address := e.Status.Modes[r.Name], e.Status.Addresses[r.Name]
	build, building := e.rebuildOf(address)
	building = building && build.running()
	switch mode {
	case "RW":
		switch {
		case building:
			return said{claim: cluster.Rebuilding, progress: percent(build.Progress)}.because(doubt(codeInPlace,
				cluster.StandingRebuilding, "address", address, "state", build.State))
		case r.HealthyAt.time().IsZero():
			return said{claim: cluster.Rebuilding}.because(doubt(codeNeverHealthy, cluster.StandingRebuilding, "mode", mode))
		}
		return listed(r, e, address)
	case "WO":
		return said{claim: cluster.Rebuilding, progress: percent(build.Progress)}
	case "ERR":
		return said{claim: cluster.Failed}
	case "":
		return unlisted(r, e, percent(build.Progress))
	default:
		return said{}.because(doubt(codeUnknownValue, cluster.StandingUnknown, "replicaModeMap", mode))
	}
}

// listed says whether the engine's word that it writes to the replica holds: not
// where Longhorn is about to mark the replica as failed (v1.12.0
// controller/volume_controller.go ReconcileEngineReplicaState), where its process
// does not run, nor where two replicas share an address.
func listed(r *replica, e *engine, address string) said {
	switch {
	case r.Status.State == "error", e.refuses(address):
		return said{}.because(doubt(codeAboutToFail, cluster.StandingUnknown, "currentState", r.Status.State, "address", address))
	case r.Status.State != "running":
		return said{}.because(doubt(codeReplicaState, cluster.StandingUnknown, "currentState", r.Status.State))
	case !e.alone(address):
		return said{}.because(doubt(codeAddress, cluster.StandingUnknown, "engine", e.Name, "address", address))
	}
	return said{claim: cluster.Serving}
}

// unlisted says what it means that a running engine lists no mode for the
// replica. One whose address it has is about to be rebuilt.
func unlisted(r *replica, e *engine, progress int) said {
	switch {
	case len(e.Status.Modes) == 0:
		return said{}.because(doubt(codeEngineSilent, cluster.StandingUnknown, "engine", e.Name))
	case e.Status.Addresses[r.Name] != "":
		return said{claim: cluster.Rebuilding, progress: progress}
	case !r.ever():
		return said{claim: cluster.Untouched}
	default:
		return said{}.because(doubt(codeNotInEngine, cluster.StandingUnknown, "engine", e.Name,
			"healthyAt", when(r.HealthyAt)))
	}
}

// stopped says what the replica says of itself while no engine runs.
func stopped(r *replica) said {
	healthy, lastFailed := r.HealthyAt.time(), r.LastFailedAt.time()
	switch r.Status.State {
	case "", "stopped", "running", "starting", "stopping":
	case "error", "unknown", "suspended":
		return said{}.because(doubt(codeReplicaState, cluster.StandingUnknown, "currentState", r.Status.State))
	default:
		return said{}.because(doubt(codeUnknownValue, cluster.StandingUnknown, "currentState", r.Status.State))
	}
	switch {
	case bool(r.Status.NoStart):
		return said{}.because(doubt(codeNoStart, cluster.StandingUnknown, "conditions.InstanceCreation", "False"))
	case !lastFailed.IsZero() && !r.LastHealthyAt.time().After(lastFailed):
		return said{}.because(doubt(codeFailedSince, cluster.StandingUnknown,
			"lastFailedAt", when(r.LastFailedAt), "lastHealthyAt", when(r.LastHealthyAt)))
	case !healthy.IsZero():
		return said{claim: cluster.Idle}
	case r.ever():
		// It was healthy once and healthyAt was cleared: a rebuild had begun.
		return said{claim: cluster.Rebuilding}
	default:
		return said{claim: cluster.Untouched}
	}
}

func when(s stamp) string {
	if s.time().IsZero() {
		return ""
	}
	return s.time().Format(time.RFC3339)
}

func percent(n int) int { return max(0, min(100, n)) }
