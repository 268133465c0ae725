// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// deleteCase asks whether w1 may be deleted, in a turn.
type deleteCase struct {
	permitCase
	turn Turn
}

func (c deleteCase) ask() Permit {
	l := c.lab()
	return l.judge().MayDelete(asked(l), c.turn)
}

func deleteCases() []deleteCase {
	return slices.Concat(provenCases(), restCases(), boundCases(), ruinCases())
}

func in(t Turn, c permitCase) deleteCase { return deleteCase{c, t} }

func provenCases() []deleteCase {
	drained := ago(10 * time.Minute)
	seen := func(at time.Time, nodes ...string) Turn {
		turn := Turn{CordonedAt: ago(20 * time.Minute), DrainedAt: drained, Proved: map[cluster.UID]time.Time{}}
		for _, n := range nodes {
			turn.Proved["r-data-"+cluster.UID(n)] = at
		}
		return turn
	}
	none := Turn{}
	return []deleteCase{
		in(none, permitCase{"others that serve now are proof", elsewhere, nil, nil, safe}),
		in(none, permitCase{"a volume that has nothing there needs no proof", func() *lab { return newLab().detached("data", "w2", "w3") }, nil, nil, safe}),
		in(none, permitCase{"what merely looks good is no proof", atRest3, nil, []string{VolumeNotProven}, dunno}),
		in(seen(drained, "w2"), permitCase{"one seen since the drain ended is proof", atRest3, nil, nil, safe}),
		in(seen(drained.Add(-time.Second), "w2", "w3"), permitCase{"one seen before the drain ended is none", atRest3, nil, []string{VolumeNotProven}, dunno}),
		in(seen(drained, "w1"), permitCase{"the one that goes is no proof", atRest3, nil, []string{VolumeNotProven}, dunno}),
		in(Turn{Proved: seen(now(), "w2").Proved}, permitCase{"outside a turn what was seen is no proof", atRest3, nil, []string{VolumeNotProven}, dunno}),
		in(seen(drained, "w2"), permitCase{"one seen and then lost is none", atRest3, func(l *lab) {
			l.v("data").Want = 1
			l.r(1).Claim = cluster.Failed
		}, []string{VolumeNotProven}, dunno}),
		in(seen(drained, "w2"), permitCase{"two needed and one seen is not enough", atRest3, func(l *lab) { l.v("data").Need = 2 }, []string{VolumeNotProven}, dunno}),
		in(seen(drained, "w2", "w3"), permitCase{"two needed and two seen is enough", atRest3, func(l *lab) { l.v("data").Need = 2 }, nil, safe}),
		in(none, permitCase{"a failed one there needs proof of the others too", atRest3, func(l *lab) {
			l.v("data").Want = 2
			l.r(0).Claim = cluster.Failed
		}, []string{VolumeNotProven}, dunno}),
		in(none, permitCase{"a volume that nobody used needs no proof", unused2, nil, nil, safe}),
		in(none, permitCase{"a volume that is going needs no proof", atRest3, func(l *lab) { l.v("data").State = cluster.Deleting }, nil, safe}),
		in(none, permitCase{"the floor holds here too", atRest2, nil, []string{VolumeOneCopy, VolumeNotProven}, unsafe}),
		in(none, permitCase{"files know nothing of the present", elsewhere, files, []string{InputNotLive}, dunno}),
		in(none, permitCase{"a source that is not known is not the present", elsewhere, func(l *lab) { l.s.Source = 0 }, []string{InputNotLive}, dunno}),
		in(none, permitCase{"another node of that name is not asked about", elsewhere, func(l *lab) { l.node("w1").Ref.UID = "new" }, []string{NodeOtherIncarnation}, unsafe}),
		in(none, permitCase{"a kind that draining needs is needed here", elsewhere, gap(cluster.Gap{Kind: "pods", ForDrain: true}), []string{InputGapDrain}, dunno}),
		in(none, permitCase{"a kind by which the storage holds the node must have been read", elsewhere,
			gap(cluster.Gap{Kind: "sharemanagers.x", Reason: cluster.GapFailed, OfStorage: true}), []string{InputGapDrain}, dunno}),
		in(none, permitCase{"a kind that the storage does not have holds nothing", elsewhere,
			gap(cluster.Gap{Kind: "shardgroups.x", Reason: cluster.GapMissing, OfStorage: true}), nil, safe}),
		in(none, permitCase{"a kind that nobody asked for holds nothing", elsewhere,
			gap(cluster.Gap{Kind: "shardgroups.x", Reason: cluster.GapNotGiven, OfStorage: true}), nil, safe}),
		in(none, permitCase{"a kind that is needed is missing once", elsewhere,
			gap(cluster.Gap{Kind: "replicas.x", Reason: cluster.GapMalformed, Needed: true, OfStorage: true}), []string{InputGapNeeded}, dunno}),
	}
}

func restCases() []deleteCase {
	none := Turn{}
	cordoned := ago(20*time.Minute + 500*time.Millisecond)
	turn := Turn{CordonedAt: cordoned, DrainedAt: ago(10 * time.Minute)}
	failed := func(at time.Time) func(*lab) {
		return func(l *lab) {
			l.v("data").Want = 3
			l.r(0).Claim, l.r(0).FailedAt = cluster.Failed, at
		}
	}
	return []deleteCase{
		in(none, permitCase{"an engine there still serves", elsewhere, func(l *lab) { l.v("data").Engine.Node = "w1" }, []string{NodeStillServing}, unsafe}),
		in(none, permitCase{"a hold there still serves", elsewhere, func(l *lab) { l.v("data").Holds = []cluster.Hold{{ID: "x", Node: "w1"}} }, []string{NodeStillServing}, unsafe}),
		in(none, permitCase{"an engine of a volume nobody used still serves", unused2, func(l *lab) { l.v("data").Engine.Node = "w1" }, []string{NodeStillServing}, unsafe}),
		in(none, permitCase{"what the storage's node says it runs still serves", elsewhere, func(l *lab) { l.sn("w1").Holds = 1 }, []string{NodeStillServing}, unsafe}),
		in(none, permitCase{"what another storage node runs is elsewhere", elsewhere, func(l *lab) { l.sn("w2").Holds = 1 }, nil, safe}),
		in(none, permitCase{"an attachment there still serves", elsewhere, func(l *lab) {
			l.s.Attachments = []cluster.Attachment{{Name: "a", Driver: driver, PV: "pv-data", Node: "w1"}}
		}, []string{NodeStillServing}, unsafe}),
		in(none, permitCase{"an attachment elsewhere is elsewhere", elsewhere, func(l *lab) {
			l.s.Attachments = []cluster.Attachment{{Name: "a", Driver: driver, PV: "pv-data", Node: "w2"}, {Name: "b", Driver: "other", Node: "w2"}}
		}, nil, safe}),
		in(none, permitCase{"a busy volume anywhere must come to rest", func() *lab { return newLab().attached("data", "w2", "w3") },
			func(l *lab) { l.v("data").Busy = []string{"purging"} }, []string{VolumeBusy}, dunno}),
		in(none, permitCase{"a rebuild anywhere must end", elsewhere, func(l *lab) {
			l.v("data").Replicas = append(l.v("data").Replicas, replicaOf("data", "w3"))
			l.r(3).Name, l.r(3).Claim, l.r(3).Directory = "new", cluster.Rebuilding, "new"
		}, []string{VolumeRebuilding}, dunno}),
		in(none, permitCase{"a volume that is going need not come to rest", func() *lab { return newLab().attached("data", "w2", "w3") }, func(l *lab) {
			l.v("data").Busy, l.v("data").State = []string{"purging"}, cluster.Deleting
			l.r(0).Claim = cluster.Rebuilding
		}, nil, safe}),
		in(none, permitCase{"a failed one there may be the last resort", elsewhere, failed(ago(time.Hour)), []string{ReplicaLastResort}, unsafe}),
		in(none, permitCase{"a failed one there without a time may be the last resort", elsewhere, failed(time.Time{}), []string{ReplicaLastResort}, unsafe}),
		in(turn, permitCase{"one that failed before our cordon may be the last resort", elsewhere, failed(ago(21 * time.Minute)), []string{ReplicaLastResort}, unsafe}),
		in(turn, permitCase{"one that failed in a turn without a time may be the last resort", elsewhere, failed(time.Time{}), []string{ReplicaLastResort}, unsafe}),
		in(turn, permitCase{"one that failed by our drain was not needed", elsewhere, failed(ago(15 * time.Minute)), nil, safe}),
		in(turn, permitCase{"one that failed in the second of our cordon was not needed", elsewhere, failed(cordoned.Truncate(time.Second)), nil, safe}),
		in(none, permitCase{"a failed one is no last resort of a whole volume", elsewhere, func(l *lab) {
			failed(ago(time.Hour))(l)
			l.v("data").Want = 2
		}, nil, safe}),
		in(none, permitCase{"a failed one on another node stays", elsewhere, func(l *lab) {
			l.v("data").Want = 2
			l.v("data").Replicas[0].Node, l.v("data").Replicas[0].DiskUUID, l.v("data").Replicas[0].Owner = "w3", "disk-w3", "w3"
			l.r(2).Claim = cluster.Failed
		}, nil, safe}),
		in(none, permitCase{"one that a doubt calls failed may be the last resort", elsewhere, func(l *lab) {
			l.r(0).Doubts = []cluster.Doubt{{Code: "odd/thing", AtMost: cluster.StandingFailed}}
		}, []string{ReplicaLastResort}, unsafe}),
		in(none, permitCase{"a failed one whose disk is another has nothing", elsewhere, func(l *lab) {
			l.disk("w1").UUID = "other"
			failed(ago(time.Hour))(l)
		}, nil, safe}),
		in(none, permitCase{"a failed one of a volume that is going is nobody's", elsewhere, func(l *lab) {
			failed(ago(time.Hour))(l)
			l.v("data").State = cluster.Deleting
			l.v("data").Engine.Node = "w2"
		}, nil, safe}),
	}
}

// image has copies of it lie on these disks.
func image(disks ...string) func(*lab) {
	return func(l *lab) {
		b := cluster.Base{Name: "image"}
		for _, d := range disks {
			b.Copies = append(b.Copies, cluster.BaseCopy{DiskUUID: d, Ready: cluster.Yes, ReadyAt: ago(10 * time.Hour)})
		}
		l.st().Bases = []cluster.Base{b}
	}
}

func boundCases() []deleteCase {
	local := cluster.PersistentVolume{Name: "pv-l", Local: true, Hostnames: []string{"w1"}, Bound: true, ClaimNamespace: "apps", ClaimName: "l"}
	with := func(f func(*cluster.PersistentVolume)) func(*lab) {
		p := local
		f(&p)
		return pv(p)
	}
	as := func(claim string, bend func(*lab), v cluster.Verdict, codes ...string) deleteCase {
		return in(Turn{}, permitCase{claim, elsewhere, bend, codes, v})
	}
	foreign := func(l *lab) {
		l.s.Attachments = []cluster.Attachment{{Name: "a", Driver: "other.example.org", PV: "pv-o", Node: "w1"}}
	}
	return []deleteCase{
		as("a local volume dies with its node", pv(local), unsafe, PVBoundToNode),
		as("a local volume elsewhere does not", with(func(p *cluster.PersistentVolume) { p.Hostnames = []string{"w2"} }), safe),
		as("a local volume may be bound by hostname", then(func(l *lab) { l.node("w1").Labels = map[string]string{"kubernetes.io/hostname": "w1.local"} },
			with(func(p *cluster.PersistentVolume) { p.Hostnames = []string{"w1.local"} })), unsafe, PVBoundToNode),
		as("a local volume of a node without a name is nobody's", with(func(p *cluster.PersistentVolume) { p.Hostnames = []string{""} }), safe),
		as("a local volume that nobody ever claimed is empty", with(func(p *cluster.PersistentVolume) { p.Bound, p.ClaimName = false, "" }), safe),
		as("a local volume that was released still holds data", with(func(p *cluster.PersistentVolume) { p.Bound = false }), unsafe, PVBoundToNode),
		as("a path on some node may be on this one", with(func(p *cluster.PersistentVolume) { p.Hostnames = nil }), dunno, PVBoundToNode),
		as("a local volume may be given up by name", then(pv(local), accept(PVBoundToNode, "pv-l")), safe),
		as("another local volume was given up", then(pv(local), accept(PVBoundToNode, "pv-x")), unsafe, PVBoundToNode),
		as("a driver that binds to one node is as local", with(func(p *cluster.PersistentVolume) { p.Local, p.Driver = false, "other" }), unsafe, PVBoundToNode),
		as("a driver that binds to several nodes is not", with(func(p *cluster.PersistentVolume) {
			p.Local, p.Driver, p.Hostnames = false, "other", []string{"w1", "w2"}
		}), safe),
		as("a local volume that lies on several nodes lies on this one", with(func(p *cluster.PersistentVolume) { p.Hostnames = []string{"w2", "w1"} }), unsafe, PVBoundToNode),
		as("a driver that binds to none is not", with(func(p *cluster.PersistentVolume) { p.Local, p.Driver, p.Hostnames = false, "other", nil }), safe),
		as("a volume of another driver may be served from there", foreign, unsafe, NodeForeignAttachment),
		as("a volume of another driver may be accepted by name", then(foreign, accept(NodeForeignAttachment, "pv-o")), safe),
		as("the only copy of an image dies with its node", image("disk-w1"), unsafe, BaseOnlyCopy),
		as("an image with a copy elsewhere does not", image("disk-w1", "disk-w2"), safe),
		as("a copy on a silent node is none", then(image("disk-w1", "disk-w3"), func(l *lab) {
			l.node("w3").Ready = cluster.No
			l.v("data").Want, l.v("data").Replicas = 2, l.v("data").Replicas[:2]
			l.pol.MinReplicas = 1
		}), unsafe, BaseOnlyCopy),
		as("an image whose copies nobody has may be anywhere", image("disk-x"), dunno, BaseOnlyCopy),
		as("an image whose only copy is on a silent node is not on this one", then(image("disk-w3"), func(l *lab) {
			l.sn("w3").Deleting = true
			l.v("data").Want, l.v("data").Replicas = 2, l.v("data").Replicas[:2]
			l.pol.MinReplicas = 1
		}), safe),
		as("an image without copies lies nowhere", image(), safe),
		as("a copy on no known disk may be on any", then(image(""), func(l *lab) { l.disk("w1").UUID = "" }), dunno, BaseOnlyCopy),
		as("an image that lies elsewhere does not", image("disk-w2"), safe),
		as("an image that no volume uses may be given up by name", then(image("disk-w1"), accept(BaseOnlyCopy, "image")), safe),
		as("an image that a volume uses may not", then(image("disk-w1"), accept(BaseOnlyCopy, "image"), func(l *lab) { l.v("data").Base = "image" }), unsafe, BaseOnlyCopy, VolumeNoBase),
		as("an image under a volume that is going is in no use", then(image("disk-w1"), accept(BaseOnlyCopy, "image"), func(l *lab) {
			l.v("data").Base, l.v("data").State, l.v("data").Engine.Node = "image", cluster.Deleting, "w2"
		}), safe),
		as("a clone of the disk elsewhere is no copy", then(image("disk-w1"), func(l *lab) {
			l.sn("w3").Disks = append(l.sn("w3").Disks, cluster.Disk{Name: "clone", UUID: "disk-w1", Declared: true, Reported: true, Ready: cluster.Yes})
			l.v("data").Want = 2
		}), unsafe, BaseOnlyCopy),
	}
}

// ruinCases are of what is left of volumes: directories that nobody names, and
// losses that were accepted.
func ruinCases() []deleteCase {
	orphan := func(o cluster.Orphan) func(*lab) {
		o.Name, o.Directory = "orphan-1", "dir"
		return func(l *lab) { l.st().Orphans = append(l.st().Orphans, o) }
	}
	as := func(claim string, world func() *lab, bend func(*lab), v cluster.Verdict, codes ...string) deleteCase {
		return in(Turn{}, permitCase{claim, world, bend, codes, v})
	}
	short := func(l *lab) { l.v("data").Want, l.r(2).Claim = 2, cluster.Failed } // w1 and w2 are good
	lost := func() *lab {
		l := newLab().detached("data", "w2", "w3")
		l.r(0).Claim = cluster.Failed
		l.remove("w3")
		return l
	}
	accepted := accept(VolumeAlreadyLost, "data")
	return []deleteCase{
		as("an orphan of a volume that is not whole elsewhere may be the last resort", elsewhere,
			then(short, orphan(cluster.Orphan{Node: "w1", Volume: "data"})), unsafe, OrphanLastResort, VolumeOneCopy),
		as("an orphan of a volume that is whole elsewhere is not needed", elsewhere,
			then(func(l *lab) { l.v("data").Want = 2 }, orphan(cluster.Orphan{Node: "w1", Volume: "data"})), safe),
		as("an orphan on another node stays", elsewhere, orphan(cluster.Orphan{Node: "w2", Volume: "data"}), safe),
		as("an orphan of a volume that is not there is nobody's", elsewhere, orphan(cluster.Orphan{Node: "w1", Volume: "gone"}), safe),
		as("an orphan of a volume that is going is nobody's", elsewhere,
			then(func(l *lab) { l.v("data").State, l.v("data").Engine.Node = cluster.Deleting, "w2" }, orphan(cluster.Orphan{Node: "w1", Volume: "data"})), safe),
		as("an orphan of nobody knows whom may be needed", elsewhere, orphan(cluster.Orphan{Node: "w1"}), dunno, OrphanUnknown),
		as("an orphan of nobody knows whom may be given up by name", elsewhere,
			then(orphan(cluster.Orphan{Node: "w1"}), accept(OrphanUnknown, "orphan-1")), safe),
		as("an orphan on nobody knows which node may be on this one", elsewhere, orphan(cluster.Orphan{Volume: "data"}), dunno, OrphanUnknown),
		as("a lost volume is lost for every node", lost, nil, unsafe, VolumeDataLost),
		as("a loss that was accepted frees a node that holds nothing of it", lost, accepted, safe),
		as("a loss that was accepted frees no node with a replica", lost, then(accepted, func(l *lab) {
			gone := replicaOf("data", "w1")
			gone.Claim = cluster.Failed
			l.v("data").Replicas = append(l.v("data").Replicas, gone)
		}), unsafe, VolumeAlreadyLost),
		as("a loss that was accepted frees no node that still holds it", lost,
			then(accepted, func(l *lab) { l.v("data").Holds = []cluster.Hold{{Node: "w1"}} }), unsafe, VolumeAlreadyLost),
		as("a loss that was accepted frees no node with an orphan of it", lost,
			then(accepted, orphan(cluster.Orphan{Node: "w1", Volume: "data"})), unsafe, VolumeAlreadyLost, OrphanLastResort),
		as("a loss that was accepted frees no node with an orphan that may be of it", lost,
			then(accepted, orphan(cluster.Orphan{Node: "w1"})), unsafe, VolumeAlreadyLost, OrphanUnknown),
		as("a loss that was accepted frees no node on which an orphan of it may lie", lost,
			then(accepted, orphan(cluster.Orphan{Volume: "data"})), unsafe, VolumeAlreadyLost, OrphanUnknown),
		as("a loss that was accepted frees a node whose orphans are of others", lost,
			then(accepted, orphan(cluster.Orphan{Node: "w1", Volume: "gone"}), orphan(cluster.Orphan{Node: "w2", Volume: "data"})), safe),
	}
}

func TestMayDelete(t *testing.T) {
	for _, c := range deleteCases() {
		t.Run(c.claim, func(t *testing.T) {
			p := c.ask()
			wantCodes(t, p.Findings, Unclear, c.codes...)
			if p.Verdict != c.verdict {
				t.Errorf("%v, want %v\n%s", p.Verdict, c.verdict, say(p.Findings))
			}
		})
	}
}

func TestMayDelete_TheTimeOfTheDrainIsEvidenceInATurnAlone(t *testing.T) {
	told := func(turn Turn) bool {
		l := atRest3()
		fs := l.judge().MayDelete(asked(l), turn).Findings
		i := slices.IndexFunc(fs, func(f Finding) bool { return f.Code == VolumeNotProven })
		return i >= 0 && slices.ContainsFunc(fs[i].Evidence, func(x cluster.Fact) bool { return x.Name == "turn.drainedAt" })
	}
	if !told(Turn{DrainedAt: now()}) || told(Turn{}) {
		t.Errorf("in a turn it is told: %t; outside of one: %t", told(Turn{DrainedAt: now()}), told(Turn{}))
	}
}

func TestMayDelete_NobodyIsToldToWakeWhatMustNotBeAttached(t *testing.T) {
	for want, bend := range map[string]func(*lab){
		"0 of the 1 others that must be seen serving were: wake it without the node first.":                         func(*lab) {},
		"0 of the 1 others that must be seen serving were: have them probed, for it must not be attached as it is.": func(l *lab) { l.recreate("w1") },
	} {
		l := atRest3()
		bend(l)
		p := l.judge().MayDelete(asked(l), Turn{})
		if !slices.ContainsFunc(p.Findings, func(f Finding) bool { return f.Code == VolumeNotProven && strings.Contains(f.Message, want) }) {
			t.Errorf("nobody says %q:\n%s", want, say(p.Findings))
		}
	}
}
