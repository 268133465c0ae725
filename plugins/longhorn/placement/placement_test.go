// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
)

const gib = int64(1) << 30

// cluster4 is a cluster of w1 to w4 in zones a, a, b, b, each with a disk of
// 100 GiB of which 90 are free.
func cluster4() (*cluster.Snapshot, *cluster.Storage) {
	s := &cluster.Snapshot{}
	st := &cluster.Storage{Driver: "driver.longhorn.io", Version: "v1.8.1"}
	for i, zone := range []string{"a", "a", "b", "b"} {
		name := fmt.Sprintf("w%d", i+1)
		s.Nodes = append(s.Nodes, cluster.Node{Ref: cluster.NodeRef{Name: name, UID: cluster.UID(name)}, Ready: cluster.Yes})
		st.Nodes = append(st.Nodes, cluster.StorageNode{
			Name: name, Ready: cluster.Yes, Schedulable: cluster.Yes, Serving: cluster.Yes, Zone: zone,
			Placement: cluster.Placement{Accept: true}, Runtimes: []string{"engine:v1"},
			Disks: []cluster.Disk{{
				Name: "disk", UUID: "d" + name, Declared: true, Reported: true, Ready: cluster.Yes, Schedulable: cluster.Yes,
				Accept: true, Medium: "filesystem", Maximum: 100 * gib, Available: 90 * gib,
			}},
		})
	}
	return s, st
}

// volume has 10 GiB, 1 of them written, and a replica on each of the nodes.
func volume(name string, nodes ...string) cluster.Volume {
	v := cluster.Volume{
		Name: name, Class: cluster.ClassOrdinary, Want: len(nodes), Need: 1, State: cluster.Detached,
		SharesNode: cluster.No, SharesZone: cluster.Yes, SharesDisk: cluster.Yes,
		Medium: "filesystem", Runtime: "engine:v1", Size: 10 * gib, Used: gib, Touched: true,
	}
	for i, n := range nodes {
		v.Replicas = append(v.Replicas, cluster.Replica{
			Name: fmt.Sprintf("%s-r%d", name, i), Claim: cluster.Idle, Node: n, DiskUUID: "d" + n,
		})
	}
	return v
}

func placed(s *cluster.Snapshot, st *cluster.Storage) []forecast.Placement {
	return Placer{}.Place(s, st, "w1")
}

func TestPlace_EveryReplicaGoesToANodeWithoutOne(t *testing.T) {
	s, st := cluster4()
	st.Volumes = []cluster.Volume{volume("a", "w1", "w3"), volume("b", "w2", "w3"), volume("c", "w2", "w1")}
	got := placed(s, st)
	if len(got) != 2 || got[0].Replica != "a-r0" || got[1].Replica != "c-r1" {
		t.Fatalf("placed %+v, want the two replicas of w1 in the order of the volumes", got)
	}
	// An unused zone comes first. The replica of w1 does not take its zone: w1
	// is no candidate, so for a, whose other one is in b, that is zone a.
	if got[0].Node != "w2" || got[0].Bytes != gib || got[0].Disk != "disk" {
		t.Errorf("a went to %+v, want w2 with 1 GiB", got[0])
	}
	if !slices.Contains([]string{"w3", "w4"}, got[1].Node) {
		t.Errorf("c went to %s, want zone b", got[1].Node)
	}
}

// TestPlace_WhatIsNotAllowedHasAReason takes away one thing at a time from a
// volume on w1 and w3 that only w2 could take (w4 accepts nothing).
func TestPlace_WhatIsNotAllowedHasAReason(t *testing.T) {
	type world struct {
		s  *cluster.Snapshot
		st *cluster.Storage
		w2 *cluster.StorageNode
		v  *cluster.Volume
	}
	set := func(w world, name, value string) {
		w.st.Settings = append(w.st.Settings, cluster.Fact{Name: name, Value: value})
	}
	for name, c := range map[string]struct {
		change func(world)
		why    string // empty: it still fits
	}{
		"nothing":                  {func(world) {}, ""},
		"not ready":                {func(w world) { w.w2.Ready = cluster.No }, "w2 is not ready"},
		"readiness unknown":        {func(w world) { w.w2.Ready = cluster.Unknown }, "w2 is not ready"},
		"being deleted":            {func(w world) { w.w2.Deleting = true }, "w2 is being deleted"},
		"not schedulable":          {func(w world) { w.w2.Schedulable = cluster.No }, "w2 is not schedulable"},
		"accepts nothing":          {func(w world) { w.w2.Placement.Accept = false }, "w2 accepts no replicas"},
		"being evacuated":          {func(w world) { w.w2.Placement.Evacuate = true }, "w2 is being evacuated"},
		"no instance manager":      {func(w world) { w.w2.Serving = cluster.No }, "w2 has no running instance manager"},
		"instance manager unknown": {func(w world) { w.w2.Serving = cluster.Unknown }, "w2 has no running instance manager"},
		"no node":                  {func(w world) { w.s.Nodes[1].Ref.Name = "x" }, "w2 is no node of the cluster"},
		"cordoned":                 {func(w world) { w.s.Nodes[1].Cordoned = true }, "w2 is cordoned"},
		"cordoned, not heeded":     {func(w world) { w.s.Nodes[1].Cordoned = true; set(w, cordonDisables, "false") }, ""},
		"no engine image":          {func(w world) { w.w2.Runtimes = nil }, "w2 lacks the engine image engine:v1"},
		"disk gone from the spec":  {func(w world) { w.w2.Disks[0].Declared = false }, "its disk disk is not ready"},
		"disk not reported":        {func(w world) { w.w2.Disks[0].Reported = false }, "its disk disk is not ready"},
		"disk accepts nothing":     {func(w world) { w.w2.Disks[0].Accept = false }, "its disk disk accepts no replicas"},
		"disk being evacuated":     {func(w world) { w.w2.Disks[0].Evacuate = true }, "its disk disk accepts no replicas"},
		"disk not schedulable":     {func(w world) { w.w2.Disks[0].Schedulable = cluster.Unknown }, "its disk disk is not schedulable"},
		"disk of another kind":     {func(w world) { w.w2.Disks[0].Medium = "block" }, "is a block disk"},
		"no disk":                  {func(w world) { w.w2.Disks = nil }, "w2 has no disk"},
		"node tags missing":        {func(w world) { w.v.NodeTags = []string{"ssd"} }, "w2 has not the volume's node tags"},
		"node tags there":          {func(w world) { w.v.NodeTags = []string{"ssd"}; w.w2.Tags = []string{"fast", "ssd"} }, ""},
		"disk tags missing":        {func(w world) { w.v.DiskTags = []string{"ssd"} }, "has not the volume's disk tags"},
		"tagged node, no wish":     {func(w world) { w.w2.Tags = []string{"ssd"} }, ""},
		"tagged node, not for all": {func(w world) { w.w2.Tags = []string{"ssd"}; set(w, emptyNodeTags, "false") }, "w2 has not the volume's node tags"},
		"tagged disk, not for all": {func(w world) { w.w2.Disks[0].Tags = []string{"ssd"}; set(w, emptyDiskTags, "false") }, "has not the volume's disk tags"},
		"backing image unknown":    {func(w world) { w.v.Base = "img" }, "backing image img is not known"},
		"backing image there":      {func(w world) { w.v.Base = "img"; w.st.Bases = []cluster.Base{{Name: "img", Copies: copies("dw1")}} }, ""},
		"backing image's node tags": {func(w world) {
			w.v.Base = "img"
			w.st.Bases = []cluster.Base{{Name: "img", NodeTags: []string{"x"}, Copies: copies("dw3")}}
		}, "backing image's node tags"},
		"backing image's disk tags": {func(w world) {
			w.v.Base = "img"
			w.st.Bases = []cluster.Base{{Name: "img", DiskTags: []string{"x"}, Copies: copies("dw3")}}
		}, "backing image's disk tags"},
		"backing image's copies unready": {func(w world) {
			w.v.Base = "img"
			w.st.Bases = []cluster.Base{{Name: "img", Copies: []cluster.BaseCopy{{DiskUUID: "dw1", Ready: cluster.No}, {DiskUUID: "gone", Ready: cluster.Yes}}}}
		}, "no ready copy of its backing image"},
		"expanding":                {func(w world) { w.v.Busy = []string{"expanding"} }, "is expanding"},
		"migrating":                {func(w world) { w.v.Busy = []string{"migrating"} }, "is migrating"},
		"purging":                  {func(w world) { w.v.Busy = []string{"purging"} }, ""},
		"a phantom":                {func(w world) { w.v.Replicas[1].DiskUUID = "of another life" }, "counts replica v-r1 on w3"},
		"too large for ext4":       {func(w world) { w.v.Size = 16 << 40 }, "ext4"},
		"zone shared, not allowed": {func(w world) { w.v.SharesZone = cluster.No; w.w2.Zone = "b" }, "w2 is in the zone of another replica"},
		"zone shared, unknown":     {func(w world) { w.v.SharesZone = cluster.Unknown; w.w2.Zone = "b" }, "w2 is in the zone of another replica"},
		"zone shared, allowed":     {func(w world) { w.w2.Zone = "b" }, ""},
		"node shared, not allowed": {func(w world) { w.w2.Placement.Accept = false }, "w3 holds another replica"},
		"node shared, allowed":     {func(w world) { w.w2.Placement.Accept = false; w.v.SharesNode = cluster.Yes }, ""},
		"disk shared, not allowed": {func(w world) { w.w2.Placement.Accept = false; w.v.SharesNode, w.v.SharesDisk = cluster.Yes, cluster.No }, "its disk disk holds another replica"},
		"disk full":                {func(w world) { w.w2.Disks[0].Available = 26 * gib }, "its disk disk has too little space"},
		"disk nearly full":         {func(w world) { w.w2.Disks[0].Available = 26*gib + 1 }, ""},
		"disk promised":            {func(w world) { w.w2.Disks[0].Scheduled = 90*gib + 1 }, "its disk disk has too little space"},
		"disk nearly promised":     {func(w world) { w.w2.Disks[0].Scheduled = 90 * gib }, ""},
		"disk over-provisioned":    {func(w world) { w.w2.Disks[0].Scheduled = 180 * gib; set(w, overProvision, "200") }, ""},
		"1.4 over-provisions":      {func(w world) { w.w2.Disks[0].Scheduled = 180 * gib; w.st.Version = "v1.4.3" }, ""},
		"space reserved":           {func(w world) { w.w2.Disks[0].Scheduled, w.w2.Disks[0].Reserved = 85*gib, 10*gib }, "too little space"},
		"less must stay free":      {func(w world) { w.w2.Disks[0].Available = 12 * gib; set(w, minimalLeft, "10") }, ""},
		"no size of the disk":      {func(w world) { w.w2.Disks[0].Maximum = 0 }, "too little space"},
		"strict-local":             {func(w world) { w.v.Pinned = true }, "strict-local"},
		"linked clone":             {func(w world) { w.v.Class = cluster.ClassLinkedClone }, "linked clone"},
		"sharded":                  {func(w world) { w.v.Class = cluster.ClassSharded }, "nothing is known"},
		"class unknown":            {func(w world) { w.v.Class = cluster.ClassUnknown }, "nothing is known"},
		"standby":                  {func(w world) { w.v.Class = cluster.ClassStandby }, ""},
		"no rebuilds":              {func(w world) { set(w, rebuildLimit, "0") }, "rebuilding is switched off"},
		"nothing is said now": {func(w world) {
			w.v.Replicas[0].Claim, w.v.Replicas[1].Claim = cluster.ClaimUnknown, cluster.ClaimUnknown
		}, ""},
		"nothing to copy": {func(w world) { w.v.Replicas[0].Claim, w.v.Replicas[1].Claim = cluster.Failed, cluster.Failed }, "no replica that could be copied"},
		"never used": {func(w world) {
			w.v.Replicas[0].Claim, w.v.Replicas[1].Claim, w.v.Touched = cluster.Untouched, cluster.Untouched, false
		}, ""},
		"emptied":              {func(w world) { w.v.Replicas[0].Claim, w.v.Replicas[1].Claim = cluster.Untouched, cluster.Untouched }, "no replica that could be copied"},
		"kind of disk unknown": {func(w world) { w.v.Medium = "" }, "kind of disk"},
		"v2 disabled on the node": {func(w world) {
			w.v.Medium, w.v.Runtime, w.w2.Disks[0].Medium = "block", "", "block"
			w.s.Nodes[1].Labels = map[string]string{disableV2: "true"}
		}, "v2 data engine disabled"},
		"v2":               {func(w world) { w.v.Medium, w.v.Runtime, w.w2.Disks[0].Medium = "block", "", "block" }, ""},
		"a single replica": {func(w world) { w.v.Want = 1; w.v.Replicas = w.v.Replicas[:1] }, ""},
	} {
		s, st := cluster4()
		st.Nodes[3].Placement.Accept = false
		st.Volumes = []cluster.Volume{volume("v", "w1", "w3")}
		c.change(world{s, st, &st.Nodes[1], &st.Volumes[0]})
		got := placed(s, st)
		if len(got) != 1 {
			t.Errorf("%s: placed %+v, want one answer", name, got)
			continue
		}
		fits := got[0].Node != ""
		if fits != (c.why == "") || !strings.Contains(got[0].Why, c.why) || fits != (got[0].Why == "") {
			t.Errorf("%s: %+v, want why %q", name, got[0], c.why)
		}
	}
}

func TestPlace_EachReplicaTakesItsSpace(t *testing.T) {
	s, st := cluster4()
	// Only w2 has room, for three replicas of 10 GiB by what may be promised.
	for _, i := range []int{2, 3} {
		st.Nodes[i].Placement.Accept = false
	}
	st.Nodes[1].Disks[0].Scheduled = 70 * gib
	for i := range 5 {
		st.Volumes = append(st.Volumes, volume(fmt.Sprintf("v%d", i), "w1", "w3"))
	}
	fit := 0
	for _, p := range placed(s, st) {
		if p.Node != "" {
			fit++
		}
	}
	if fit != 3 {
		t.Errorf("%d replicas fit, want 3", fit)
	}
	// And for one by what must stay free, once its data are there.
	st.Nodes[1].Disks[0].Scheduled, st.Nodes[1].Disks[0].Available = 0, 26*gib+gib/2
	for i := range st.Volumes {
		st.Volumes[i].Used = gib
	}
	fit = 0
	for _, p := range placed(s, st) {
		if p.Node != "" {
			fit++
		}
	}
	if fit != 1 {
		t.Errorf("%d replicas fit by what must stay free, want 1", fit)
	}
}

func TestPlace_TwoReplicasOfOneVolumeDoNotMeetAgain(t *testing.T) {
	s, st := cluster4()
	st.Volumes = []cluster.Volume{volume("v", "w1", "w1", "w3")}
	got := placed(s, st)
	if len(got) != 2 || got[0].Node == got[1].Node || got[0].Node == "w3" || got[1].Node == "w3" || got[1].Node == "" {
		t.Errorf("placed %+v, want two nodes without a replica of it", got)
	}
}

func TestPlace_OnlyWhatIsNeededHasASuccessor(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*cluster.Volume)
		want   int
	}{
		"one of two":               {func(*cluster.Volume) {}, 1},
		"more than configured":     {func(v *cluster.Volume) { v.Want = 1 }, 0},
		"deleted already":          {func(v *cluster.Volume) { v.Replicas[0].Deleting = true }, 0},
		"a placeholder":            {func(v *cluster.Volume) { v.Replicas[0].Claim = cluster.Placeholder }, 0},
		"the other one is leaving": {func(v *cluster.Volume) { v.Replicas[1].Leaving = true }, 2},
		"failed, and needed":       {func(v *cluster.Volume) { v.Replicas[0].Claim = cluster.Failed }, 1},
		"failed, not needed":       {func(v *cluster.Volume) { v.Replicas[0].Claim, v.Want = cluster.Failed, 1 }, 0},
	} {
		s, st := cluster4()
		st.Volumes = []cluster.Volume{volume("v", "w1", "w3")}
		c.change(&st.Volumes[0])
		if got := placed(s, st); len(got) != c.want {
			t.Errorf("%s: placed %+v, want %d", name, got, c.want)
		}
	}
}

func copies(disk string) []cluster.BaseCopy {
	return []cluster.BaseCopy{{DiskUUID: disk, Ready: cluster.Yes}}
}

// A failed replica whose disk is there is rebuilt where it lies.
func TestPlace_AFailedReplicaThatCanBeUsedAgainNeedsNoSuccessor(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*cluster.Storage)
		want   int
	}{
		"its disk is there":          {func(*cluster.Storage) {}, 0},
		"rebuilding is switched off": {func(st *cluster.Storage) { st.Settings = []cluster.Fact{{Name: rebuildLimit, Value: "0"}} }, 1},
		"the volume is expanding":    {func(st *cluster.Storage) { st.Volumes[0].Busy = []string{"expanding"} }, 1},
		"its node lost the tags":     {func(st *cluster.Storage) { st.Volumes[0].NodeTags = []string{"x"} }, 1},
		"another one is beside it":   {func(st *cluster.Storage) { st.Volumes[0].Replicas[1].Node = "w2" }, 1},
		"its disk is not ready":      {func(st *cluster.Storage) { st.Nodes[1].Disks[0].Ready = cluster.No }, 1},
		"its disk takes nothing":     {func(st *cluster.Storage) { st.Nodes[1].Disks[0].Accept = false }, 1},
		"its disk is another one":    {func(st *cluster.Storage) { st.Nodes[1].Disks[0].UUID = "other" }, 1},
		"its disk lost the tags":     {func(st *cluster.Storage) { st.Volumes[0].DiskTags = []string{"x"} }, 1},
		"it is given up":             {func(st *cluster.Storage) { giveUp(st) }, 1},
		"it is leaving":              {func(st *cluster.Storage) { st.Volumes[0].Replicas[2].Leaving = true }, 1},
		"its node takes no replicas": {func(st *cluster.Storage) { st.Nodes[1].Placement.Accept = false }, 1},
	} {
		s, st := cluster4()
		v := volume("v", "w1", "w3", "w2")
		v.Want, v.Replicas[2].Claim = 2, cluster.Failed
		st.Volumes = []cluster.Volume{v}
		c.change(st)
		if got := placed(s, st); len(got) != c.want {
			t.Errorf("%s: placed %+v, want %d", name, got, c.want)
		}
	}
}

func giveUp(st *cluster.Storage) {
	st.Volumes[0].Replicas[2].Doubts = []cluster.Doubt{{AtMost: cluster.StandingFailed}}
}

// One whose disk cannot take it back now keeps its node for as long as it may
// be used again.
func TestPlace_AFailedReplicaKeepsItsPlaceWhileItMayBeUsedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*cluster.Storage)
		fits   bool
	}{
		"it may be used again": {func(*cluster.Storage) {}, false},
		"it is given up":       {giveUp, true},
		"it is leaving":        {func(st *cluster.Storage) { st.Volumes[0].Replicas[2].Leaving = true }, true},
		"it has no disk":       {func(st *cluster.Storage) { st.Volumes[0].Replicas[2].DiskUUID = "" }, true},
		"it is being replaced": {func(st *cluster.Storage) { st.Volumes[0].State = cluster.Attached }, true},
		"Longhorn 1.4":         {func(st *cluster.Storage) { st.Version = "v1.4.0" }, true},
	} {
		s, st := cluster4()
		st.Nodes[3].Placement.Accept = false
		st.Nodes[1].Disks = append(st.Nodes[1].Disks, st.Nodes[1].Disks[0])
		st.Nodes[1].Disks[1].Name, st.Nodes[1].Disks[1].UUID = "second", "second"
		st.Nodes[1].Disks[0].Schedulable = cluster.No
		v := volume("v", "w1", "w3", "w2")
		v.Want, v.Replicas[2].Claim = 2, cluster.Failed
		st.Volumes = []cluster.Volume{v}
		c.change(st)
		if got := placed(s, st); len(got) != 1 || (got[0].Node == "w2") != c.fits {
			t.Errorf("%s: placed %+v, want on w2: %t", name, got, c.fits)
		}
	}
}

func TestPlace_ThreeReplicasOnThreeNodesFitNowhere(t *testing.T) {
	s, st := cluster4()
	s.Nodes, st.Nodes = s.Nodes[:3], st.Nodes[:3]
	st.Volumes = []cluster.Volume{volume("v", "w1", "w2", "w3")}
	got := placed(s, st)
	if len(got) != 1 || got[0].Node != "" || !strings.Contains(got[0].Why, "w2 holds another replica") || !strings.Contains(got[0].Why, "w3 holds another replica") {
		t.Errorf("placed %+v, want nowhere, for both nodes hold one", got)
	}
}

func TestPlace_ANodeThatIsOnlyBeingLeftMayTakeItsSuccessor(t *testing.T) {
	s, st := cluster4()
	st.Nodes[3].Placement.Accept = false
	st.Nodes[1].Disks = append(st.Nodes[1].Disks, st.Nodes[1].Disks[0])
	st.Nodes[1].Disks[1].Name, st.Nodes[1].Disks[1].UUID = "second", "second"
	v := volume("v", "w1", "w2")
	v.Replicas[1].Leaving = true
	st.Volumes = []cluster.Volume{v}
	if got := placed(s, st); len(got) != 2 || got[0].Node != "w3" || got[1].Node != "w2" || got[1].Disk != "second" {
		t.Errorf("placed %+v, want w3 and w2's second disk", got)
	}
}

func TestPlace_TheDiskWithMostRoomIsTaken(t *testing.T) {
	s, st := cluster4()
	st.Nodes[3].Disks[0].Available = 95 * gib
	st.Volumes = []cluster.Volume{volume("v", "w1", "w2")}
	if got := placed(s, st); len(got) != 1 || got[0].Node != "w4" {
		t.Errorf("placed %+v, want w4", got)
	}
	if got := (Placer{}).Place(s, st, "nobody"); len(got) != 0 {
		t.Errorf("a node without replicas has successors: %+v", got)
	}
}
