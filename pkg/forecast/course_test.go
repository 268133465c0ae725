// SPDX-License-Identifier: Apache-2.0

package forecast_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
)

const (
	driver = "toy"
	gib    = int64(1) << 30
)

// toy places each replica on the first node without one of its volume whose
// disk has room for its size.
type toy struct{}

func (toy) Place(_ *cluster.Snapshot, st *cluster.Storage, leaving string) []forecast.Placement {
	taken := map[string]int64{}
	var out []forecast.Placement
	for _, v := range st.Volumes {
		on := map[string]bool{}
		var moving []string
		for _, r := range v.Replicas {
			if r.Node == leaving {
				moving = append(moving, r.Name)
			}
			on[r.Node] = true
		}
		if leaving == "" {
			moving = make([]string, max(0, v.Want-len(v.Replicas)))
		}
		if enough := len(v.Replicas) - v.Want; leaving != "" {
			moving = moving[min(max(0, enough), len(moving)):]
		}
		for _, name := range moving {
			p := forecast.Placement{Volume: v.Name, Replica: name, Why: "no disk has room"}
			for _, n := range st.Nodes {
				if d := n.Disks[0]; n.Name != leaving && !on[n.Name] && d.Scheduled+taken[n.Name]+v.Size <= d.Maximum {
					p.Node, p.Disk, p.Bytes, p.Why = n.Name, d.Name, v.Used, ""
					taken[n.Name] += v.Size
					on[n.Name] = true
					break
				}
			}
			out = append(out, p)
		}
	}
	return out
}

// cluster3 has workers w1 to w3, each with a disk of 100 GiB of which others
// keep 10, and volumes of 20 GiB, 5 of them written, with replicas as given.
func cluster3(volumes ...string) *cluster.Snapshot {
	s := &cluster.Snapshot{Storages: []cluster.Storage{{Driver: driver}}}
	st := &s.Storages[0]
	for i := range 3 {
		name := fmt.Sprintf("w%d", i+1)
		s.Nodes = append(s.Nodes, cluster.Node{Ref: cluster.NodeRef{Name: name, UID: cluster.UID(name)}, Ready: cluster.Yes})
		st.Nodes = append(st.Nodes, cluster.StorageNode{Name: name, Disks: []cluster.Disk{{
			Name: "disk", UUID: "d-" + name, Path: "/disk", Maximum: 100 * gib, Available: 90 * gib, Reserved: 10 * gib,
		}}})
	}
	for i, nodes := range volumes {
		on := strings.Fields(nodes)
		v := cluster.Volume{Name: fmt.Sprintf("v%d", i), Want: len(on), Need: 1, Size: 20 * gib, Used: 5 * gib}
		for _, n := range on {
			v.Replicas = append(v.Replicas, cluster.Replica{Name: v.Name + "-" + n, UID: cluster.UID(v.Name + n), Node: n, DiskUUID: "d-" + n, Claim: cluster.Idle})
			d := &st.Nodes[int(n[1]-'1')].Disks[0]
			d.Scheduled += v.Size
			d.Available -= v.Used
		}
		st.Volumes = append(st.Volumes, v)
	}
	return s
}

func begin(s *cluster.Snapshot) *forecast.Course {
	return forecast.Begin(s, map[string]forecast.Placer{driver: toy{}})
}

// where are the nodes of the volume's replicas, sorted.
func where(c *forecast.Course, volume int) string {
	var out []string
	for _, r := range c.Snapshot().Storages[0].Volumes[volume].Replicas {
		out = append(out, r.Node)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestCourse_AnEvacuatedNodeIsReplacedByAnEmptyOne(t *testing.T) {
	s := cluster3("w1 w2", "w1 w3")
	before := cluster3("w1 w2", "w1 w3")
	c := begin(s)
	f := c.Evict("w1")
	if !f.Fits() || len(f.Placed) != 2 || f.Bytes != 10*gib {
		t.Fatalf("%+v", f)
	}
	c.Evicted(f, forecast.Replacement{})
	if where(c, 0) != "w2 w3" || where(c, 1) != "w2 w3" {
		t.Errorf("replicas on %q and %q", where(c, 0), where(c, 1))
	}
	d := c.Snapshot().Storages[0].Nodes[0].Disks[0]
	if d.UUID == "d-w1" || d.Scheduled != 0 || d.Available != 90*gib || c.Snapshot().Nodes[0].Ref.UID == "w1" {
		t.Errorf("the replacement's disk is %+v", d)
	}
	if d := c.Snapshot().Storages[0].Nodes[1].Disks[0]; d.Scheduled != 40*gib || d.Available != 80*gib {
		t.Errorf("w2's disk is %+v, want the space of both taken", d)
	}
	// The next node leaves onto the first one's replacement.
	f = c.Evict("w2")
	c.Evicted(f, forecast.Replacement{})
	if where(c, 0) != "w1 w3" || where(c, 1) != "w1 w3" {
		t.Errorf("replicas on %q and %q", where(c, 0), where(c, 1))
	}
	if !reflect.DeepEqual(s, before) {
		t.Error("the snapshot itself was changed")
	}
}

func TestCourse_ARefilledNodeTakesItsReplicasBack(t *testing.T) {
	c := begin(cluster3("w1 w2 w3", "w1 w2 w3"))
	if f := c.Evict("w1"); f.Fits() {
		t.Fatalf("three replicas on three nodes have another place: %+v", f)
	}
	f := c.Refill("w1", forecast.Replacement{})
	if !f.Fits() || len(f.Placed) != 2 || f.Placed[0].Node != "w1" || f.Placed[0].Replica != "" || f.Node != "w1" {
		t.Fatalf("%+v", f)
	}
	c.Refilled(f, forecast.Replacement{})
	if where(c, 0) != "w1 w2 w3" {
		t.Errorf("replicas on %q", where(c, 0))
	}
	for _, r := range c.Snapshot().Storages[0].Volumes[0].Replicas {
		if r.Node == "w1" && (r.DiskUUID != "d-w1'" || r.Owner != "w1" || r.DiskPath != "/disk") {
			t.Errorf("%+v", r)
		}
	}
}

func TestCourse_ASmallerReplacementKeepsWhatOthersHaveOnIt(t *testing.T) {
	c := begin(cluster3("w1 w2 w3", "w1 w2 w3", "w1 w2 w3"))
	half := forecast.Replacement{Disk: 50 * gib}
	f := c.Refill("w1", half)
	if f.Fits() || len(f.Placed) != 2 || len(f.Stuck) != 1 {
		t.Fatalf("three volumes of 20 GiB on 50 GiB: %+v", f)
	}
	if got := c.DiskFor("w1"); got != 60*gib {
		t.Errorf("a disk of %d GiB would do, want 60", got/gib)
	}
	c.Refilled(f, half)
	d := c.Snapshot().Storages[0].Nodes[0].Disks[0]
	if d.Maximum != 50*gib || d.Reserved != 5*gib || d.Available != (50-10-2*5)*gib || d.Scheduled != 40*gib {
		t.Errorf("%+v", d)
	}
}

// Which replicas fit may hang on the order in which the storage moves them, and
// that is the storage's own.
func TestCourse_WhatFitsInOneOrderOnlyDoesNotFit(t *testing.T) {
	s := cluster3("w1 w3", "w1 w3", "w1 w3")
	st := &s.Storages[0]
	for i, size := range []int64{60, 30, 40} {
		st.Volumes[i].Size = size * gib // on w2, 60 with 30 or 30 with 40, never all
	}
	st.Nodes[1].Disks[0].Maximum = 70 * gib
	if f := begin(s).Evict("w1"); f.Fits() || len(f.Stuck) != 2 {
		t.Errorf("%+v, want the order in which two are stuck", f)
	}
}

func TestCourse_HealTakesTheGoneAwayAndFillsUp(t *testing.T) {
	s := cluster3("w1 w2", "w2 w3")
	s.Storages[0].Volumes[0].Replicas[0].Node = "long gone"
	c := begin(s)
	f := c.Heal(map[cluster.UID]bool{"v0w1": true}, nil)
	if !f.Fits() || len(f.Placed) != 1 || where(c, 0) != "w1 w2" || where(c, 1) != "w2 w3" {
		t.Errorf("%+v: replicas on %q", f, where(c, 0))
	}
}

// A storage reuses a failed replica before it makes another.
func TestCourse_HealRebuildsWhatFailedWhereItLies(t *testing.T) {
	s := cluster3("w1 w2 w3", "w1 w2 w3")
	for i := range s.Storages[0].Volumes {
		r := &s.Storages[0].Volumes[i].Replicas[2]
		r.Claim, r.FailedAt = cluster.Failed, time.Unix(1, 0)
	}
	s.Storages[0].Volumes[1].Want = 2
	c := begin(s)
	c.Heal(nil, map[string]bool{"v0": true, "v1": true})
	for i, want := range []cluster.Claim{cluster.Idle, cluster.Failed} {
		if r := c.Snapshot().Storages[0].Volumes[i].Replicas[2]; r.Claim != want || r.FailedAt.IsZero() != (want == cluster.Idle) {
			t.Errorf("volume %d: claim %d, failed %s", i, r.Claim, r.FailedAt)
		}
	}
	c = begin(s)
	c.Heal(nil, nil)
	if r := c.Snapshot().Storages[0].Volumes[0].Replicas[2]; r.Claim != cluster.Failed {
		t.Error("a volume that is not mended is whole")
	}
}

func TestCourse_AStorageWithoutAPlacerCannotBeForecast(t *testing.T) {
	f := forecast.Evacuation(cluster3("w1 w2", "w3 w2"), nil, "w1")
	if f.Fits() || len(f.Stuck) != 1 || !f.Stuck[0].Unclear || !strings.Contains(f.Stuck[0].Why, driver) {
		t.Errorf("%+v", f)
	}
}

func TestWaysOut_OneMoreNodeOrFewerReplicas(t *testing.T) {
	c := begin(cluster3("w1 w2 w3", "w1"))
	c.Snapshot().Storages[0].Volumes[1].Size = 1000 * gib
	f := c.WaysOut(c.Evict("w1"))
	if len(f.Stuck) != 2 {
		t.Fatalf("%+v", f)
	}
	says := func(p forecast.Placement) string {
		var out []string
		for _, w := range p.Ways {
			out = append(out, w.Says)
		}
		return strings.Join(out, "; ")
	}
	if got, want := says(f.Stuck[0]), "one more node like w1; 2 instead of 3 replicas of volume v0"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := says(f.Stuck[1]); got != "" {
		t.Errorf("what no node takes and no count helps has ways out: %q", got)
	}
}

// beside places every replica on w2.
type beside struct{}

func (beside) Place(_ *cluster.Snapshot, st *cluster.Storage, leaving string) []forecast.Placement {
	var out []forecast.Placement
	for _, v := range st.Volumes {
		for _, r := range v.Replicas {
			if r.Node == leaving {
				out = append(out, forecast.Placement{Volume: v.Name, Replica: r.Name, Node: "w2", Disk: "disk"})
			}
		}
	}
	return out
}

func TestEvict_APlaceBesideAnotherReplicaIsNone(t *testing.T) {
	for name, c := range map[string]struct {
		volume string
		change func(*cluster.Volume)
		fits   bool
	}{
		"a disk without one":       {"w1 w3", func(v *cluster.Volume) { v.SharesNode = cluster.Yes }, true},
		"a disk with another":      {"w1 w2", func(v *cluster.Volume) { v.SharesNode = cluster.Yes }, false},
		"may it share is unknown":  {"w1 w2", func(*cluster.Volume) {}, false},
		"a disk with a failed one": {"w1 w2", func(v *cluster.Volume) { v.SharesNode, v.Replicas[1].Claim = cluster.Yes, cluster.Failed }, true},
		"two go, to one disk":      {"w1 w3", func(v *cluster.Volume) { v.SharesNode = cluster.Yes; v.Replicas[1].Node = "w1" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := cluster3(c.volume)
			c.change(&s.Storages[0].Volumes[0])
			f := forecast.Evacuation(s, map[string]forecast.Placer{driver: beside{}}, "w1")
			if f.Fits() != c.fits || !c.fits && !strings.Contains(f.Stuck[0].Why, "lost together") {
				t.Errorf("%+v", f)
			}
		})
	}
}
