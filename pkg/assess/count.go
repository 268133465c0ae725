// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// tally is how many replicas of a volume there are, each place counted once: a
// place is a node, or a disk where the volume allows several on a node. What
// lies together is lost together.
type tally struct {
	// good places hold a Good replica, proven ones a Proven one.
	good, proven int
	// maybe is good and what might turn out to be good.
	maybe int
	// held is every place that may still hold the data.
	held int
	// together is how many Good replicas share the place of another.
	together int
}

// count tallies what stays of the volume's replicas that are not on the node
// named without: what the storage was asked to move does not count.
func count(v *cluster.Volume, all []ReplicaJudgement, without string) tally {
	return tallied(v, all, without, byStaying)
}

// countHere tallies what is there now, though some of it may be on its way.
func countHere(v *cluster.Volume, all []ReplicaJudgement) tally {
	return tallied(v, all, "", byHere)
}

// tallied tallies by the standing that is asked for. While the volume is busy
// what is being written may yet be good.
func tallied(v *cluster.Volume, all []ReplicaJudgement, without string, standing func(*ReplicaJudgement) cluster.Standing) tally {
	var t tally
	var few [8]taken // places: a volume with more of them is rare
	seen := few[:0]
	for i := range all {
		rj := &all[i]
		if without != "" && rj.Replica.Node == without {
			continue
		}
		c := tierOf(rj, standing(rj), len(v.Busy) > 0)
		place := placeName(v, rj.Replica)
		if place == "" {
			// Nobody knows where: it may be a place of its own.
			t.add(c)
			continue
		}
		k := slices.IndexFunc(seen, func(x taken) bool { return x.place == place })
		if k < 0 {
			seen = append(seen, taken{place, c})
			continue
		}
		if c.good && seen[k].good {
			t.together++
		}
		seen[k].tier = seen[k].or(c)
	}
	for _, x := range seen {
		t.add(x.tier)
	}
	return t
}

// taken is a place with what all that lies there counts as.
type taken struct {
	place string
	tier
}

// placeName is where the replica lies, as far as losing it goes.
func placeName(v *cluster.Volume, r *cluster.Replica) string {
	if v.SharesNode == cluster.Yes {
		return r.DiskUUID
	}
	return r.Node
}

// tier is what a replica, or a place, counts as.
type tier struct{ good, proven, maybe, held bool }

func tierOf(rj *ReplicaJudgement, standing cluster.Standing, busy bool) tier {
	switch standing {
	case cluster.StandingGood:
		return tier{good: true, proven: rj.Proof == cluster.Proven, maybe: true, held: true}
	case cluster.StandingLeaving:
		return tier{held: true}
	case cluster.StandingRebuilding:
		return tier{maybe: busy, held: busy}
	case cluster.StandingUnused:
		open := busy && rj.Replica.Claim == cluster.Untouched
		return tier{maybe: open, held: open}
	case cluster.StandingFailed, cluster.StandingAbsent:
		return tier{}
	default: // Unknown and Unproven
		return tier{maybe: true, held: true}
	}
}

func (c tier) or(o tier) tier {
	return tier{good: c.good || o.good, proven: c.proven || o.proven, maybe: c.maybe || o.maybe, held: c.held || o.held}
}

func (t *tally) add(c tier) {
	t.good += one(c.good)
	t.proven += one(c.proven)
	t.maybe += one(c.maybe)
	t.held += one(c.held)
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}
