// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// hold is the name under which this roll holds volumes awake.
func (t *tick) hold() string { return "safe-roll-" + t.plan.Run }

// ours returns our hold on the volume, or nil.
func (t *tick) ours(v *cluster.Volume) *cluster.Hold {
	for i := range v.Holds {
		if v.Holds[i].ID == t.hold() {
			return &v.Holds[i]
		}
	}
	return nil
}

// wanted reports whether a workload wants the volume, as the storage or as
// Kubernetes says it.
func (t *tick) wanted(v *assess.VolumeJudgement) bool {
	for _, h := range v.Volume.Holds {
		if h.Kind == cluster.HoldWorkload {
			return true
		}
	}
	return t.count().attached[attached{v.Driver, v.PV}]
}

// woken counts the volumes that we hold awake, or have their storage rebuild;
// one that was deleted meanwhile takes no place.
func (t *tick) woken() int { return t.count().woken }

// wakeful is how many volumes may be awake at once: memory bounds them, and more
// than the storage rebuilds at a time would only wait.
func (t *tick) wakeful() int { return t.count().wakeful }

// yield takes back every hold of ours that is in somebody's way, whatever else
// the turn waits for: a pod cannot start on a volume that we hold.
func (t *tick) yield() Decision {
	for i := range t.j.Volumes {
		v := &t.j.Volumes[i]
		h := t.ours(v.Volume)
		if h == nil {
			continue
		}
		if t.wanted(v) {
			return t.sleep(v, "a workload wants it")
		}
		if n := t.s.Node(h.Node); n == nil || n.Cordoned || n.Ready == cluster.No {
			return t.sleep(v, "the node that it is attached to may go")
		}
	}
	return nil
}

// refill has a sleeping volume rebuilt: by the storage itself where it can do so
// while the volume sleeps, else by waking it.
func (t *tick) refill(v *assess.VolumeJudgement) Decision {
	k := v.Volume.SelfRebuild
	switch {
	case !t.mayWake(v):
		return nil
	case k == nil || haunted(t.j, v) || v.Condition != assess.Degraded:
		return t.wake(v)
	case k.IsAside():
		return nil // it does
	case t.entrusted(v.Volume) != nil:
		return t.wake(v) // somebody else has taken it back
	default:
		return t.rebuildAsleep(v)
	}
}

// mayWake reports whether the volume sleeps, nothing speaks against opening it,
// and not too many are awake. A volume is never opened with a replica that the
// storage might start without its data.
func (t *tick) mayWake(v *assess.VolumeJudgement) bool {
	return t.ours(v.Volume) == nil && !t.wanted(v) && v.Volume.State == cluster.Detached && len(v.Volume.Holds) == 0 &&
		v.Volume.Class == cluster.ClassOrdinary && len(v.Volume.Busy) == 0 && t.woken() < t.wakeful() && t.safeToOpen(v)
}

// wake holds a detached volume attached on a live node other than the turn's,
// so that the storage opens it and rebuilds it. It returns nil where there is
// nothing to do but wait.
func (t *tick) wake(v *assess.VolumeJudgement) Decision {
	if !t.mayWake(v) {
		return nil
	}
	node := t.wakeNode(v)
	if node == "" {
		return nil
	}
	return t.opening(v, t.act(Action{
		Verb: Wake, Driver: v.Driver, Volume: ObjectRef{v.Volume.Name, v.Volume.UID},
		Hold: t.hold(), HoldNode: node,
		Why: "volume " + v.Volume.Name + " sleeps; it is opened on " + node + " without a device, to be rebuilt and proven",
	}))
}

// glance is how old a look into a sleeping replica's directory may be when its
// volume is opened: some volumes are opened one after the other upon one look.
const glance = 20 * time.Second

// opening has directories looked into right before the storage opens a sleeping
// volume, where that was asked for. A replica whose directory is gone by then
// is started blank, and from then on its engine vouches for it: no object shows
// it any more.
func (t *tick) opening(v *assess.VolumeJudgement, d Decision) Decision {
	if !t.plan.Probe {
		return d
	}
	for i := range v.Replicas {
		r := v.Replicas[i].Replica
		if r.Claim == cluster.Idle && (r.Probe == nil || t.now.Sub(r.Probe.At) > glance) {
			return freshly(d)
		}
	}
	return d
}

// safeToOpen reports whether the data are there, and no replica could be
// started without its own.
func (t *tick) safeToOpen(v *assess.VolumeJudgement) bool {
	if unwritten(v) {
		return t.allThere(v)
	}
	good := 0
	for i := range v.Replicas {
		r := &v.Replicas[i]
		if startsBlank(t, v, r) {
			return false
		}
		if r.Standing == cluster.StandingGood {
			good++
		}
	}
	return good >= v.Volume.Need
}

// allThere reports whether every replica of a volume that never held data is on
// a live node: opened, it is blank, as it shall be.
func (t *tick) allThere(v *assess.VolumeJudgement) bool {
	for i := range v.Replicas {
		if !t.live(v.Replicas[i].Replica.Node) {
			return false
		}
	}
	return true
}

// startsBlank reports whether the storage might start the replica without its
// data. What is failed, being written, leaving or unused it knows the worth of.
func startsBlank(t *tick, v *assess.VolumeJudgement, r *assess.ReplicaJudgement) bool {
	switch r.Standing {
	case cluster.StandingAbsent:
		return phantom(r) && !t.unstartable(v, r)
	case cluster.StandingUnproven, cluster.StandingUnknown:
		return r.Replica.Claim != cluster.Placeholder
	default:
		return false
	}
}

// unstartable reports whether nothing could start the replica: no machine of
// its node's name is there, for the storage either, which then marks the replica
// as failed when it opens the volume.
func (t *tick) unstartable(v *assess.VolumeJudgement, r *assess.ReplicaJudgement) bool {
	if t.s.Node(r.Replica.Node) != nil {
		return false
	}
	st := t.s.Storage(v.Driver)
	if st == nil {
		return false
	}
	for i := range st.Nodes {
		if sn := &st.Nodes[i]; sn.Name == r.Replica.Node && !sn.Deleting && sn.Ready != cluster.No {
			return false
		}
	}
	return true
}

// wakeNode chooses where to open the volume: a live, uncordoned node whose
// storage serves, one with a good replica first. Empty where there is none.
func (t *tick) wakeNode(v *assess.VolumeJudgement) string {
	good := map[string]bool{}
	for _, r := range v.Replicas {
		if r.Standing == cluster.StandingGood {
			good[r.Replica.Node] = true
		}
	}
	second := ""
	for i := range t.s.Storages {
		st := &t.s.Storages[i]
		if st.Driver != v.Driver {
			continue
		}
		for _, sn := range st.Nodes {
			n := t.j.Node(sn.Name)
			if n == nil || n.Live != cluster.Yes || n.Node.Cordoned || n.Node.Deleting || t.turn != nil && n.Node.Ref == t.planned.Node ||
				sn.Ready != cluster.Yes || sn.Deleting || sn.Serving != cluster.Yes {
				continue
			}
			if good[sn.Name] {
				return sn.Name
			}
			if second == "" {
				second = sn.Name
			}
		}
	}
	return second
}

// letSleep takes back our hold on a volume that needs it no more, and what we
// had set aside for it.
func (t *tick) letSleep(v *assess.VolumeJudgement) Decision {
	if back := t.entrusted(v.Volume); back != nil {
		return t.act(*back)
	}
	if t.ours(v.Volume) == nil {
		return nil
	}
	return t.sleep(v, "it is done")
}

func (t *tick) sleep(v *assess.VolumeJudgement, why string) Decision {
	return t.act(Action{
		Verb: Sleep, Driver: v.Driver, Volume: ObjectRef{v.Volume.Name, v.Volume.UID},
		Hold: t.hold(), Why: "volume " + v.Volume.Name + " may sleep again: " + why,
	})
}

// nobodyAwake takes back every hold of ours, and waits until those volumes
// are detached again or a workload has them.
func (t *tick) nobodyAwake() Decision {
	for i := range t.j.Volumes {
		if d := t.letSleep(&t.j.Volumes[i]); d != nil {
			return d
		}
	}
	var left []string
	var parts []Part
	for i := range t.j.Volumes {
		v := t.j.Volumes[i].Volume
		if len(v.Holds) == 0 && (v.State == cluster.Attached || v.State == cluster.Detaching || v.State == cluster.Attaching) {
			p := t.part(&t.j.Volumes[i])
			parts = append(parts, p)
			left = append(left, p.line("on its way to sleep"))
		}
	}
	if len(left) == 0 {
		return nil
	}
	return t.waitForVolumes("woken volumes to sleep again", left, parts)
}

// leftovers takes back holds that an earlier roll left behind. The lock says
// that no other roll is alive to need them.
func (t *tick) leftovers() Decision {
	for i := range t.j.Volumes {
		v := &t.j.Volumes[i]
		for _, h := range v.Volume.Holds {
			if h.Kind == cluster.HoldOurs && h.ID != t.hold() {
				return t.act(Action{
					Verb: Sleep, Driver: v.Driver, Volume: ObjectRef{v.Volume.Name, v.Volume.UID},
					Hold: h.ID, Why: "an earlier roll left volume " + v.Volume.Name + " awake",
				})
			}
		}
	}
	return nil
}
