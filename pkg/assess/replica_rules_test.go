// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"slices"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// replicaCase bends one fact of a volume "data" with replicas on w1 and w2 and
// says what the replica on w1 is then.
type replicaCase struct {
	claim    string
	attached bool
	bend     func(*lab)
	standing cluster.Standing
	code     string
	verdict  cluster.Verdict
}

func (c replicaCase) lab() *lab {
	l := newLab()
	if c.attached {
		// The engine is on w3, so that bending w1 bends a replica alone.
		l.attached("data", "w1", "w2")
		l.v("data").Engine.Node, l.v("data").Engine.Owner = "w3", "w3"
	} else {
		l.detached("data", "w1", "w2")
	}
	if c.bend != nil {
		c.bend(l)
	}
	return l
}

func replicaCases() []replicaCase {
	return slices.Concat(placeCases(), diskCases(), claimCases(), engineCases(), probeCases())
}

const (
	isGood    = cluster.StandingGood
	isAbsent  = cluster.StandingAbsent
	isUnknown = cluster.StandingUnknown
	unsafe    = cluster.Unsafe
	safe      = cluster.Safe
	dunno     = cluster.VerdictUnknown
)

func placeCases() []replicaCase {
	return []replicaCase{
		{"a replica at rest on a live node counts", false, nil, isGood, "", safe},
		{"a replica whose node is gone is absent", false, func(l *lab) { l.remove("w1") }, isAbsent, ReplicaNodeGone, unsafe},
		{"a disk that went from a node that is gone to another was moved", false, func(l *lab) {
			l.remove("w1")
			l.sn("w3").Disks = append(l.sn("w3").Disks, cluster.Disk{Name: "moved", UUID: "disk-w1", Path: "/data", Declared: true, Reported: true, Ready: cluster.Yes})
		}, isUnknown, DiskElsewhere, dunno},
		{"a node is not gone where nodes could not all be read", false, func(l *lab) {
			l.remove("w1")
			l.s.Gaps = []cluster.Gap{{Kind: "nodes", Reason: cluster.GapTruncated, Needed: true}}
		}, isUnknown, NodeNotRead, dunno},
		{"a node that is not Ready may come back", false, func(l *lab) { l.node("w1").Ready = cluster.No }, isUnknown, NodeNotReady, dunno},
		{"a node that does not say may come back", false, func(l *lab) { l.node("w1").Ready = cluster.Unknown }, isUnknown, NodeNotReady, dunno},
		{"a lease just inside the limit is fresh", false, func(l *lab) { l.node("w1").LeaseRenewed = ago(40 * time.Second) }, isGood, "", safe},
		{"an old lease outweighs Ready", false, func(l *lab) { l.node("w1").LeaseRenewed = ago(41 * time.Second) }, isUnknown, NodeLeaseOld, dunno},
		{"a missing lease says nothing", false, func(l *lab) { l.node("w1").LeaseRenewed = time.Time{} }, isUnknown, NodeLeaseMissing, dunno},
		{"a lease within the clocks' margin is fresh", false, func(l *lab) { l.node("w1").LeaseRenewed = ago(-10 * time.Second) }, isGood, "", safe},
		{"a lease of the future says nothing", false, func(l *lab) { l.node("w1").LeaseRenewed = ago(-11 * time.Second) }, isUnknown, NodeLeaseAhead, dunno},
		{"a node that is being deleted takes its replica along", false, func(l *lab) { l.node("w1").Deleting = true },
			cluster.StandingLeaving, NodeDeleting, unsafe},
		{"two nodes of one name are none", false, func(l *lab) { l.s.Nodes = append(l.s.Nodes, *l.node("w1")) }, isUnknown, InputTwice, dunno},
		{"a storage node that is missing may be starting", false, func(l *lab) { l.sn("w1").Name = "w9" }, isUnknown, StorageNodeMissing, dunno},
		{"a storage node that is going speaks of the past", false, func(l *lab) { l.sn("w1").Deleting = true }, isUnknown, StorageNodeDeleting, dunno},
		{"a storage node that is not ready speaks of the past", false, func(l *lab) { l.sn("w1").Ready = cluster.No }, isUnknown, StorageNodeNotReady, dunno},
		{"a storage node that does not say is not ready", false, func(l *lab) { l.sn("w1").Ready = cluster.Unknown }, isUnknown, StorageNodeNotReady, dunno},
		{"two storage nodes of one name are none", false, func(l *lab) {
			l.st().Nodes = append(l.st().Nodes, *l.sn("w1"))
		}, isUnknown, InputTwice, dunno},
		{"two storage nodes of one name do not tell that a disk is another one", false, func(l *lab) {
			l.recreate("w1")
			l.st().Nodes = append(l.st().Nodes, *l.sn("w1"))
		}, isUnknown, InputTwice, dunno},
		{"a replica that another node reports is not vouched for", false, func(l *lab) { l.r(0).Owner = "w2" }, isUnknown, ReplicaOwnerElsewhere, dunno},
		{"a replica that nobody reports is not vouched for", false, func(l *lab) { l.r(0).Owner = "" }, isUnknown, ReplicaOwnerElsewhere, dunno},
		{"a replica without a node lies nowhere known", false, func(l *lab) { l.r(0).Node = "" }, isUnknown, ReplicaNoPlace, dunno},
		{"a replica without a disk lies nowhere known", false, func(l *lab) { l.r(0).DiskUUID = "" }, isUnknown, ReplicaNoPlace, dunno},
		{"a node younger than the data is another machine", false, func(l *lab) { l.node("w1").Created = ago(time.Hour) },
			cluster.StandingUnproven, ReplicaNodeYounger, dunno},
		{"a node younger than the data by the clocks' margin cannot be told", false, func(l *lab) {
			l.node("w1").Created = l.r(0).HealthyAt.Add(10 * time.Second)
		}, isUnknown, ReplicaNodeAsOld, dunno},
		{"a node older than the data by the clocks' margin cannot be told", false, func(l *lab) {
			l.node("w1").Created = l.r(0).HealthyAt.Add(-10 * time.Second)
		}, isUnknown, ReplicaNodeAsOld, dunno},
		{"a node older than the data by more is the machine", false, func(l *lab) {
			l.node("w1").Created = l.r(0).HealthyAt.Add(-11 * time.Second)
		}, isGood, "", safe},
		{"a replica that was made after its node was made there", false, func(l *lab) {
			l.node("w1").Created = ago(time.Minute)
			l.r(0).Created, l.r(0).HealthyAt = ago(59*time.Second), ago(55*time.Second)
		}, isGood, "", safe},
		{"a replica that was made in the second of its node cannot be told", false, func(l *lab) {
			l.node("w1").Created = ago(time.Minute)
			l.r(0).Created, l.r(0).HealthyAt = ago(time.Minute), ago(55*time.Second)
		}, isUnknown, ReplicaNodeAsOld, dunno},
		{"a replica that was healthy before it was made was restored", false, func(l *lab) {
			l.node("w1").Created = ago(time.Hour)
			l.r(0).Created = ago(time.Minute)
		}, cluster.StandingUnproven, ReplicaNodeYounger, dunno},
		{"a replica that was made after a node without an age cannot be told", false, func(l *lab) {
			l.node("w1").Created = time.Time{}
			l.r(0).Created = ago(time.Minute)
		}, isUnknown, NodeAgeUnknown, dunno},
		{"a node without an age cannot be told", false, func(l *lab) { l.node("w1").Created = time.Time{} }, isUnknown, NodeAgeUnknown, dunno},
		{"a node whose reporter is ready speaks of the present", true, reporter("w1", cluster.Yes), isGood, "", safe},
		{"a node whose reporter is not ready speaks of the past", true, reporter("w1", cluster.No), isUnknown, StorageNodeSilent, dunno},
		{"a node whose reporter is going speaks of the past", true, then(reporter("w1", cluster.Yes), func(l *lab) { l.s.Pods[0].Deleting = true }),
			isUnknown, StorageNodeSilent, dunno},
		{"a node whose reporter has finished speaks of the past", true, then(reporter("w1", cluster.Yes), func(l *lab) { l.s.Pods[0].Finished = true }),
			isUnknown, StorageNodeSilent, dunno},
		{"a node whose reporter is replaced speaks of the present", true, then(reporter("w1", cluster.Yes), func(l *lab) {
			old := l.s.Pods[0]
			old.Deleting = true
			l.s.Pods = append(l.s.Pods, old)
		}), isGood, "", safe},
		{"a node without a reporter speaks of the past", true, then(reporter("w1", cluster.Yes), func(l *lab) { l.s.Pods = l.s.Pods[1:] }),
			isUnknown, StorageNodeSilent, dunno},
		{"where no reporter is left nobody speaks", true, then(reporter("w1", cluster.Yes), func(l *lab) { l.s.Pods = nil }), isUnknown, StorageNodeSilent, dunno},
		{"where pods may not be read nobody is known to speak", true, then(reporter("w1", cluster.Yes), noPods(cluster.GapForbidden)), isUnknown, StorageNodeSilent, dunno},
		{"a cluster does not leave out its pods", true, then(reporter("w1", cluster.Yes), noPods(cluster.GapNotGiven)), isUnknown, StorageNodeSilent, dunno},
		{"files without pods say nothing of reporters", true, then(reporter("w1", cluster.No), noPods(cluster.GapNotGiven), func(l *lab) {
			l.s.Source = cluster.SourceFiles
		}), isGood, "", safe},
		{"files that miss another kind say of reporters what they hold", true, then(reporter("w1", cluster.No), files, gap(cluster.Gap{Kind: "settings.x", Reason: cluster.GapNotGiven})),
			isUnknown, StorageNodeSilent, dunno},
		{"other pods are no reporters", true, then(reporter("w1", cluster.Yes), func(l *lab) {
			l.st().Reporter = "another"
		}), isUnknown, StorageNodeSilent, dunno},
		{"a replica that was healthy while a machine was yet to be retired lay on that one", false, func(l *lab) {
			l.node("w1").Created = ago(1000 * time.Hour) // whatever the clock of the new one says
			retired("w1", "uid-before", l.r(0).HealthyAt.Add(-10*time.Second))(l)
		}, cluster.StandingUnproven, ReplicaNodeRetired, dunno},
		{"a replica that was healthy after a machine was retired lies on its successor", false, func(l *lab) {
			retired("w1", "uid-before", l.r(0).HealthyAt.Add(-11*time.Second))(l)
		}, isGood, "", safe},
		{"the last retirement counts", false, func(l *lab) {
			retired("w1", "uid-before", l.r(0).HealthyAt.Add(time.Hour))(l)
			retired("w1", "uid-long-before", l.r(0).HealthyAt.Add(-time.Hour))(l)
		}, cluster.StandingUnproven, ReplicaNodeRetired, dunno},
		{"a replica that was made after its node needs no record", false, func(l *lab) {
			l.node("w1").Created = ago(time.Minute)
			l.r(0).Created, l.r(0).HealthyAt = ago(59*time.Second), ago(55*time.Second)
			retired("w1", "uid-before", now())(l)
		}, isGood, "", safe},
		{"another machine was retired", false, retired("w2", "uid-before", ago(20*24*time.Hour)), isGood, "", safe},
		{"this machine is said to be retired and is there", false, retired("w1", "uid-w1", now()), isGood, "", safe},
		{"a replica that was healthy in the future tells of a clock that is wrong", false, func(l *lab) { l.r(0).HealthyAt = now().Add(11 * time.Second) },
			isUnknown, ReplicaHealthyAhead, dunno},
		{"a replica that was healthy in the future by the clocks' margin was healthy now", false, func(l *lab) { l.r(0).HealthyAt = now().Add(10 * time.Second) },
			isGood, "", safe},
		{"a replica that was never healthy does not count", false, func(l *lab) { l.r(0).HealthyAt = time.Time{} }, isUnknown, ReplicaNeverHealthy, dunno},
	}
}

// reporter has the storage report from every worker, and says how ready the
// reporter on one of them is.
func reporter(node string, ready cluster.Answer) func(*lab) {
	return func(l *lab) {
		l.st().Reporter = "reporter"
		for _, n := range []string{"w1", "w2", "w3"} {
			p := cluster.Pod{Ref: cluster.PodRef{Namespace: "storage-system", Name: n}, Node: n, Ready: cluster.Yes, OwnerName: "DaemonSet/reporter"}
			if n == node {
				p.Ready = ready
			}
			l.s.Pods = append(l.s.Pods, p)
		}
	}
}

// noPods takes the pods away, and says why there are none.
func noPods(why cluster.GapReason) func(*lab) {
	return func(l *lab) {
		l.s.Pods = nil
		gap(cluster.Gap{Kind: "pods", Reason: why, ForDrain: true})(l)
	}
}

// retired records that a machine is gone.
func retired(name string, uid cluster.UID, at time.Time) func(*lab) {
	return func(l *lab) {
		l.s.Retired = append(l.s.Retired, cluster.Retired{Node: cluster.NodeRef{Name: name, UID: uid}, At: at})
	}
}

func diskCases() []replicaCase {
	return []replicaCase{
		{"a machine of the same name with another disk has nothing", false, func(l *lab) { l.recreate("w1") }, isAbsent, DiskOtherUUID, unsafe},
		{"a disk is not another one before its node was looked at", false, func(l *lab) {
			l.recreate("w1")
			l.sn("w1").Reported = ago(3 * time.Minute)
		}, isUnknown, StorageNodeReportOld, dunno},
		{"a report without a time is believed when it is bad", false, func(l *lab) {
			l.recreate("w1")
			l.sn("w1").Reported = time.Time{}
		}, isAbsent, DiskOtherUUID, unsafe},
		{"a disk is not another one while its node is silent", false, func(l *lab) {
			l.recreate("w1")
			l.node("w1").Ready = cluster.No
		}, isUnknown, NodeNotReady, dunno},
		{"a disk is not another one while its storage node is not ready", false, func(l *lab) {
			l.recreate("w1")
			l.sn("w1").Ready = cluster.No
		}, isUnknown, StorageNodeNotReady, dunno},
		{"a disk is not another one while nobody reports from its node", false, func(l *lab) {
			l.recreate("w1")
			reporter("w1", cluster.No)(l)
		}, isUnknown, StorageNodeSilent, dunno},
		{"a disk is not another one while its storage node is going", false, func(l *lab) {
			l.recreate("w1")
			l.sn("w1").Deleting = true
		}, isUnknown, StorageNodeDeleting, dunno},
		{"a disk without an identity may be the one", false, func(l *lab) { l.disk("w1").UUID = "" }, isUnknown, DiskNotReported, dunno},
		{"a disk that is configured and not reported may be the one", false, func(l *lab) {
			l.disk("w1").UUID = "other"
			l.sn("w1").Disks = append(l.sn("w1").Disks, cluster.Disk{Name: "second", UUID: "disk-w1", Declared: true})
		}, isUnknown, DiskNotReported, dunno},
		{"a node without any disk has not told", false, func(l *lab) { l.sn("w1").Disks = nil }, isUnknown, DiskNotReported, dunno},
		{"a disk that another node has was moved", false, func(l *lab) {
			l.disk("w1").UUID = "other"
			l.sn("w3").Disks = append(l.sn("w3").Disks, cluster.Disk{Name: "moved", UUID: "disk-w1", Path: "/data", Declared: true, Reported: true, Ready: cluster.Yes})
		}, isUnknown, DiskElsewhere, dunno},
		{"a disk that two nodes have is a clone", false, func(l *lab) { l.disk("w3").UUID = "disk-w1" }, isUnknown, DiskTwice, dunno},
		{"a node that is gone has no clone", false, func(l *lab) {
			l.disk("w3").UUID = "disk-w1"
			l.remove("w3")
		}, isGood, "", safe},
		{"a storage node that is going has no clone", false, func(l *lab) {
			l.disk("w3").UUID = "disk-w1"
			l.sn("w3").Deleting = true
		}, isGood, "", safe},
		{"a node that is silent may have the clone", false, func(l *lab) {
			l.disk("w3").UUID = "disk-w1"
			l.node("w3").Ready = cluster.No
		}, isUnknown, DiskTwice, dunno},
		{"a disk that is not configured does not count", false, func(l *lab) { l.disk("w1").Declared = false }, isUnknown, DiskNotDeclared, dunno},
		{"a disk that is not reported does not count", false, func(l *lab) { l.disk("w1").Reported = false }, isUnknown, DiskNotReported, dunno},
		{"a disk that is not ready does not count", false, func(l *lab) { l.disk("w1").Ready = cluster.No }, isUnknown, DiskNotReady, dunno},
		{"a disk that does not say is not ready", false, func(l *lab) { l.disk("w1").Ready = cluster.Unknown }, isUnknown, DiskNotReady, dunno},
		{"a disk at another path does not count", false, func(l *lab) { l.disk("w1").Path = "/mnt" }, isUnknown, DiskOtherPath, dunno},
		{"the second disk of a node counts as well", false, func(l *lab) {
			l.sn("w1").Disks = append([]cluster.Disk{{Name: "first", UUID: "first", Reported: true}}, l.sn("w1").Disks...)
		}, isGood, "", safe},
	}
}

func TestJudge_EveryClauseOfTheReplica(t *testing.T) {
	for _, c := range replicaCases() {
		t.Run(c.claim, func(t *testing.T) {
			j := c.lab().judge()
			rj := j.Volume("data").Replicas[0]
			if rj.Standing != c.standing || rj.Code != c.code {
				t.Errorf("%v (%s), want %v (%s)", rj.Standing, rj.Code, c.standing, c.code)
			}
			if j.Verdict != c.verdict {
				t.Errorf("verdict %v, want %v\n%s", j.Verdict, c.verdict, say(j.Findings))
			}
			if (rj.Proof != cluster.ProofNone) != (rj.Standing == isGood) {
				t.Errorf("standing %v with proof %q", rj.Standing, rj.Proof)
			}
			if rj.Standing != isGood && c.code != ReplicaPlaceholder && len(rj.Evidence) == 0 && rj.Code != InputTwice {
				t.Errorf("%s comes without evidence", rj.Code)
			}
			if other := j.Volume("data").Replicas[1]; other.Standing != isGood && !c.attached && c.code != ReplicaNotServing {
				t.Errorf("the other replica is %v (%s), and nothing of it was bent", other.Standing, other.Code)
			}
		})
	}
}

// Who reads that a disk is another one wants to see which, and which was meant.
func TestJudge_TheEvidenceOfAnotherDiskNamesBoth(t *testing.T) {
	l := atRest2()
	l.recreate("w1")
	rj := l.judge().Volume("data").Replicas[0]
	for _, want := range []cluster.Fact{{Name: "replica.node", Value: "w1"}, {Name: "replica.disk", Value: "disk-w1"}, {Name: "disk", Value: "disk-w1-new"}} {
		if !slices.Contains(rj.Evidence, want) {
			t.Errorf("%v is not among %v", want, rj.Evidence)
		}
	}
}
