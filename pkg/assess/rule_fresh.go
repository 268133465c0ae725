// SPDX-License-Identifier: Apache-2.0

package assess

import "github.com/safe-roll/kubectl-safe-roll/pkg/cluster"

// A replica that was never healthy and never failed is either part of a volume
// that nobody ever used, or a blank among copies that hold data, or a blank
// where all copies were. Only the first is as it should be.

// judgeFresh gives the volume's Fresh replicas their standing, once that of
// their siblings is known.
func (w *world) judgeFresh(v *cluster.Volume, all []ReplicaJudgement) {
	unused := neverUsed(v)
	kept, had := false, used(v)
	for i := range all {
		if c := all[i].Replica.Claim; c == cluster.Untouched || c == cluster.Placeholder {
			continue
		}
		had = true
		kept = kept || mayHold(all[i].Standing)
	}
	for i := range all {
		rj := &all[i]
		if rj.Replica.Claim != cluster.Untouched {
			continue
		}
		switch {
		case unused:
			*rj = reason{standing: cluster.StandingUnused, code: ReplicaUnused}.judgement(rj.Replica)
		case rj.Standing != cluster.StandingUnknown:
		case had && !kept:
			// Every copy that held data is gone, or none was ever there though
			// the volume was written: this one is blank.
			*rj = reason{standing: cluster.StandingUnused, code: ReplicaBlank, facts: rj.Evidence}.judgement(rj.Replica)
		case used(v):
			// Data were written, and not into this one.
			*rj = reason{standing: cluster.StandingUnused, code: ReplicaNeverHealthy, facts: rj.Evidence}.judgement(rj.Replica)
		}
	}
}

// mayHold reports whether a replica of that standing may still hold the data.
func mayHold(s cluster.Standing) bool {
	switch s {
	case cluster.StandingGood, cluster.StandingUnknown, cluster.StandingUnproven, cluster.StandingLeaving:
		return true
	default:
		return false
	}
}

// used reports whether there is any sign that the volume was written.
func used(v *cluster.Volume) bool {
	if v.Touched || v.Used > 0 {
		return true
	}
	for i := range v.Replicas {
		if r := &v.Replicas[i]; !r.HealthyAt.IsZero() || !r.FailedAt.IsZero() {
			return true
		}
	}
	return false
}

// neverUsed reports whether the volume is as it was made: at rest, its engine
// never started, all its replicas there, none of them ever healthy or failed,
// no sign of use, no doubt.
func neverUsed(v *cluster.Volume) bool {
	if v.Class != cluster.ClassOrdinary || v.State != cluster.Detached || len(v.Busy) > 0 || v.Want < 1 || len(v.Replicas) < v.Want ||
		v.Engine.Present != cluster.Yes || v.Engine.Ever != cluster.No || used(v) || !certain(v.Doubts) {
		return false
	}
	for i := range v.Replicas {
		r := &v.Replicas[i]
		if r.Claim != cluster.Untouched && r.Claim != cluster.Placeholder || !certain(r.Doubts) {
			return false
		}
	}
	return true
}
