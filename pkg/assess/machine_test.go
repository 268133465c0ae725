// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// movedHere is a volume with two good replicas elsewhere and a third that names
// a node that is gone, though its disk is in w1 by now.
func movedHere() *lab {
	l := newLab().detached("data", "w2", "w3")
	r := replicaOf("data", "w4")
	r.DiskUUID = "disk-w1"
	l.v("data").Replicas = append(l.v("data").Replicas, r)
	return l
}

func servedElsewhere(l *lab) {
	v := l.v("data")
	v.State, v.Engine.Running, v.Engine.Node, v.Engine.Owner = cluster.Attached, cluster.Yes, "w2", "w2"
	v.Replicas[0].Claim, v.Replicas[1].Claim = cluster.Serving, cluster.Serving
}

func TestMayDelete_WhatIsOnTheNodeIsToldByItsDisks(t *testing.T) {
	failed := func(at time.Time) func(*lab) {
		return then(servedElsewhere, func(l *lab) {
			l.v("data").Want = 3
			l.r(2).Claim, l.r(2).FailedAt = cluster.Failed, at
		})
	}
	for _, c := range []deleteCase{
		in(Turn{}, permitCase{"a disk that moved here brought a replica", movedHere, nil, []string{VolumeNotProven}, dunno}),
		in(Turn{}, permitCase{"a disk elsewhere brought none", movedHere, func(l *lab) { l.r(2).DiskUUID = "disk-w4" }, nil, safe}),
		in(Turn{}, permitCase{"no disk is no disk that is here", movedHere, func(l *lab) {
			l.r(2).DiskUUID = ""
			l.sn("w1").Disks = append(l.sn("w1").Disks, cluster.Disk{Name: "blank"})
		}, nil, safe}),
		in(Turn{}, permitCase{"those elsewhere that serve are proof", movedHere, servedElsewhere, nil, safe}),
		in(Turn{}, permitCase{"a disk that was cloned here may be the one", func() *lab { return newLab().detached("data", "w2", "w3") }, func(l *lab) {
			l.disk("w1").UUID = "disk-w3"
			l.pol.MinReplicas = 1
		}, []string{VolumeNotProven}, dunno}),
		in(Turn{}, permitCase{"a failed one whose disk moved here may be the last resort", movedHere, failed(ago(time.Hour)), []string{ReplicaLastResort}, unsafe}),
		in(Turn{CordonedAt: ago(20 * time.Minute)}, permitCase{"it did not fail by our drain", movedHere, failed(ago(15 * time.Minute)), []string{ReplicaLastResort}, unsafe}),
		in(Turn{}, permitCase{"a loss that was accepted frees no node with a disk of it", movedHere, then(accept(VolumeAlreadyLost, "data"), func(l *lab) {
			for i := range l.v("data").Replicas {
				l.r(i).Claim = cluster.Failed
			}
		}), []string{VolumeAlreadyLost}, unsafe}),
	} {
		t.Run(c.claim, func(t *testing.T) {
			p := c.ask()
			wantCodes(t, p.Findings, Unclear, c.codes...)
			if p.Verdict != c.verdict {
				t.Errorf("%v, want %v\n%s", p.Verdict, c.verdict, say(p.Findings))
			}
		})
	}
}

func TestMayDrain_NothingThatMovedHereMayBeBusy(t *testing.T) {
	l := movedHere()
	l.v("data").Busy = []string{"purging"}
	wantCodes(t, l.judge().MayDrain(asked(l)).Findings, Unclear, VolumeBusy)
}

func TestMayDelete_AVolumeIsBoundByAnyLabelThatNamesTheNode(t *testing.T) {
	for label, want := range map[string]cluster.Verdict{"openebs.io/nodeid": unsafe, "example.org/rack": safe} {
		l := elsewhere()
		l.node("w1").Labels = map[string]string{label: "pool-one"}
		pv(cluster.PersistentVolume{Name: "tank", Driver: "zfs.csi.openebs.io", Hostnames: []string{"pool-one"}, Bound: true})(l)
		if p := l.judge().MayDelete(asked(l), Turn{}); p.Verdict != want {
			t.Errorf("%s: %v, want %v\n%s", label, p.Verdict, want, say(p.Findings))
		}
	}
}

// strays counts the replicas that name another node than n1 and a disk that the
// storage lists there.
func strays(s *cluster.Snapshot) int {
	j, n := &Judgement{Snapshot: s}, 0
	m := j.Machine("n1")
	for _, st := range s.Storages {
		for _, v := range st.Volumes {
			for i := range v.Replicas {
				if v.Replicas[i].Node != "n1" && m.holds(&v.Replicas[i]) {
					n++
				}
			}
		}
	}
	return n
}
