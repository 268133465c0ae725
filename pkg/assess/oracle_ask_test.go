// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// input is what every question depends on.
func (o oracle) input() cluster.Verdict {
	v := cluster.Safe
	unknown := func(is bool) {
		if is {
			v = v.Worse(cluster.VerdictUnknown)
		}
	}
	for _, g := range o.s.Gaps {
		unknown(g.Needed)
	}
	unknown(len(o.s.Nodes) == 0)
	unknown(len(o.s.Storages) == 0)
	for _, st := range o.s.Storages {
		unknown(len(st.Nodes) == 0)
		for _, pv := range o.s.Persistent {
			found := false
			for _, vol := range st.Volumes {
				found = found || vol.Name == pv.Handle
			}
			unknown(pv.Driver == st.Driver && !pv.Local && !found && !pv.Deleting)
			unknown(pv.Driver == st.Driver && len(st.Volumes) == 0)
		}
	}
	return v
}

func countableVolume(v cluster.Volume) bool {
	return (v.Class == cluster.ClassOrdinary || v.Class == cluster.ClassStandby) && v.Want > 0 && v.Need > 0 && v.Need <= v.Want
}

func doubted(v cluster.Volume) cluster.Verdict {
	switch worst(v.Doubts) {
	case yes:
		return cluster.Safe
	case maybe:
		return cluster.VerdictUnknown
	default:
		return cluster.Unsafe
	}
}

// readableBase: a copy of the image is ready on a disk that can be read.
func (o oracle) readableBase(st cluster.Storage, name string, except string) bool {
	for _, b := range st.Bases {
		for _, c := range b.Copies {
			owners := o.owners(st, c.DiskUUID)
			if b.Name != name || c.Ready != cluster.Yes || len(owners) != 1 || owners[0] == except || !o.live(owners[0]) {
				continue
			}
			for _, sn := range st.Nodes {
				for _, d := range sn.Disks {
					if sn.Name == owners[0] && d.UUID == c.DiskUUID && d.Reported && d.Declared && d.Ready == cluster.Yes && sn.Ready == cluster.Yes {
						return true
					}
				}
			}
		}
	}
	return false
}

func (o oracle) volume(st cluster.Storage, v cluster.Volume) cluster.Verdict {
	claimed := false
	for _, pv := range o.s.Persistent {
		claimed = claimed || pv.Driver == st.Driver && pv.Handle == v.Name
	}
	placeholders := true
	for _, r := range v.Replicas {
		placeholders = placeholders && r.Claim == cluster.Placeholder
	}
	switch {
	case v.State == cluster.Deleting:
		return cluster.Safe
	case !countableVolume(v):
		return doubted(v).Worse(cluster.VerdictUnknown)
	case len(v.Replicas) == 0 && (o.used(v) || claimed):
		return cluster.Unsafe
	case o.unused(v):
		return cluster.Safe
	case placeholders && !o.used(v):
		return doubted(v).Worse(cluster.VerdictUnknown)
	}
	verdict := doubted(v).Worse(o.enough(st, v, "", v.Want))
	if v.Engine.Present != cluster.Yes || v.State == cluster.StateUnknown || v.State == cluster.Creating || len(v.Busy) > 0 ||
		v.Base != "" && !o.readableBase(st, v.Base, "") {
		verdict = verdict.Worse(cluster.VerdictUnknown)
	}
	return verdict
}

func (o oracle) whole() cluster.Verdict {
	verdict := o.input()
	for _, st := range o.s.Storages {
		for _, v := range st.Volumes {
			verdict = verdict.Worse(o.volume(st, v))
		}
	}
	return verdict
}

func (o oracle) accepted(code, name string) bool {
	for _, r := range o.pol.Accepted {
		if r.Code == code && (r.Name == "" || r.Name == name) {
			return true
		}
	}
	return false
}

func (o oracle) leastOf(v cluster.Volume) int {
	switch {
	case v.Need == 1 && o.accepted("volume/one-copy-left", v.Name):
		return 1
	case o.pol.MinReplicas > 0:
		return max(v.Need, min(v.Want, o.pol.MinReplicas))
	default:
		return max(v.Need, min(v.Want, max(2, v.Want-1)))
	}
}

func (o oracle) nodeThere(ref cluster.NodeRef) cluster.Verdict {
	n := o.s.Node(ref.Name)
	switch {
	case n == nil:
		return cluster.VerdictUnknown
	case n.Ref != ref:
		return cluster.Unsafe
	default:
		return cluster.Safe
	}
}

func (o oracle) mayDrain(ref cluster.NodeRef) cluster.Verdict {
	verdict := o.input().Worse(o.nodeThere(ref))
	for _, g := range o.s.Gaps {
		if g.ForDrain {
			verdict = verdict.Worse(cluster.VerdictUnknown)
		}
	}
	for _, st := range o.s.Storages {
		for _, v := range st.Volumes {
			if v.State == cluster.Deleting || o.unused(v) && countableVolume(v) {
				continue
			}
			if !countableVolume(v) {
				verdict = verdict.Worse(cluster.VerdictUnknown)
				continue
			}
			verdict = verdict.Worse(o.enough(st, v, ref.Name, o.leastOf(v)))
			here := v.Engine.Node == ref.Name
			for _, h := range v.Holds {
				here = here || h.Node == ref.Name
			}
			for _, r := range v.Replicas {
				here = here || r.Node == ref.Name
			}
			if here && (len(v.Busy) > 0 || v.Engine.Present != cluster.Yes || v.State == cluster.StateUnknown || v.State == cluster.Creating) {
				verdict = verdict.Worse(cluster.VerdictUnknown)
			}
		}
	}
	return verdict
}

func (o oracle) mayDelete(ref cluster.NodeRef, t Turn) cluster.Verdict {
	verdict := o.mayDrain(ref)
	if o.s.Source != cluster.SourceLive {
		verdict = verdict.Worse(cluster.VerdictUnknown)
	}
	for _, st := range o.s.Storages {
		for _, v := range st.Volumes {
			verdict = verdict.Worse(o.releases(st, v, ref.Name, t))
		}
		for _, sn := range st.Nodes {
			if sn.Name == ref.Name && sn.Holds > 0 {
				verdict = cluster.Unsafe
			}
		}
		verdict = verdict.Worse(o.images(st, ref.Name))
	}
	for _, a := range o.s.Attachments {
		ours := false
		for _, st := range o.s.Storages {
			ours = ours || st.Driver == a.Driver
		}
		if a.Node == ref.Name && (ours || !o.accepted("node/foreign-attachment", a.PV)) {
			verdict = cluster.Unsafe
		}
	}
	return verdict.Worse(o.locals(ref.Name))
}

// releases says whether one volume lets the node go.
func (o oracle) releases(st cluster.Storage, v cluster.Volume, node string, t Turn) cluster.Verdict {
	verdict := cluster.Safe
	if v.Engine.Node == node || slices.ContainsFunc(v.Holds, func(h cluster.Hold) bool { return h.Node == node }) {
		verdict = cluster.Unsafe
	}
	if v.State == cluster.Deleting {
		return verdict
	}
	if len(v.Busy) > 0 {
		verdict = verdict.Worse(cluster.VerdictUnknown)
	}
	var proven []cluster.Replica
	has, resort := false, false
	for _, r := range v.Replicas {
		if r.Claim == cluster.Rebuilding && !o.absent(st, r) && worst(v.Doubts, r.Doubts) != no {
			verdict = verdict.Worse(cluster.VerdictUnknown)
		}
		if r.Node == node {
			has = true
			bad := r.Claim == cluster.Failed || r.Claim != cluster.Placeholder && worst(v.Doubts, r.Doubts) == no
			excused := !t.CordonedAt.IsZero() && !r.FailedAt.IsZero() && r.FailedAt.Unix() >= t.CordonedAt.Unix()
			resort = resort || bad && !excused && !o.absent(st, r) && !saidAbsent(v, r)
			continue
		}
		seen, ok := t.Proved[r.UID]
		since := ok && !t.DrainedAt.IsZero() && !seen.Before(t.DrainedAt)
		if o.counts(st, v, r) == yes && (r.Claim == cluster.Serving || since) {
			proven = append(proven, r)
		}
	}
	if has && !(o.unused(v) && countableVolume(v)) && most(v, proven) < v.Need {
		verdict = verdict.Worse(cluster.VerdictUnknown)
	}
	if resort && o.enough(st, v, node, v.Want) != cluster.Safe {
		verdict = cluster.Unsafe
	}
	return verdict
}

// saidAbsent: a doubt says that the replica's data are not there.
func saidAbsent(v cluster.Volume, r cluster.Replica) bool {
	for _, d := range append(slices.Clone(v.Doubts), r.Doubts...) {
		if d.AtMost == cluster.StandingAbsent {
			return true
		}
	}
	return false
}

func (o oracle) images(st cluster.Storage, node string) cluster.Verdict {
	verdict := cluster.Safe
	for _, b := range st.Bases {
		usedBy := slices.ContainsFunc(st.Volumes, func(v cluster.Volume) bool { return v.Base == b.Name })
		if o.readableBase(st, b.Name, node) || !usedBy && o.accepted("base/only-copy", b.Name) {
			continue
		}
		for _, c := range b.Copies {
			var at []string
			for _, sn := range st.Nodes {
				for _, d := range sn.Disks {
					if d.UUID == c.DiskUUID && d.UUID != "" {
						at = append(at, sn.Name)
					}
				}
			}
			if slices.Contains(at, node) {
				verdict = cluster.Unsafe
			} else if len(at) == 0 {
				verdict = verdict.Worse(cluster.VerdictUnknown)
			}
		}
	}
	return verdict
}

func (o oracle) locals(node string) cluster.Verdict {
	verdict := cluster.Safe
	for _, pv := range o.s.Persistent {
		ours := slices.ContainsFunc(o.s.Storages, func(st cluster.Storage) bool { return st.Driver == pv.Driver })
		if ours || !pv.Bound && pv.ClaimName == "" || o.accepted("pv/bound-to-node", pv.Name) {
			continue
		}
		here := slices.Contains(pv.Hostnames, node)
		switch {
		case here && (pv.Local || len(pv.Hostnames) == 1):
			verdict = cluster.Unsafe
		case pv.Local && len(pv.Hostnames) == 0:
			verdict = verdict.Worse(cluster.VerdictUnknown)
		}
	}
	return verdict
}

// rounds of rapid's own number of clusters (100, or -rapid.checks).
const rounds = 30

// Every answer agrees with the oracle's on random clusters.
func TestJudge_AgreesWithTheOracle(t *testing.T) {
	answers := map[string]int{}
	ask := func(t *rapid.T) {
		d := dice{t}
		s, p, turn := d.snapshot(), d.policy(), d.turn()
		j, o := Judge(s, p, now()), newOracle(s, p, now())
		agree := func(what string, got, want cluster.Verdict, fs []Finding) {
			answers[fmt.Sprint(what, " ", want)]++
			if got != want {
				t.Fatalf("%s: %v, the oracle says %v\n%s%+v", what, got, want, say(fs), s)
			}
		}
		agree("whole", j.Verdict, o.whole(), j.Findings)
		for _, name := range []string{"n1", "n2"} {
			ref := cluster.NodeRef{Name: name, UID: mostly(d, 20, cluster.UID("uid-"+name), "other")}
			drain, del := j.MayDrain(ref), j.MayDelete(ref, turn)
			agree("drain", drain.Verdict, o.mayDrain(ref), drain.Findings)
			agree("delete", del.Verdict, o.mayDelete(ref, turn), del.Findings)
		}
	}
	for range rounds {
		rapid.Check(t, ask)
	}
	for _, what := range []string{"whole", "drain", "delete"} {
		for v := cluster.VerdictUnknown; v <= cluster.Unsafe; v++ {
			if answers[fmt.Sprint(what, " ", v)] == 0 {
				t.Errorf("no cluster made the answer to %q %v: the agreement says nothing about it", what, v)
			}
		}
	}
	t.Log(answers)
}
