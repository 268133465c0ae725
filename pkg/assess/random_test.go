// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// dice draws small clusters in which most things are well, so that Safe,
// Unsafe and Unknown all come up, and any one thing may be wrong.
type dice struct {
	t *rapid.T
	// upTo are the numbers from 1 to n, by n.
	upTo []*rapid.Generator[int]
}

// newDice makes dice to be thrown in every round; making them anew each time
// would take longer than what is tested.
func newDice() dice {
	d := dice{}
	for n := range 50 {
		d.upTo = append(d.upTo, rapid.IntRange(1, max(1, n)))
	}
	return d
}

// in is the dice for one round.
func (d dice) in(t *rapid.T) dice {
	d.t = t
	return d
}

// rarely is true about once in n.
func (d dice) rarely(n int) bool { return d.upTo[n].Draw(d.t, "rarely") == 1 }

func pick[T any](d dice, of ...T) T { return rapid.SampledFrom(of).Draw(d.t, "pick") }

// mostly is the first, and about once in n one of the others.
func mostly[T any](d dice, n int, first T, others ...T) T {
	if d.rarely(n) {
		return pick(d, others...)
	}
	return first
}

func nodeNames() []string { return []string{"n1", "n2", "n3", "n4"} }

// born is a time that is well before, about as old as, or after the data.
func (d dice) born() time.Time {
	return mostly(d, 12, ago(1000*time.Hour), ago(100*time.Hour+5*time.Second), ago(100*time.Hour-5*time.Second), ago(50*time.Hour), time.Time{})
}

func (d dice) snapshot() *cluster.Snapshot {
	s := &cluster.Snapshot{Source: mostly(d, 15, cluster.SourceLive, cluster.SourceFiles, cluster.SourceUnknown)}
	st := cluster.Storage{Driver: driver, Namespace: "storage-system", Reported: ago(time.Minute)}
	for _, name := range nodeNames() {
		if !d.rarely(10) {
			s.Nodes = append(s.Nodes, d.node(name))
		}
		if !d.rarely(12) {
			st.Nodes = append(st.Nodes, d.storageNode(name))
		}
	}
	if d.rarely(6) {
		st.Reporter = "reporter"
		for _, name := range nodeNames() {
			if !d.rarely(12) {
				s.Pods = append(s.Pods, d.reporter(name))
			}
		}
	}
	if d.rarely(3) {
		b := cluster.Base{Name: "image", Created: mostly(d, 3, time.Time{}, ago(100*time.Hour+6*time.Second), ago(100*time.Hour-6*time.Second), ago(10*time.Hour))}
		for range rapid.IntRange(0, 3).Draw(d.t, "copies") {
			b.Copies = append(b.Copies, cluster.BaseCopy{DiskUUID: "disk-" + pick(d, nodeNames()...), Ready: mostly(d, 6, cluster.Yes, cluster.No, cluster.Unknown),
				ReadyAt: mostly(d, 3, ago(100*time.Hour), time.Time{}, ago(10*time.Hour), ago(-11*time.Second))})
		}
		st.Bases = append(st.Bases, b)
	}
	for i := range mostly(d, 8, 0, 1, 2) {
		st.Orphans = append(st.Orphans, cluster.Orphan{Name: fmt.Sprintf("o%d", i), Node: mostly(d, 6, "n1", "n2", ""), Volume: mostly(d, 3, "v0", "v1", "gone", "")})
	}
	for i := range rapid.IntRange(0, 2).Draw(d.t, "volumes") {
		st.Volumes = append(st.Volumes, d.volume(fmt.Sprintf("v%d", i)))
		if !d.rarely(4) {
			s.Persistent = append(s.Persistent, cluster.PersistentVolume{Name: fmt.Sprintf("pv%d", i), Driver: driver, Handle: fmt.Sprintf("v%d", i), Bound: true, ClaimName: "c"})
		}
	}
	s.Storages = []cluster.Storage{st}
	d.odds(s)
	return s
}

// odds adds what is seldom there.
func (d dice) odds(s *cluster.Snapshot) {
	if d.rarely(40) {
		s.Storages = nil
	}
	if d.rarely(20) {
		s.Gaps = append(s.Gaps, cluster.Gap{Kind: pick(d, "nodes", "pods", "leases.coordination.k8s.io"), Reason: pick(d, cluster.GapNotGiven, cluster.GapForbidden),
			Needed: d.rarely(2), ForDrain: d.rarely(2)})
	}
	if d.rarely(40) {
		s.Gaps = append(s.Gaps, cluster.Gap{Kind: "replicas.x", Reason: pick(d, cluster.GapForbidden, cluster.GapMalformed), Needed: d.rarely(2), OfStorage: true})
	}
	if d.rarely(10) {
		s.Retired = append(s.Retired, cluster.Retired{Node: cluster.NodeRef{Name: "n1", UID: pick(d, cluster.UID("before"), "uid-n1")},
			At: pick(d, ago(100*time.Hour+11*time.Second), ago(100*time.Hour), ago(time.Hour))})
	}
	if d.rarely(10) {
		s.Missing = d.missing(s)
	}
	if d.rarely(15) {
		s.Persistent = append(s.Persistent, cluster.PersistentVolume{Name: "odd", Driver: pick(d, driver, "other", ""), Handle: "none",
			Local: d.rarely(2), Deleting: d.rarely(3), Bound: d.rarely(2), ClaimName: pick(d, "", "c"), Hostnames: pick(d, nil, []string{"n1"}, []string{"n1", "n2"}, []string{"id-n1"})})
	}
	if d.rarely(12) {
		s.Attachments = append(s.Attachments, cluster.Attachment{Name: "a", Driver: pick(d, driver, "other"), Node: pick(d, nodeNames()...)})
	}
}

func (d dice) node(name string) cluster.Node {
	return cluster.Node{
		Labels: map[string]string{mostly(d, 3, "example.org/nodeid", "example.org/rack", "kubernetes.io/hostname"): "id-" + name},
		Ref:    cluster.NodeRef{Name: name, UID: "uid-" + cluster.UID(name)}, Created: d.born(),
		Ready:        mostly(d, 12, cluster.Yes, cluster.No, cluster.Unknown),
		LeaseRenewed: mostly(d, 12, ago(time.Second), ago(time.Minute), ago(-5*time.Second), ago(-time.Minute), time.Time{}),
		Deleting:     d.rarely(25), Cordoned: d.rarely(5),
	}
}

func (d dice) storageNode(name string) cluster.StorageNode {
	sn := cluster.StorageNode{
		Name: name, Ready: mostly(d, 12, cluster.Yes, cluster.No, cluster.Unknown), Deleting: d.rarely(25),
		Reported: mostly(d, 12, ago(time.Minute), ago(2000*time.Hour), time.Time{}), Holds: mostly(d, 12, 0, 1),
	}
	for i := range mostly(d, 6, 1, 0, 2) {
		uuid := "disk-" + name
		if i > 0 {
			uuid = "second-" + name
		}
		sn.Disks = append(sn.Disks, cluster.Disk{
			Name: fmt.Sprintf("d%d", i), UUID: mostly(d, 12, uuid, "disk-other-"+name, "disk-n1", "disk-n3", ""), Path: mostly(d, 20, "/data", "/other"),
			Declared: !d.rarely(15), Reported: !d.rarely(20), Ready: mostly(d, 12, cluster.Yes, cluster.No, cluster.Unknown),
		})
	}
	return sn
}

func (d dice) reporter(node string) cluster.Pod {
	return cluster.Pod{Ref: cluster.PodRef{Namespace: mostly(d, 20, "storage-system", "elsewhere"), Name: node}, Node: node, OwnerName: "DaemonSet/reporter",
		Ready: mostly(d, 8, cluster.Yes, cluster.No, cluster.Unknown), Deleting: d.rarely(20), Finished: d.rarely(20)}
}

func (d dice) doubts(n int) []cluster.Doubt {
	if !d.rarely(n) {
		return nil
	}
	return []cluster.Doubt{{Code: "odd/thing", AtMost: pick(d, cluster.StandingGood, cluster.StandingUnknown, cluster.StandingUnproven, cluster.StandingFailed, cluster.StandingAbsent)}}
}

func (d dice) volume(name string) cluster.Volume {
	v := cluster.Volume{
		Name: name, UID: cluster.UID(name), Handle: pick(d, name, ""),
		Class: mostly(d, 15, cluster.ClassOrdinary, cluster.ClassUnknown, cluster.ClassStandby, cluster.ClassLinkedClone, cluster.ClassSharded),
		Want:  pick(d, 1, 2, 2, 2, 3, 3), Need: 1, SharesNode: mostly(d, 4, cluster.No, cluster.Yes, cluster.Unknown),
		State:   mostly(d, 2, cluster.Detached, cluster.Attached, cluster.Attached, cluster.Attached, cluster.Attaching, cluster.Detaching, cluster.Creating, cluster.Deleting, cluster.StateUnknown),
		Touched: !d.rarely(4), Mounted: d.rarely(3), Used: mostly(d, 3, int64(0), 7), Doubts: d.doubts(20),
		Engine: cluster.Engine{Present: mostly(d, 20, cluster.Yes, cluster.No, cluster.Unknown), Ever: mostly(d, 3, cluster.Yes, cluster.No, cluster.Unknown)},
		Base:   mostly(d, 8, "", "image"),
	}
	if d.rarely(8) {
		v.Need = pick(d, 0, 2, 2, 4)
	}
	if d.rarely(12) {
		v.Busy = []string{"busy"}
	}
	claim := cluster.Idle
	if v.State == cluster.Attached {
		claim = cluster.Serving
		v.Engine.Running = mostly(d, 12, cluster.Yes, cluster.No, cluster.Unknown)
		v.Engine.Node = pick(d, nodeNames()...)
		v.Engine.Owner = mostly(d, 12, v.Engine.Node, pick(d, nodeNames()...), "")
		if d.rarely(3) {
			v.Holds = []cluster.Hold{{Node: v.Engine.Node}}
		}
	}
	if d.rarely(6) {
		claim = cluster.Untouched
	}
	for i := range mostly(d, 6, v.Want, 0, 1, 2, 3, 4) {
		v.Replicas = append(v.Replicas, d.replica(fmt.Sprintf("%s-%d", name, i), nodeNames()[(i+len(name))%4], claim))
	}
	return v
}

func (d dice) replica(name, node string, claim cluster.Claim) cluster.Replica {
	r := cluster.Replica{
		Name: name, UID: cluster.UID(name), Directory: mostly(d, 10, name, "same"),
		Claim: mostly(d, 8, claim, cluster.ClaimUnknown, cluster.Serving, cluster.Idle, cluster.Rebuilding, cluster.Failed, cluster.Placeholder, cluster.Untouched),
		Node:  mostly(d, 8, node, "n1", "n2", ""), DiskPath: "/data", Deleting: d.rarely(30), Leaving: d.rarely(12), Doubts: d.doubts(25),
	}
	r.DiskUUID, r.Owner = mostly(d, 15, "disk-"+r.Node, "second-"+r.Node, "disk-n1", ""), mostly(d, 20, r.Node, "n4", "")
	if r.Claim != cluster.Untouched {
		r.HealthyAt = mostly(d, 25, ago(100*time.Hour), time.Time{}, ago(-11*time.Second))
	}
	r.Created = mostly(d, 4, time.Time{}, ago(100*time.Hour+6*time.Second), ago(100*time.Hour-4*time.Second), ago(10*time.Hour))
	if r.Claim == cluster.Failed {
		r.FailedAt = pick(d, ago(30*time.Hour), ago(time.Minute), time.Time{})
	}
	if d.rarely(3) {
		r.Probe = d.probe(r.Node)
	}
	return r
}

// probe is a look into a directory, seldom the answer of another machine or
// from before the node was made.
// missing are directories that an earlier look found missing, of some replicas, and
// of some that are not what they were.
func (d dice) missing(s *cluster.Snapshot) map[cluster.UID]cluster.Missing {
	out := map[cluster.UID]cluster.Missing{}
	for _, st := range s.Storages {
		for _, v := range st.Volumes {
			for _, r := range v.Replicas {
				if !d.rarely(3) {
					continue
				}
				r.Probe = d.probe(r.Node)
				r.Probe.Seen = cluster.SeenNothing
				x, _ := r.Missing()
				x.HealthyAt = mostly(d, 6, x.HealthyAt, ago(time.Hour))
				x.DiskUUID = mostly(d, 12, x.DiskUUID, "other")
				out[r.UID] = x
			}
		}
	}
	return out
}

func (d dice) probe(node string) *cluster.Probe {
	return &cluster.Probe{
		Seen: mostly(d, 3, cluster.SeenData, cluster.SeenNoAnswer, cluster.SeenNothing, cluster.SeenBlank, cluster.SeenBroken, cluster.SeenOtherDisk, cluster.SeenReplaced, cluster.SeenRemade),
		At:   mostly(d, 10, ago(time.Minute), ago(5*time.Minute), ago(15*time.Minute), ago(60*time.Hour), ago(2000*time.Hour)),
		Node: cluster.NodeRef{Name: node, UID: mostly(d, 15, "uid-"+cluster.UID(node), "uid-other")},
	}
}

func (d dice) policy() policy.Policy {
	p := policy.Default()
	p.MinReplicas = mostly(d, 6, 0, 1, 2, 3)
	if d.rarely(5) {
		p.Accepted = []policy.Risk{{Code: pick(d, VolumeOneCopy, PVBoundToNode, NodeForeignAttachment, BaseOnlyCopy, VolumeAlreadyLost, VolumeAlreadyLost, OrphanUnknown), Name: pick(d, "", "v0", "v0", "odd", "o0")}}
	}
	return p
}

func (d dice) turn() Turn {
	t := Turn{}
	if d.rarely(2) {
		t.CordonedAt, t.DrainedAt = ago(time.Hour), ago(10*time.Minute)
	}
	t.Proved = map[cluster.UID]time.Time{}
	for _, uid := range []cluster.UID{"v0-0", "v0-1", "v1-0", "v1-1", "v1-2"} {
		if d.rarely(2) {
			t.Proved[uid] = pick(d, ago(time.Minute), ago(10*time.Minute), ago(20*time.Minute))
		}
	}
	return t
}
