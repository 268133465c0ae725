// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// draft is a proposal in the making.
type draft struct {
	j       *assess.Judgement
	req     Request
	placers map[string]forecast.Placer
	// course is the cluster as the turns drafted so far would leave it.
	course *forecast.Course
	p      Proposal
}

func (d *draft) refuse(fs ...assess.Finding) { d.p.Refused = append(d.p.Refused, fs...) }

// unread refuses to guess where what decides placement was not read.
func (d *draft) unread() []assess.Finding {
	var out []assess.Finding
	for i := range d.j.Snapshot.Storages {
		st := &d.j.Snapshot.Storages[i]
		sceptic, ok := d.placers[st.Driver].(forecast.Sceptic)
		if !ok || len(st.Volumes) == 0 {
			continue
		}
		for _, kind := range sceptic.Unread(st) {
			out = append(out, assess.Finding{
				Code: CodeUnread, Severity: assess.Unclear, Subject: assess.Subject{Kind: "Input", Name: kind},
				Message:  sentence("where replicas may go cannot be told without %s, of which nothing was read", kind),
				Evidence: []cluster.Fact{{Name: kind + ".read", Value: "0"}, {Name: "volumes", Value: strconv.Itoa(len(st.Volumes))}},
			})
		}
	}
	return out
}

// notLost refuses that a loss is accepted which has not happened: the roll
// itself would then be free to cause it.
func (d *draft) notLost() []assess.Finding {
	var out []assess.Finding
	for _, r := range d.req.Policy.Accepted {
		if r.Code != assess.VolumeAlreadyLost || r.Name == "" {
			continue
		}
		if v := d.j.Volume(r.Name); v != nil && v.Condition == assess.Lost {
			continue
		}
		out = append(out, assess.Finding{
			Code: CodeNotLost, Severity: assess.Danger, Subject: assess.Subject{Kind: "Volume", Name: r.Name},
			Message:  sentence("volume %s is not known to be lost, so its loss cannot be accepted (--accept-risk=%s)", r.Name, r),
			Evidence: []cluster.Fact{{Name: "volume.condition", Value: conditionOf(d.j, r.Name)}},
		})
	}
	return out
}

// heal forecasts what a roll does before its first turn: replicas whose data
// are gone are taken away, and volumes that lack replicas get them.
func (d *draft) heal() {
	mendable := Mendable(d.j)
	d.p.Plan.Heals = len(mendable)
	gone := map[cluster.UID]bool{}
	for i := range d.j.Volumes {
		v := &d.j.Volumes[i]
		if !mendable[v.Volume.Name] {
			continue
		}
		for _, r := range v.Replicas {
			if r.Standing == cluster.StandingAbsent {
				gone[r.Replica.UID] = true
				d.p.Prunes = append(d.p.Prunes, Pruned{Volume: v.Volume.Name, Replica: r.Replica.Name, Node: r.Replica.Node, Code: r.Code})
			}
		}
	}
	if len(mendable) == 0 {
		return
	}
	d.p.Heals = d.course.Heal(gone, mendable)
	for _, p := range d.p.Heals.Stuck {
		if mendable[p.Volume] {
			d.refuse(stuckFinding(CodeNoRebuild, p, "volume "+p.Volume+" lacks a replica and cannot get it"))
		}
	}
}

// turn drafts one turn, and takes the course on as if it had ended.
func (d *draft) turn(ref cluster.NodeRef) {
	t, f := PlannedTurn{Node: ref}, TurnForecast{}
	if n := d.j.Snapshot.NodeByUID(ref.UID); n != nil {
		t.ProviderID, t.Roles = n.ProviderID, roles(n.Labels)
	}
	set := assess.Drain(d.j.Snapshot, d.req.Policy, ref)
	d.refuse(set.Blocked...)
	f.Asleep = d.asleep(ref.Name)
	f.Evict = d.course.WaysOut(d.course.Evict(ref.Name))
	if d.req.Goal.Reboots() {
		d.stay(&t, &f)
	} else {
		d.refuse(d.dies(ref)...)
		f.Refill = d.course.Refill(ref.Name, d.req.Replacement)
		d.choose(&t, &f)
	}
	f.Pods = d.disrupted(ref, set)
	f.Budget = Budgets(d.j.Snapshot, set)
	d.tell(f.Budget)
	chosen := f.Chosen(t.Strategy)
	t.Replicas, t.Bytes = len(chosen.Placed)+len(chosen.Stuck), chosen.Bytes
	switch t.Strategy {
	case policy.Evict:
		d.course.Evicted(f.Evict, d.req.Replacement)
	case policy.Refill:
		d.course.Refilled(f.Refill, d.req.Replacement)
	default: // nothing is placed elsewhere
	}
	d.wakes(t, f)
	d.p.Plan.Turns = append(d.p.Plan.Turns, t)
	d.p.Turns = append(d.p.Turns, f)
}

// choose picks the strategy, and refuses where the one asked for, or both,
// could never end.
func (d *draft) choose(t *PlannedTurn, f *TurnForecast) {
	if d.req.Commands.Replace != "" {
		d.refuse(replaceKeeps(d.j, d.req.Policy, t.Node.Name)...)
	}
	hangs := append(d.mayHang(t.Node), d.wakesTooMany(t.Node, f.Asleep)...)
	t.Strategy, t.Why = d.req.Policy.Strategy, "it was asked for"
	if t.Strategy == policy.Auto {
		t.Strategy, t.Why = d.auto(t.Node, f, hangs)
	}
	if t.Strategy == policy.Evict {
		for _, p := range f.Evict.Stuck {
			d.refuse(stuckFinding(CodeNoRoom, p, fmt.Sprintf("%s cannot leave %s", replicaOf(p), t.Node.Name)))
		}
		d.refuse(hangs...)
		return
	}
	kept, rebuilt := d.keepsFloor(t.Node), d.rebuilt(t.Node, f)
	d.refuse(kept...)
	d.refuse(rebuilt...)
	if len(kept)+len(rebuilt) > 0 {
		for _, p := range f.Evict.Stuck {
			d.refuse(stuckFinding(CodeNoRoom, p, fmt.Sprintf("%s cannot leave %s", replicaOf(p), t.Node.Name)))
		}
	}
	if d.req.Commands.Replace != "" {
		d.refuse(nodeFinding(CodeReplace, t.Node.Name,
			"replicas stay on "+t.Node.Name+" until it goes ("+t.Why+"), and --replace-command leaves no moment to clean up after them",
			cluster.Fact{Name: "turn.strategy", Value: string(t.Strategy)}, cluster.Fact{Name: "replicas", Value: strconv.Itoa(t.Replicas)}))
	}
}

// auto prefers moving replicas away first, since redundancy never dips then.
func (d *draft) auto(ref cluster.NodeRef, f *TurnForecast, hangs []assess.Finding) (policy.Strategy, string) {
	moving := len(f.Evict.Placed) + len(f.Evict.Stuck)
	switch {
	case moving == 0:
		return policy.Evict, "no replica on it needs another place"
	case !f.Evict.Fits():
		return policy.Refill, fitNowhere(len(f.Evict.Stuck), moving)
	case len(hangs) == 0:
		return policy.Evict, fits(moving)
	case len(d.keepsFloor(ref))+len(d.rebuilt(ref, f)) == 0:
		return policy.Refill, hangs[0].Message
	default:
		return policy.Evict, fits(moving)
	}
}

// keepsFloor says which volumes would fall below their Floor without the node:
// as things are now and, after other turns, as these would leave them.
func (d *draft) keepsFloor(ref cluster.NodeRef) []assess.Finding {
	// What is mended first is asked about again when it is whole.
	out := besides(worst(d.j.MayDrain(ref).Findings), Mendable(d.j))
	if len(d.p.Turns) == 0 || len(out) > 0 {
		return out
	}
	later := assess.Judge(d.course.Snapshot(), d.req.Policy, d.j.Now)
	short := map[string]bool{} // what is forecast to lack replicas refuses by itself
	for i := range later.Volumes {
		if v := later.Volumes[i].Volume; len(v.Replicas) < v.Want {
			short[v.Name] = true
		}
	}
	return slices.DeleteFunc(worst(later.MayDrain(ref).Findings), func(f assess.Finding) bool {
		return f.Subject.Kind != "Volume" || short[f.Subject.Name]
	})
}

// rebuilt says what could never be rebuilt after the node went, or never lets
// it be drained.
func (d *draft) rebuilt(ref cluster.NodeRef, f *TurnForecast) []assess.Finding {
	var out []assess.Finding
	if size := int64(0); len(f.Refill.Stuck) > 0 {
		if d.req.Replacement.Disk > 0 {
			size = d.course.DiskFor(ref.Name)
		}
		for i := range f.Refill.Stuck {
			p := &f.Refill.Stuck[i]
			if size > d.req.Replacement.Disk {
				p.Ways = append(slices.Clone(p.Ways), forecast.Way{Kind: forecast.WaySpace,
					Says: fmt.Sprintf("a replacement with disks of %d GiB or more", size>>30)})
			}
			out = append(out, stuckFinding(CodeNoRebuild, *p,
				fmt.Sprintf("a replica of volume %s could not be rebuilt after %s has gone", p.Volume, ref.Name)))
		}
	}
	return append(out, d.insists(ref, f)...)
}

// insists refuses a drain that the storage would hold up for replicas that
// have nowhere to go.
func (d *draft) insists(ref cluster.NodeRef, f *TurnForecast) []assess.Finding {
	var out []assess.Finding
	for i := range d.course.Snapshot().Storages {
		st := &d.course.Snapshot().Storages[i]
		p, ok := d.placers[st.Driver].(forecast.Insister)
		if !ok {
			continue
		}
		setting, volumes := p.Insists(st, ref.Name)
		stuck := 0
		for _, at := range f.Evict.Stuck {
			if slices.Contains(volumes, at.Volume) {
				stuck++
			}
		}
		if stuck > 0 {
			out = append(out, nodeFinding(CodeDrainPolicy, ref.Name, fmt.Sprintf(
				"with %s, node %s is let go only when replicas have left it, and %d of them fit nowhere else", setting, ref.Name, stuck),
				cluster.Fact{Name: "setting", Value: setting}, cluster.Fact{Name: "replicas.stuck", Value: strconv.Itoa(stuck)}))
		}
	}
	return out
}

// mayHang distrusts the storage's own moving of replicas, unless that was
// accepted.
func (d *draft) mayHang(ref cluster.NodeRef) []assess.Finding {
	var out []assess.Finding
	for i := range d.course.Snapshot().Storages {
		st := &d.course.Snapshot().Storages[i]
		p, ok := d.placers[st.Driver].(forecast.Sceptic)
		if !ok || d.req.Policy.Accepts(CodeMayHang, ref.Name) {
			continue
		}
		if why := p.Distrust(st, ref.Name); why != "" {
			f := nodeFinding(CodeMayHang, ref.Name, why, cluster.Fact{Name: st.Driver, Value: st.Version})
			f.Risk = policy.Risk{Code: CodeMayHang, Name: ref.Name}
			out = append(out, f)
		}
	}
	return out
}

// wakesTooMany refuses to have the storage attach more detached volumes at once
// than was allowed. A disk at a time would be fewer, where a node has several;
// most have one.
func (d *draft) wakesTooMany(ref cluster.NodeRef, asleep int) []assess.Finding {
	most := d.req.Policy.MaxEvicted
	if asleep <= most {
		return nil
	}
	return []assess.Finding{nodeFinding(CodeTooMany, ref.Name, fmt.Sprintf(
		"moving replicas off %s first would have the storage attach %d detached volumes at once, more than %d (--max-evicted)", ref.Name, asleep, most))}
}

func fits(n int) string {
	if n == 1 {
		return "the one replica on it fits elsewhere"
	}
	return fmt.Sprintf("all %d replicas on it fit elsewhere", n)
}
