// SPDX-License-Identifier: Apache-2.0

package assess

import "github.com/safe-roll/kubectl-safe-roll/pkg/cluster"

// Clause 6: of an attached volume only what a running engine lists as
// read-write counts, and only while the engine's node and the node that
// reports it are live, and the storage's manager there is at work: nobody
// corrects the list of an engine whose node died, or whose reporter is silent.

// served judges the replica by its volume's engine. It is Proven by a running
// engine; what is at rest is Plausible at best, and its evidence says what no
// object shows: whether its directory is there, and whether its bytes are the
// newest.
func (w *world) served(st *storageWorld, v *cluster.Volume, r *cluster.Replica) reason {
	if r.Claim != cluster.Serving {
		if !mayRest(v) {
			return unknown(ReplicaNotServing, fact("volume.engine", v.Engine.Name), answerFact("engine.running", v.Engine.Running))
		}
		return reason{standing: cluster.StandingGood, proof: cluster.Plausible, facts: w.unseen}
	}
	e := &v.Engine
	facts := []cluster.Fact{
		fact("volume.engine", e.Name), answerFact("engine.running", e.Running),
		fact("engine.node", e.Node), fact("engine.owner", e.Owner),
	}
	switch {
	case e.Present != cluster.Yes || e.Running != cluster.Yes:
		return unknown(EngineNotRunning, facts...)
	case !w.liveNode(e.Node) || !w.liveNode(e.Owner):
		return unknown(EngineNodeNotLive, facts...)
	case replaced(v, r):
		return unknown(ReplicaReplaced, fact("replica.directory", r.Directory))
	}
	if by := st.speaks(e.Owner); by.standing != cluster.StandingGood {
		by.facts = append(by.facts, facts...)
		return by
	}
	return good(cluster.Proven)
}

// mayRest reports whether a replica of the volume may be at rest though nothing
// is wrong: not while the volume is attached, and where its state is not known it
// may be.
func mayRest(v *cluster.Volume) bool {
	switch v.State {
	case cluster.Detached, cluster.Attaching, cluster.Detaching, cluster.Deleting:
		return v.Class != cluster.ClassStandby
	default:
		return false
	}
}

// replaced reports whether a sibling is being rebuilt in a serving replica's place:
// one address cannot be both.
func replaced(v *cluster.Volume, r *cluster.Replica) bool {
	for i := range v.Replicas {
		o := &v.Replicas[i]
		if o.Claim == cluster.Rebuilding && o.Node == r.Node && o.DiskUUID == r.DiskUUID && o.Directory == r.Directory {
			return true
		}
	}
	return false
}
