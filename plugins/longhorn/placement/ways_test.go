// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"slices"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
)

// TestPlace_SaysWhatWouldHelp takes away the one place that there is and wants
// the way that gives it back, and no way that does not.
func TestPlace_SaysWhatWouldHelp(t *testing.T) {
	set := func(st *cluster.Storage, name, value string) {
		st.Settings = append(st.Settings, cluster.Fact{Name: name, Value: value})
	}
	for name, c := range map[string]struct {
		change func(*cluster.Snapshot, *cluster.Storage)
		kind   forecast.WayKind
		says   string
		not    string
	}{
		"space that is promised": {func(_ *cluster.Snapshot, st *cluster.Storage) { st.Nodes[1].Disks[0].Scheduled = 95 * gib },
			forecast.WaySpace, "5.0 GiB more on disk disk of node w2", "minimal"},
		"over-provisioning": {func(_ *cluster.Snapshot, st *cluster.Storage) { st.Nodes[1].Disks[0].Scheduled = 95 * gib },
			forecast.WaySetting, overProvision + " 105 instead of 100", "anti-affinity"},
		"space that is used": {func(_ *cluster.Snapshot, st *cluster.Storage) { st.Nodes[1].Disks[0].Available = 20 * gib },
			forecast.WaySpace, "6.1 GiB more on disk disk of node w2", overProvision},
		"a cordon": {func(s *cluster.Snapshot, st *cluster.Storage) { cordon(s, st, 1) }, forecast.WayRepair, "uncordon w2", "GiB"},
		"empty node selector": {func(_ *cluster.Snapshot, st *cluster.Storage) {
			st.Nodes[1].Tags = []string{"x"}
			set(st, emptyNodeTags, "false")
		}, forecast.WaySetting, emptyNodeTags + " true", emptyDiskTags},
		"empty disk selector": {func(_ *cluster.Snapshot, st *cluster.Storage) {
			st.Nodes[1].Disks[0].Tags = []string{"x"}
			set(st, emptyDiskTags, "false")
		}, forecast.WaySetting, emptyDiskTags + " true", emptyNodeTags},
		"a hard zone": {func(_ *cluster.Snapshot, st *cluster.Storage) {
			st.Volumes[0].SharesZone = cluster.No
			st.Nodes[1].Zone = "b"
		}, forecast.WaySetting, "replica-zone-soft-anti-affinity true", "GiB"},
		"the rebuild limit": {func(_ *cluster.Snapshot, st *cluster.Storage) { set(st, rebuildLimit, "0") }, forecast.WaySetting, rebuildLimit + " 1 or more", "GiB"},
		"strict-local":      {func(_ *cluster.Snapshot, st *cluster.Storage) { st.Volumes[0].Pinned = true }, forecast.WaySetting, "dataLocality", "GiB"},
		"an expansion":      {func(_ *cluster.Snapshot, st *cluster.Storage) { st.Volumes[0].Busy = []string{"expanding"} }, forecast.WayRepair, "let volume v end expanding", "GiB"},
	} {
		s, st := cluster4()
		st.Nodes[3].Placement.Accept = false
		st.Volumes = []cluster.Volume{volume("v", "w1", "w3")}
		c.change(s, st)
		got := placed(s, st)
		if len(got) != 1 || got[0].Node != "" || got[0].Unclear {
			t.Errorf("%s: placed %+v, want certainly nowhere", name, got)
			continue
		}
		if !slices.ContainsFunc(got[0].Ways, func(w forecast.Way) bool { return w.Kind == c.kind && strings.Contains(w.Says, c.says) }) {
			t.Errorf("%s: the ways %+v lack %s %q", name, got[0].Ways, c.kind, c.says)
		}
		if slices.ContainsFunc(got[0].Ways, func(w forecast.Way) bool { return strings.Contains(w.Says, c.not) }) {
			t.Errorf("%s: the ways %+v hold one that does not help", name, got[0].Ways)
		}
	}
}

func cordon(s *cluster.Snapshot, st *cluster.Storage, i int) {
	s.Nodes[i].Cordoned, st.Nodes[i].Schedulable = true, cluster.No
}

// What only a missing fact prevents is not impossible, and not possible either.
func TestPlace_AMissingFactIsUnclear(t *testing.T) {
	for name, change := range map[string]func(*cluster.Storage){
		"instance managers": func(st *cluster.Storage) { st.Nodes[1].Serving = cluster.Unknown },
		"engine images": func(st *cluster.Storage) {
			for i := range st.Nodes {
				st.Nodes[i].Runtimes = nil
			}
		},
		"schedulable":        func(st *cluster.Storage) { st.Nodes[1].Disks[0].Schedulable = cluster.Unknown },
		"the volume's class": func(st *cluster.Storage) { st.Volumes[0].Class = cluster.ClassUnknown },
		"the zone rule":      func(st *cluster.Storage) { st.Volumes[0].SharesZone = cluster.Unknown; st.Nodes[1].Zone = "b" },
		"its backing image":  func(st *cluster.Storage) { st.Volumes[0].Base = "img" },
	} {
		s, st := cluster4()
		st.Nodes[3].Placement.Accept = false
		st.Volumes = []cluster.Volume{volume("v", "w1", "w3")}
		change(st)
		if got := placed(s, st); len(got) != 1 || got[0].Node != "" || !got[0].Unclear {
			t.Errorf("%s: placed %+v, want unclear", name, got)
		}
	}
}

func TestPlace_WithoutALeavingNodeItSaysWhatTheVolumesLack(t *testing.T) {
	s, st := cluster4()
	st.Volumes = []cluster.Volume{volume("v", "w1", "w3"), volume("w", "w1", "w2")}
	st.Volumes[0].Want = 3
	st.Volumes[1].Replicas[1].Node = "gone"
	got := Placer{}.Place(s, st, "")
	if len(got) != 2 || got[0].Volume != "v" || got[0].Replica != "" || got[0].Node == "" || got[1].Volume != "w" || got[1].Node == "w1" {
		t.Errorf("placed %+v, want one of v and one of w", got)
	}
}

// A volume that was never used has no data to be rebuilt, though an object of
// it may name a disk that is gone.
func TestPlace_AVolumeThatWasNeverUsedLacksNothing(t *testing.T) {
	s, st := cluster4()
	st.Volumes = []cluster.Volume{volume("v", "w1", "w3")}
	v := &st.Volumes[0]
	v.Want, v.Touched, v.Replicas[1].DiskUUID = 3, false, "of another life"
	v.Replicas[0].Claim, v.Replicas[1].Claim = cluster.Untouched, cluster.Untouched
	if got := (Placer{}).Place(s, st, ""); len(got) != 0 {
		t.Errorf("placed %+v", got)
	}
	v.Touched = true
	if got := (Placer{}).Place(s, st, ""); len(got) == 0 {
		t.Error("a volume that was used lacks a replica")
	}
}

func TestInsists_UnderBlockForEviction(t *testing.T) {
	_, st := cluster4()
	st.Volumes = []cluster.Volume{volume("two", "w1", "w3"), volume("one", "w1"), volume("far", "w2", "w3"), volume("left", "w1", "w4")}
	st.Volumes[3].Replicas[1].Claim = cluster.Failed
	for policy, want := range map[string]string{
		"":                               "",
		"block-if-contains-last-replica": "",
		"block-for-eviction":             "two one left",
		"block-for-eviction-if-contains-last-replica": "one left",
	} {
		st.Settings = []cluster.Fact{{Name: drainPolicy, Value: policy}}
		if _, got := (Placer{}).Insists(st, "w1"); strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", policy, got, want)
		}
	}
}

func TestDistrust_EvictionOfDetachedVolumesHangsInSomeVersions(t *testing.T) {
	for version, hangs := range map[string]bool{
		"v1.4.4": true, "v1.5.5": true, "v1.6.3": true, "v1.6.4": false, "v1.7.2": true, "v1.7.3": false, "v1.8.0": false, "v1.12.1": false, "": false,
	} {
		_, st := cluster4()
		st.Version, st.Volumes = version, []cluster.Volume{volume("v", "w1", "w3")}
		if got := (Placer{}).Distrust(st, "w1"); (got != "") != hangs {
			t.Errorf("%s: %q", version, got)
		}
		if got := (Placer{}).Distrust(st, "w2"); got != "" {
			t.Errorf("%s: nothing lies on w2: %q", version, got)
		}
		st.Volumes[0].State = cluster.Attached
		if got := (Placer{}).Distrust(st, "w1"); got != "" {
			t.Errorf("%s: it is attached: %q", version, got)
		}
	}
}

func TestUnread_NamesTheKindsThatItsAnswersRestOn(t *testing.T) {
	_, st := cluster4()
	st.Settings = []cluster.Fact{{Name: "x"}}
	st.Volumes = []cluster.Volume{volume("v", "w1", "w3")}
	if got := (Placer{}).Unread(st); len(got) != 0 {
		t.Errorf("all was read: %v", got)
	}
	st.Settings = nil
	for i := range st.Nodes {
		st.Nodes[i].Serving, st.Nodes[i].Runtimes = cluster.Unknown, nil
	}
	if got := (Placer{}).Unread(st); len(got) != 3 {
		t.Errorf("three kinds are missing: %v", got)
	}
}
