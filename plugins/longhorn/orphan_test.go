// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

func TestReader_OrphansAreTranslated(t *testing.T) {
	f := read(t, "1.8")
	for i, spec := range []string{
		`{"nodeID":"w1","orphanType":"replica","parameters":{"DataName":"vol-1234abcd","DiskUUID":"disk-w1","DiskName":"default","DiskPath":"/var/lib/longhorn/"}}`,
		`{"nodeID":"w2","orphanType":"replica","dataEngine":"v2","parameters":{"DataName":"vol-r-1234abcd"}}`,
		`{"nodeID":"w2","orphanType":"replica","parameters":{"DataName":"gone-r-1234abcd"}}`,
		`{"nodeID":"w2","orphanType":"replica","parameters":{"DataName":"lost+found"}}`,
		`{"nodeID":"w2","orphanType":"engine-instance","parameters":{"InstanceName":"vol-e"}}`,
		`{"nodeID":"w2","orphanType":"replica-instance","parameters":{"InstanceName":"vol-r1"}}`,
		`{"nodeID":"w2","orphanType":"dream"}`,
	} {
		f.add(fmt.Sprintf(`{"kind":"Orphan","metadata":{"name":"o%d","uid":"o%d"},"spec":%s}`, i, i, spec))
	}
	st, gaps := f.storage()
	want := []cluster.Orphan{
		{Name: "o0", UID: "o0", Node: "w1", DiskUUID: "disk-w1", Directory: "vol-1234abcd", Volume: "vol"},
		{Name: "o1", UID: "o1", Node: "w2", Directory: "vol-r-1234abcd", Volume: "vol"},
		{Name: "o2", UID: "o2", Node: "w2", Directory: "gone-r-1234abcd", Volume: "gone-r"},
		{Name: "o3", UID: "o3", Node: "w2", Directory: "lost+found"},
		{Name: "o6", UID: "o6", Node: "w2"},
	}
	if diff := cmp.Diff(want, st.Orphans); diff != "" || len(gaps) != 0 {
		t.Errorf("orphans (-want +got), gaps %v:\n%s", gaps, diff)
	}
}

func TestReader_DoubtsAboutTheStorage(t *testing.T) {
	setting := func(name, value string) func(*fixture) {
		return func(f *fixture) {
			f.add(fmt.Sprintf(`{"kind":"Setting","metadata":{"name":%q,"uid":%q},"value":%q}`, name, name, value))
		}
	}
	for name, c := range map[string]struct {
		change func(*fixture)
		code   string
		atMost cluster.Standing
	}{
		"orphans are kept":             {setting("orphan-auto-deletion", "false"), "", 0},
		"orphans are deleted":          {setting("orphan-auto-deletion", "true"), codeOrphanDeletion, cluster.StandingGood},
		"1.9, orphans are kept":        {setting("orphan-resource-auto-deletion", ""), "", 0},
		"1.9, processes are deleted":   {setting("orphan-resource-auto-deletion", "instance"), "", 0},
		"1.9, directories are deleted": {setting("orphan-resource-auto-deletion", "instance; replica-data"), codeOrphanDeletion, cluster.StandingGood},
		"shards of nobody":             {func(f *fixture) { f.add(`{"kind":"ShardGroup","metadata":{"name":"g","uid":"g"}}`) }, codeSharded, cluster.StandingUnknown},
		"shards of nobody, being deleted": {func(f *fixture) {
			f.add(`{"kind":"ShardGroup","metadata":{"name":"g","uid":"g","deletionTimestamp":"2026-01-01T11:00:00Z"}}`)
		}, "", 0},
		"a version to come": {func(f *fixture) { f.set("Setting/current-longhorn-version", "value", "v1.13.0") }, codeUntestedVersion, cluster.StandingUnknown},
	} {
		f := read(t, "1.8")
		c.change(f)
		st, _ := f.storage()
		switch {
		case c.code == "" && len(st.Doubts) == 0:
		case len(st.Doubts) != 1 || st.Doubts[0].Code != c.code || st.Doubts[0].AtMost != c.atMost:
			t.Errorf("%s: doubts %+v, want %q at most %s", name, st.Doubts, c.code, c.atMost)
		}
	}
}

func TestReader_DoubtsAboutAReplicasPlace(t *testing.T) {
	const r, n = "Replica/vol-r1", "Node/w1"
	changed := map[string]any{"default": map[string]any{"diskUUID": "disk-w1", "conditions": []any{
		map[string]any{"type": "Ready", "status": "False", "reason": "DiskFilesystemChanged"},
	}}}
	down := []any{map[string]any{"type": "Ready", "status": "False", "reason": "KubernetesNodeGone"}}
	for name, c := range map[string]struct {
		change func(*fixture)
		code   string
		atMost cluster.Standing
	}{
		"nothing":                         {func(*fixture) {}, "", 0},
		"another disk is at its path":     {func(f *fixture) { f.set(n, "status.diskStatus", changed) }, codeDiskChanged, cluster.StandingUnknown},
		"another disk is at another path": {func(f *fixture) { f.set(n, "status.diskStatus", changed).set(r, "spec.diskID", "x") }, "", 0},
		"to be moved":                     {func(f *fixture) { f.set(r, "spec.evictionRequested", true) }, "", 0},
		"to be moved off a node that is gone": {func(f *fixture) {
			f.set(r, "spec.evictionRequested", true).set(n, "status.conditions", down)
		}, codeMoveHalted, cluster.StandingGood},
		"on a node that is gone":   {func(f *fixture) { f.set(n, "status.conditions", down) }, "", 0},
		"on a node without object": {func(f *fixture) { f.drop("Node") }, "", 0},
	} {
		f := read(t, "1.8")
		c.change(f)
		ds := f.volume().Replicas[0].Doubts
		switch {
		case c.code == "" && len(ds) == 0:
		case len(ds) != 1 || ds[0].Code != c.code || ds[0].AtMost != c.atMost:
			t.Errorf("%s: doubts %+v, want %q at most %s", name, ds, c.code, c.atMost)
		}
	}
}
