// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"slices"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// The oracle answers the same questions from the definition alone, by trying
// everything: each replica counts, does not, or may; a volume is whole when,
// however the open ones turn out, enough of them that count lie in places of
// their own. It shares no code with the rules and does not care about speed.

type oracle struct {
	s   *cluster.Snapshot
	pol policy.Policy
	now time.Time
}

func newOracle(s *cluster.Snapshot, p policy.Policy, now time.Time) oracle {
	if s.Source == cluster.SourceFiles {
		now = time.Time{}
		for _, n := range s.Nodes {
			if n.LeaseRenewed.After(now) {
				now = n.LeaseRenewed
			}
		}
		for _, st := range s.Storages {
			if st.Reported.After(now) {
				now = st.Reported
			}
		}
	}
	return oracle{s, p, now}
}

// allNodes: no node can be there and not be seen.
func (o oracle) allNodes() bool {
	for _, g := range o.s.Gaps {
		if g.Kind == "nodes" {
			return false
		}
	}
	return len(o.s.Nodes) > 0
}

func (o oracle) live(name string) bool {
	for _, n := range o.s.Nodes {
		if n.Ref.Name != name || n.Deleting || n.Ready != cluster.Yes {
			continue
		}
		notGiven := false
		for _, g := range o.s.Gaps {
			notGiven = notGiven || g.Kind == "leases.coordination.k8s.io" && g.Reason == cluster.GapNotGiven
		}
		if notGiven && o.s.Source == cluster.SourceFiles {
			return true
		}
		return !n.LeaseRenewed.IsZero() && !n.LeaseRenewed.Before(o.now.Add(-o.pol.LeaseFresh)) && !n.LeaseRenewed.After(o.now.Add(o.pol.ClockSkew))
	}
	return false
}

// owners are the storage nodes that report the disk and are neither gone nor
// going, one entry for every time that they do.
func (o oracle) owners(st cluster.Storage, uuid string) []string {
	var out []string
	for _, sn := range st.Nodes {
		gone := o.s.Node(sn.Name) == nil && o.allNodes()
		for _, d := range sn.Disks {
			if d.Reported && d.UUID == uuid && uuid != "" && !gone && !sn.Deleting {
				out = append(out, sn.Name)
			}
		}
	}
	return out
}

// absent: the data are certainly not where the replica says.
func (o oracle) absent(st cluster.Storage, r cluster.Replica) bool {
	if r.Claim == cluster.Idle && !r.Deleting && o.placed(st, r) && o.saw(r) == cluster.SeenNothing {
		return true
	}
	if r.Node == "" || r.DiskUUID == "" {
		return false
	}
	n := o.s.Node(r.Node)
	if n == nil {
		return o.allNodes() && len(o.owners(st, r.DiskUUID)) == 0
	}
	for _, sn := range st.Nodes {
		if sn.Name != r.Node {
			continue
		}
		for _, d := range sn.Disks {
			if !d.Reported || d.UUID == "" || d.UUID == r.DiskUUID {
				return false
			}
		}
		return len(sn.Disks) > 0 && o.live(r.Node) && o.speaks(st, r.Node) && sn.Ready == cluster.Yes && !sn.Deleting && len(o.owners(st, r.DiskUUID)) == 0 &&
			(sn.Reported.IsZero() || !sn.Reported.Before(n.Created))
	}
	return false
}

// there: node and disk are, beyond doubt, those that hold the data.
func (o oracle) there(st cluster.Storage, r cluster.Replica) bool {
	if !o.placed(st, r) || r.HealthyAt.IsZero() || o.s.Source != cluster.SourceFiles && r.HealthyAt.Sub(o.now) > o.pol.ClockSkew {
		return false
	}
	created := o.s.Node(r.Node).Created
	older := r.HealthyAt.Sub(created) > o.pol.ClockSkew
	for _, x := range o.s.Retired {
		if x.Node.Name == r.Node && x.Node.UID != o.s.Node(r.Node).Ref.UID {
			older = older && r.HealthyAt.Sub(x.At) > o.pol.ClockSkew
		}
	}
	madeHere := r.Created.After(created) && r.HealthyAt.Sub(r.Created) >= -o.pol.ClockSkew
	seen := o.saw(r) == cluster.SeenData && !o.wasMissing(r) && slices.ContainsFunc(st.Nodes, func(sn cluster.StorageNode) bool {
		return sn.Name == r.Node && !sn.Reported.IsZero() && !sn.Reported.Before(created)
	})
	return !created.IsZero() && (older || madeHere || seen)
}

// speaks: one of the storage's reporters, where it has any, is seen to be ready
// on the node; of files without pods nothing is asked.
func (o oracle) speaks(st cluster.Storage, node string) bool {
	noPods := slices.ContainsFunc(o.s.Gaps, func(g cluster.Gap) bool { return g.Kind == "pods" && g.Reason == cluster.GapNotGiven })
	if st.Reporter == "" || noPods && o.s.Source == cluster.SourceFiles {
		return true
	}
	return slices.ContainsFunc(o.s.Pods, func(p cluster.Pod) bool {
		return p.OwnerName == "DaemonSet/"+st.Reporter && p.Ref.Namespace == st.Namespace && p.Node == node && p.Ready == cluster.Yes && !p.Deleting && !p.Finished
	})
}

// heard: the storage itself says that its node is well, once, and its reporter
// is at work there.
func (o oracle) heard(st cluster.Storage, node string) bool {
	said, well := 0, false
	for _, sn := range st.Nodes {
		if sn.Name == node {
			said++
			well = sn.Ready == cluster.Yes && !sn.Deleting
		}
	}
	return said == 1 && well && o.speaks(st, node)
}

// placed: node and disk are those that the replica names.
func (o oracle) placed(st cluster.Storage, r cluster.Replica) bool {
	if !o.live(r.Node) || !o.speaks(st, r.Node) || r.Owner != r.Node || len(o.owners(st, r.DiskUUID)) != 1 {
		return false
	}
	for _, sn := range st.Nodes {
		for _, d := range sn.Disks {
			if sn.Name == r.Node && sn.Ready == cluster.Yes && !sn.Deleting && d.Reported && d.UUID == r.DiskUUID {
				return d.Declared && d.Ready == cluster.Yes && d.Path == r.DiskPath
			}
		}
	}
	return false
}

// readable: the storage says that it is whole, and who says it is alive.
func (o oracle) readable(st cluster.Storage, v cluster.Volume, r cluster.Replica) bool {
	switch r.Claim {
	case cluster.Idle:
		return v.State != cluster.Attached && v.State != cluster.StateUnknown && v.State != cluster.Creating && v.Class != cluster.ClassStandby
	case cluster.Serving:
		for _, x := range v.Replicas {
			if x.Claim == cluster.Rebuilding && x.Node == r.Node && x.DiskUUID == r.DiskUUID && x.Directory == r.Directory {
				return false
			}
		}
		e := v.Engine
		return e.Present == cluster.Yes && e.Running == cluster.Yes && o.live(e.Node) && o.live(e.Owner) && o.heard(st, e.Owner)
	default:
		return false
	}
}

type tri int

const (
	no tri = iota
	maybe
	yes
)

func worst(ds ...[]cluster.Doubt) tri {
	t := yes
	for _, each := range ds {
		for _, d := range each {
			switch d.AtMost {
			case cluster.StandingGood:
			case cluster.StandingUnknown, cluster.StandingUnproven:
				t = min(t, maybe)
			default:
				t = no
			}
		}
	}
	return t
}

// stays says whether the replica counts where it must not be about to go.
func (o oracle) stays(st cluster.Storage, v cluster.Volume, r cluster.Replica) tri {
	if r.Leaving && r.Claim != cluster.Rebuilding {
		return no
	}
	return o.counts(st, v, r)
}

// counts says whether the replica counts.
func (o oracle) counts(st cluster.Storage, v cluster.Volume, r cluster.Replica) tri {
	n := o.s.Node(r.Node)
	writing := len(v.Busy) > 0
	t := maybe
	switch {
	case o.absent(st, r), r.Claim == cluster.Placeholder, r.Claim == cluster.Failed:
		return no
	case r.Claim == cluster.Rebuilding && !writing, r.Claim != cluster.Rebuilding && r.Deleting:
		return no
	case r.Claim != cluster.Rebuilding && n != nil && n.Deleting && r.Node != "" && r.DiskUUID != "":
		return no
	case r.Claim == cluster.Untouched && o.bare(st, v) && !writing:
		return no
	case o.there(st, r) && o.readable(st, v, r) && !o.contradicted(v, r):
		t = yes
	}
	return min(t, worst(v.Doubts, r.Doubts))
}

func (o oracle) used(v cluster.Volume) bool {
	was := v.Touched || v.Used > 0
	for _, r := range v.Replicas {
		was = was || !r.HealthyAt.IsZero() || !r.FailedAt.IsZero()
	}
	return was
}

// bare: what is Untouched in this volume certainly does not hold its data.
func (o oracle) bare(st cluster.Storage, v cluster.Volume) bool { return o.used(v) || o.blank(st, v) }

// blank: what is Untouched in this volume is so although the volume held data,
// and none of the copies that did may be left.
func (o oracle) blank(st cluster.Storage, v cluster.Volume) bool {
	had := o.used(v)
	for _, r := range v.Replicas {
		switch r.Claim {
		case cluster.Untouched, cluster.Placeholder, cluster.Failed, cluster.Rebuilding:
			had = had || r.Claim == cluster.Failed || r.Claim == cluster.Rebuilding
		default:
			had = true
			if !o.absent(st, r) {
				return false
			}
		}
	}
	return had
}

func (o oracle) unused(v cluster.Volume) bool {
	ok := v.Class == cluster.ClassOrdinary && v.State == cluster.Detached && len(v.Busy) == 0 && v.Engine.Present == cluster.Yes &&
		v.Engine.Ever == cluster.No && !o.used(v) && v.Want > 0 && len(v.Replicas) >= v.Want && worst(v.Doubts) == yes
	for _, r := range v.Replicas {
		ok = ok && (r.Claim == cluster.Untouched || r.Claim == cluster.Placeholder) && worst(r.Doubts) == yes
	}
	return ok
}
