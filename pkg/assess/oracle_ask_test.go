// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
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

func (o oracle) claimed(st cluster.Storage, v cluster.Volume) bool {
	return slices.ContainsFunc(o.s.Persistent, func(pv cluster.PersistentVolume) bool {
		return pv.Driver == st.Driver && pv.Handle == v.Name
	})
}

// neverHeld: nothing says that any data were ever there.
func (o oracle) neverHeld(v cluster.Volume) bool {
	return !o.used(v) && !slices.ContainsFunc(v.Replicas, func(r cluster.Replica) bool {
		return r.Claim != cluster.Untouched && r.Claim != cluster.Placeholder
	})
}

// lost: however the open replicas turn out, too few hold the data.
func (o oracle) lost(st cluster.Storage, v cluster.Volume) bool {
	if !countableVolume(v) || v.State == cluster.Deleting || len(v.Replicas) > 0 && (o.unused(v) || o.neverHeld(v)) {
		return false
	}
	if len(v.Replicas) == 0 {
		return o.used(v) || o.claimed(st, v)
	}
	var held []cluster.Replica
	for _, r := range v.Replicas {
		writing := len(v.Busy) > 0
		empty := r.Claim == cluster.Placeholder || r.Claim == cluster.Failed || r.Claim == cluster.Rebuilding && !writing ||
			r.Claim == cluster.Untouched && o.bare(st, v) && !writing && !r.Deleting && !o.goingNode(r)
		if !empty && !o.absent(st, r) && worst(v.Doubts, r.Doubts) != no {
			held = append(held, r)
		}
	}
	return most(v, held) < v.Need
}

func (o oracle) goingNode(r cluster.Replica) bool {
	n := o.s.Node(r.Node)
	return n != nil && n.Deleting && r.DiskUUID != ""
}

// formatted: what is left of the lost volume is no obstacle to making it anew.
func (o oracle) formatted(st cluster.Storage, v cluster.Volume) bool {
	anew := len(v.Replicas) == 0
	for _, r := range v.Replicas {
		failed := slices.ContainsFunc(append(slices.Clone(v.Doubts), r.Doubts...), func(d cluster.Doubt) bool { return d.AtMost == cluster.StandingFailed })
		switch {
		case r.Claim == cluster.Placeholder, r.Claim != cluster.Failed && o.absent(st, r) && o.s.Node(r.Node) == nil:
		case r.Claim == cluster.Failed:
			return false
		case o.absent(st, r), saidAbsent(v, r), r.Claim == cluster.Untouched && o.bare(st, v) && !r.Deleting && !o.goingNode(r) && !failed:
			anew = true
		default:
			return false
		}
	}
	return anew
}

// waived: the loss was accepted, by the volume's name.
func (o oracle) waived(st cluster.Storage, v cluster.Volume) bool {
	return o.lost(st, v) && !o.formatted(st, v) && slices.Contains(o.pol.Accepted, policy.Risk{Code: "volume/already-lost", Name: v.Name})
}

func (o oracle) volume(st cluster.Storage, v cluster.Volume) cluster.Verdict {
	switch {
	case v.State == cluster.Deleting:
		return cluster.Safe
	case !countableVolume(v):
		return doubted(v).Worse(cluster.VerdictUnknown)
	case o.waived(st, v):
		return cluster.Safe
	case len(v.Replicas) == 0 && (o.used(v) || o.claimed(st, v)):
		return cluster.Unsafe
	case o.unused(v):
		return cluster.Safe
	case o.neverHeld(v):
		return doubted(v).Worse(cluster.VerdictUnknown)
	}
	verdict := doubted(v).Worse(o.enough(st, v, "", v.Want))
	if v.Engine.Present != cluster.Yes || v.State == cluster.StateUnknown || v.State == cluster.Creating || len(v.Busy) > 0 ||
		v.Base != "" && !o.readableBase(st, v.Base, "") {
		verdict = verdict.Worse(cluster.VerdictUnknown)
	}
	return verdict
}

// nothingRead: a whole kind of the storage is missing, so no volume is known.
func (o oracle) nothingRead() bool {
	return slices.ContainsFunc(o.s.Gaps, func(g cluster.Gap) bool { return g.OfStorage && g.Needed && g.Reason == cluster.GapForbidden })
}

func (o oracle) whole() cluster.Verdict {
	if o.nothingRead() {
		return cluster.VerdictUnknown
	}
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
	if o.nothingRead() {
		return verdict
	}
	for _, st := range o.s.Storages {
		for _, v := range st.Volumes {
			if v.State == cluster.Deleting || o.unused(v) && countableVolume(v) {
				continue
			}
			here := v.Engine.Node == ref.Name
			for _, h := range v.Holds {
				here = here || h.Node == ref.Name
			}
			for _, r := range v.Replicas {
				here = here || o.lies(st, r, ref.Name)
			}
			if o.waived(st, v) {
				for _, x := range st.Orphans {
					here = here || (x.Node == ref.Name || x.Node == "") && (x.Volume == v.Name || x.Volume == "")
				}
				if here {
					verdict = cluster.Unsafe
				}
				continue
			}
			if !countableVolume(v) || o.neverHeld(v) && !(len(v.Replicas) == 0 && o.claimed(st, v)) {
				verdict = verdict.Worse(cluster.VerdictUnknown)
				continue
			}
			verdict = verdict.Worse(o.enough(st, v, ref.Name, o.leastOf(v)))
			if here && (len(v.Busy) > 0 || v.Engine.Present != cluster.Yes || v.State == cluster.StateUnknown || v.State == cluster.Creating) {
				verdict = verdict.Worse(cluster.VerdictUnknown)
			}
		}
	}
	return verdict
}

// rounds of rapid's own number of clusters: 100, which makes 100,000 in some
// seconds of one core, or -rapid.checks: 10000 makes ten million.
const rounds = 1000

// Every answer agrees with the oracle's on random clusters.
func TestJudge_AgreesWithTheOracle(t *testing.T) {
	t.Parallel()
	type answer struct {
		To string
		Is cluster.Verdict
	}
	answers := map[answer]int{}
	box := newDice()
	ask := func(t *rapid.T) {
		d := box.in(t)
		s, p, turn := d.snapshot(), d.policy(), d.turn()
		j, o := Judge(s, p, now()), newOracle(s, p, now())
		agree := func(what string, got, want cluster.Verdict, fs []Finding) {
			answers[answer{what, want}]++
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
			reboot := j.MayReboot(ref)
			agree("reboot", reboot.Verdict, o.mayReboot(ref), reboot.Findings)
		}
	}
	for range rounds {
		rapid.Check(t, ask)
	}
	for _, what := range []string{"whole", "drain", "delete", "reboot"} {
		for v := cluster.VerdictUnknown; v <= cluster.Unsafe; v++ {
			if answers[answer{what, v}] == 0 {
				t.Errorf("no cluster made the answer to %q %v: the agreement says nothing about it", what, v)
			}
		}
	}
	t.Logf("asked: %v", answers)
}
