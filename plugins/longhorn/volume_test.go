// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"fmt"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

func TestReader_WhatMustEndBeforeAVolumeIsJudged(t *testing.T) {
	const v, e = "Volume/vol", "Engine/vol-e"
	for name, c := range map[string]struct {
		change func(*fixture)
		want   string
	}{
		"nothing":                {func(*fixture) {}, ""},
		"cloning":                {func(f *fixture) { f.set(v, "status.cloneStatus.state", "initiated") }, "cloning"},
		"cloned, not healthy":    {func(f *fixture) { f.set(v, "status.cloneStatus.state", "copy-completed-awaiting-healthy") }, "cloning"},
		"cloned":                 {func(f *fixture) { f.set(v, "status.cloneStatus.state", "completed") }, ""},
		"cloning in a new way":   {func(f *fixture) { f.set(v, "status.cloneStatus.state", "dreaming") }, "cloning"},
		"expansion required":     {func(f *fixture) { f.set(v, "status.expansionRequired", true) }, "expanding"},
		"expanding":              {func(f *fixture) { f.set(e, "status.isExpanding", true) }, "expanding"},
		"another size is asked":  {func(f *fixture) { f.set(v, "spec.size", "2147483648") }, "expanding"},
		"another size":           {func(f *fixture) { f.set(e, "status.currentSize", "2147483648") }, "expanding"},
		"size not known yet":     {func(f *fixture) { f.set(e, "status.currentSize", "0") }, ""},
		"another size, detached": {func(f *fixture) { f.detach().set(e, "status.currentSize", "2147483648") }, ""},
		"migrating":              {func(f *fixture) { f.set(v, "spec.migrationNodeID", "w2") }, "migrating"},
		"migration not over":     {func(f *fixture) { f.set(v, "status.currentMigrationNodeID", "w2") }, "migrating"},
		"switching over":         {func(f *fixture) { f.set(v, "status.switchoverState", "preparing") }, "migrating"},
		"two engines": {func(f *fixture) {
			f.add(`{"kind":"Engine","metadata":{"name":"e2","uid":"e2"},"spec":{"volumeName":"vol"}}`)
		}, "migrating"},
		"purging": {func(f *fixture) {
			f.set(e, "status.purgeStatus", map[string]any{"tcp://10.0.0.1:10000": map[string]any{"isPurging": true}})
		}, "purging"},
		"to be restored": {func(f *fixture) { f.set(v, "status.restoreRequired", true) }, "restoring"},
		"restoring": {func(f *fixture) {
			f.set(e, "status.restoreStatus", map[string]any{"a": map[string]any{"isRestoring": true}})
		}, "restoring"},
		"restoring by condition": {func(f *fixture) {
			f.set(v, "status.conditions", []any{map[string]any{"type": "Restore", "status": "True"}})
		}, "restoring"},
		"standby restores for ever": {func(f *fixture) { f.set(v, "status.restoreRequired", true).set(v, "status.isStandby", true) }, ""},
		"upgrading":                 {func(f *fixture) { f.set(v, "spec.image", "other") }, "upgrading"},
		"upgrade not known":         {func(f *fixture) { f.set(v, "status.currentImage", "") }, ""},
		"two at once":               {func(f *fixture) { f.set(v, "spec.image", "other").set(v, "status.expansionRequired", true) }, "expanding upgrading"},
	} {
		f := read(t, "1.8")
		c.change(f)
		if got := strings.Join(f.volume().Busy, " "); got != c.want {
			t.Errorf("%s: busy %q, want %q", name, got, c.want)
		}
	}
	if got := read(t, "1.4").set(v, "spec.engineImage", "other").volume().Busy; len(got) != 1 || got[0] != "upgrading" {
		t.Errorf("1.4, upgrading: busy %q", got)
	}
}

func TestReader_ClassesOfVolumes(t *testing.T) {
	const v = "Volume/vol"
	group := `{"kind":"ShardGroup","metadata":{"name":"g","uid":"g"},"spec":{"volumeName":"vol","dataChunks":4,"parityChunks":2}}`
	for name, c := range map[string]struct {
		change func(*fixture)
		class  cluster.Class
		code   string
	}{
		"ordinary":          {func(*fixture) {}, cluster.ClassOrdinary, ""},
		"v2":                {func(f *fixture) { f.set(v, "spec.dataEngine", "v2") }, cluster.ClassOrdinary, ""},
		"v2 under 1.5":      {func(f *fixture) { f.set(v, "spec.dataEngine", nil).set(v, "spec.backendStoreDriver", "v2") }, cluster.ClassOrdinary, ""},
		"v3":                {func(f *fixture) { f.set(v, "spec.dataEngine", "v3") }, cluster.ClassUnknown, codeUnknownValue},
		"standby":           {func(f *fixture) { f.set(v, "spec.Standby", true) }, cluster.ClassStandby, codeStandby},
		"standby by status": {func(f *fixture) { f.set(v, "status.isStandby", true) }, cluster.ClassStandby, codeStandby},
		"linked clone":      {func(f *fixture) { f.set(v, "spec.cloneMode", "linked-clone") }, cluster.ClassLinkedClone, ""},
		"full copy":         {func(f *fixture) { f.set(v, "spec.cloneMode", "full-copy") }, cluster.ClassOrdinary, ""},
		"a new clone mode":  {func(f *fixture) { f.set(v, "spec.cloneMode", "dream") }, cluster.ClassUnknown, codeUnknownValue},
		"sharded":           {func(f *fixture) { f.drop("Replica").drop("Engine").add(group) }, cluster.ClassSharded, codeSharded},
		"sharded, by a field never seen": {func(f *fixture) {
			f.drop("Replica").drop("Engine").add(`{"kind":"ShardGroup","metadata":{"name":"g","uid":"g"},"spec":{"owner":"vol"}}`)
		}, cluster.ClassSharded, codeSharded},
		"copies beside shards of others": {func(f *fixture) {
			f.add(`{"kind":"ShardGroup","metadata":{"name":"g","uid":"g"},"spec":{"owner":"other"}}`)
		}, cluster.ClassOrdinary, ""},
		"encrypted": {func(f *fixture) { f.set(v, "spec.encrypted", true) }, cluster.ClassOrdinary, ""},
		"shared":    {func(f *fixture) { f.set(v, "spec.accessMode", "rwx") }, cluster.ClassOrdinary, ""},
		"unscheduled, says a condition": {func(f *fixture) {
			f.set(v, "status.conditions", []any{map[string]any{"type": "Scheduled", "status": "False"}})
		}, cluster.ClassOrdinary, ""},
	} {
		f := read(t, "1.8")
		c.change(f)
		got := f.volume()
		code := ""
		if len(got.Doubts) > 0 {
			code = got.Doubts[0].Code
		}
		if got.Class != c.class || code != c.code {
			t.Errorf("%s: class %d, doubt %q; want %d, %q", name, got.Class, code, c.class, c.code)
		}
	}
	for version, class := range map[string]cluster.Class{
		"v1.12.0": cluster.ClassOrdinary, "v1.12.1": cluster.ClassSharded, "v1.13.0": cluster.ClassSharded, "v1.8.1": cluster.ClassOrdinary, "": cluster.ClassOrdinary,
	} {
		f := read(t, "1.8").set("Setting/current-longhorn-version", "value", version).set(v, "spec.dataEngine", "v2").drop("Replica")
		if got := f.volume().Class; got != class {
			t.Errorf("no replica and no shard group, Longhorn %q: class %d, want %d", version, got, class)
		}
	}
	if got := read(t, "1.8").set(v, "spec.dataEngine", "v2").volume(); got.Medium != block || got.Runtime != "" {
		t.Errorf("v2: medium %q, runtime %q", got.Medium, got.Runtime)
	}
	if !read(t, "1.8").set(v, "spec.dataLocality", "strict-local").volume().Pinned || read(t, "1.8").set(v, "spec.dataLocality", "best-effort").volume().Pinned {
		t.Error("strict-local pins a volume, best-effort does not")
	}
}

func TestReader_DoubtsAboutAVolume(t *testing.T) {
	const v, e = "Volume/vol", "Engine/vol-e"
	for name, c := range map[string]struct {
		change func(*fixture)
		code   string
		atMost cluster.Standing
	}{
		"faulted":                {func(f *fixture) { f.set(v, "status.robustness", "faulted") }, codeFaulted, cluster.StandingFailed},
		"degraded, though whole": {func(f *fixture) { f.set(v, "status.robustness", "degraded") }, codeDegraded, cluster.StandingUnknown},
		"degraded, and it is": {func(f *fixture) {
			f.set(v, "status.robustness", "degraded").set("Replica/vol-r1", "spec.failedAt", "2026-01-01T11:00:00Z")
		}, "", 0},
		"a new robustness":      {func(f *fixture) { f.set(v, "status.robustness", "splendid") }, codeUnknownValue, cluster.StandingUnknown},
		"a new state":           {func(f *fixture) { f.set(v, "status.state", "dreaming") }, codeUnknownValue, cluster.StandingUnknown},
		"no state yet":          {func(f *fixture) { f.set(v, "status", map[string]any{}) }, codeUnknownValue, cluster.StandingUnknown},
		"clone failed":          {func(f *fixture) { f.set(v, "status.cloneStatus.state", "failed") }, codeCloneFailed, cluster.StandingUnknown},
		"no number of replicas": {func(f *fixture) { f.set(v, "spec.numberOfReplicas", nil) }, codeNoCount, cluster.StandingUnknown},
		"no engine":             {func(f *fixture) { f.drop("Engine") }, codeNoEngine, cluster.StandingUnknown},
		"the engine serves a ghost": {func(f *fixture) {
			f.set(e, "status.replicaModeMap", map[string]any{"vol-r1": "RW", "vol-r2": "RW", "UNKNOWN-tcp://10.0.0.9:1": "RW"})
		}, codeStranger, cluster.StandingUnknown},
		"a ghost in error": {func(f *fixture) {
			f.set(e, "status.replicaModeMap", map[string]any{"vol-r1": "RW", "vol-r2": "RW", "UNKNOWN-tcp://10.0.0.9:1": "ERR"})
		}, "", 0},
		"a single replica": {func(f *fixture) { f.set(v, "spec.numberOfReplicas", 1) }, "", 0},
		"a new locality":   {func(f *fixture) { f.set(v, "spec.dataLocality", "dreamy") }, codeUnknownValue, cluster.StandingUnknown},
		"expansion failed": {func(f *fixture) {
			f.set(v, "status.expansionRequired", true).set(e, "status.lastExpansionError", "no space")
		}, codeExpandFailed, cluster.StandingUnknown},
		"expansion failed once": {func(f *fixture) { f.set(e, "status.lastExpansionError", "no space") }, "", 0},
		"a rebuild of nobody": {func(f *fixture) {
			f.set(e, "status.rebuildStatus", map[string]any{"tcp://10.0.0.9:1": map[string]any{"isRebuilding": true}})
		}, codeStranger, cluster.StandingUnknown},
	} {
		f := read(t, "1.8")
		c.change(f)
		got := f.volume().Doubts
		switch {
		case c.code == "" && len(got) == 0:
		case len(got) != 1 || got[0].Code != c.code || got[0].AtMost != c.atMost:
			t.Errorf("%s: doubts %+v, want %q at most %s", name, got, c.code, c.atMost)
		}
	}
}

func TestReader_SignsOfUse(t *testing.T) {
	const v, e = "Volume/vol", "Engine/vol-e"
	unused := func() *fixture {
		f := read(t, "1.8").detach().set(v, "status.actualSize", 0).
			set(e, "status.currentSize", "0").set(e, "status.snapshots", nil)
		for _, r := range []string{"Replica/vol-r1", "Replica/vol-r2"} {
			f.set(r, "spec.healthyAt", "").set(r, "spec.lastHealthyAt", "")
		}
		return f
	}
	for name, c := range map[string]struct {
		change  func(*fixture)
		touched bool
		ever    cluster.Answer
	}{
		"none":              {func(*fixture) {}, false, no},
		"data":              {func(f *fixture) { f.set(v, "status.actualSize", 4096) }, true, no},
		"a size below none": {func(f *fixture) { f.set(v, "status.actualSize", "-1") }, true, no},
		"a past pod":        {func(f *fixture) { f.set(v, "status.kubernetesStatus.lastPodRefAt", "2026-01-01T10:30:00Z") }, true, no},
		"a healthy replica": {func(f *fixture) { f.set("Replica/vol-r1", "spec.healthyAt", "2026-01-01T10:30:00Z") }, true, yes},
		"a failed replica":  {func(f *fixture) { f.set("Replica/vol-r1", "spec.failedAt", "2026-01-01T10:30:00Z") }, true, yes},
		"once healthy":      {func(f *fixture) { f.set("Replica/vol-r1", "spec.lastHealthyAt", "2026-01-01T10:30:00Z") }, true, yes},
		"an engine's size":  {func(f *fixture) { f.set(e, "status.currentSize", "1073741824") }, false, yes},
		"an engine's head":  {func(f *fixture) { f.set(e, "status.snapshots", map[string]any{"volume-head": map[string]any{}}) }, false, yes},
		"no snapshot":       {func(f *fixture) { f.set(e, "status.snapshots", map[string]any{}) }, false, no},
		"no engine":         {func(f *fixture) { f.drop("Engine") }, false, cluster.Unknown},
		"no engine, but data": {func(f *fixture) {
			f.drop("Engine").set("Replica/vol-r1", "spec.healthyAt", "2026-01-01T10:30:00Z")
		}, true, yes},
		"an orphaned directory": {func(f *fixture) {
			f.add(`{"kind":"Orphan","metadata":{"name":"o","uid":"o"},"spec":{"nodeID":"w1","orphanType":"replica","parameters":{"DataName":"vol-1234abcd"}}}`)
		}, true, no},
		"no replica, no use": {func(f *fixture) { f.drop("Replica") }, false, no},
		"was degraded":       {func(f *fixture) { f.set(v, "status.lastDegradedAt", "2026-01-01T10:30:00Z") }, true, no},
		"was salvaged":       {func(f *fixture) { f.set(v, "status.lastAutoSalvagedAt", "2026-01-01T10:30:00Z") }, true, no},
		"an engine that is new": {func(f *fixture) {
			f.set(v, "metadata.creationTimestamp", "2026-01-01T09:00:00Z").set(e, "metadata.creationTimestamp", "2026-01-01T09:10:01Z")
		}, false, cluster.Unknown},
		"an engine as old as its volume": {func(f *fixture) {
			f.set(v, "metadata.creationTimestamp", "2026-01-01T09:00:00Z").set(e, "metadata.creationTimestamp", "2026-01-01T09:10:00Z")
		}, false, no},
		"an engine of no volume's age": {func(f *fixture) {
			f.set(v, "metadata.creationTimestamp", nil).set(e, "metadata.creationTimestamp", "2026-01-01T09:10:00Z")
		}, false, cluster.Unknown},
		"an engine without an age": {func(f *fixture) { f.set(e, "metadata.creationTimestamp", nil) }, false, cluster.Unknown},
		"attached by somebody":     {func(f *fixture) { f.set(v, "spec.lastAttachedBy", "me") }, false, cluster.Unknown},
		"a backup":                 {func(f *fixture) { f.set(v, "status.lastBackup", "backup-1") }, false, cluster.Unknown},
		"a remount":                {func(f *fixture) { f.set(v, "status.remountRequestedAt", "2026-01-01T10:30:00Z") }, false, cluster.Unknown},
		"a restore":                {func(f *fixture) { f.set(v, "status.restoreInitiated", true) }, false, cluster.Unknown},
		"a clone":                  {func(f *fixture) { f.set(v, "status.cloneStatus.state", "completed") }, false, cluster.Unknown},
	} {
		f := unused()
		c.change(f)
		if got := f.volume(); got.Touched != c.touched || got.Engine.Ever != c.ever {
			t.Errorf("%s: touched %t, ever %d; want %t, %d", name, got.Touched, got.Engine.Ever, c.touched, c.ever)
		}
	}
}

func TestReader_WhoHoldsAVolume(t *testing.T) {
	for kind, want := range map[string]cluster.HoldKind{
		"csi-attacher": cluster.HoldWorkload, "share-manager-controller": cluster.HoldWorkload,
		"volume-eviction-controller": cluster.HoldStorage, "volume-rebuilding-controller": cluster.HoldStorage,
		"backup-controller": cluster.HoldStorage, "longhorn-api": cluster.HoldOther, "dreamer": cluster.HoldUnknown,
	} {
		v := read(t, "1.8").set("VolumeAttachment/vol", "spec.attachmentTickets.csi-1.type", kind).volume()
		if v.Holds[0].Kind != want || v.Holds[0].Why != kind {
			t.Errorf("%s: hold %+v, want %d", kind, v.Holds[0], want)
		}
	}
	ticket := map[string]any{"id": "x", "type": "longhorn-api", "nodeID": "w2"}
	for id, want := range map[string]cluster.HoldKind{"safe-roll-7": cluster.HoldOurs, "safe-roll-": cluster.HoldOther, "": cluster.HoldOther, "a-safe-roll-7": cluster.HoldOther} {
		v := read(t, "1.8").set("VolumeAttachment/vol", "spec.attachmentTickets", map[string]any{id: ticket}).volume()
		if h := v.Holds[0]; h.Kind != want || h.ID != id || h.Node != "w2" {
			t.Errorf("ticket %q: hold %+v, want %d", id, h, want)
		}
	}
	// Before 1.5 the volume itself names its node.
	if v := read(t, "1.4").volume(); len(v.Holds) != 1 || v.Holds[0].Kind != cluster.HoldWorkload || v.Holds[0].Node != "w1" || v.HoldsUID != "" {
		t.Errorf("1.4: holds %+v of %q", v.Holds, v.HoldsUID)
	}
	if v := read(t, "1.4").set("Volume/vol", "status.kubernetesStatus.workloadsStatus", []any{}).volume(); v.Holds[0].Kind != cluster.HoldUnknown {
		t.Errorf("1.4 without a workload: holds %+v", v.Holds)
	}
	if v := read(t, "1.4").detach().volume(); len(v.Holds) != 0 {
		t.Errorf("1.4, detached: holds %+v", v.Holds)
	}
}

func TestReader_WhatIsReferredToAndWasNotReadIsAGap(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*fixture)
		kind   string
		says   string
	}{
		"engine and replicas": {func(f *fixture) { f.drop("Volume") }, "volumes.longhorn.io", "engine vol-e, replica vol-r1, replica vol-r2: names the volume vol"},
		"a backing image":     {func(f *fixture) { f.set("Volume/vol", "spec.backingImage", "img") }, "backingimages.longhorn.io", "volume vol: names the backing image img"},
		"two namespaces":      {func(f *fixture) { f.set("Node/w1", "metadata.namespace", "other") }, "volumes.longhorn.io", "several namespaces (longhorn-system, other)"},
	} {
		f := read(t, "1.8")
		c.change(f)
		_, gaps := f.storage()
		if len(gaps) != 1 || gaps[0].Kind != c.kind || !gaps[0].Needed || !strings.Contains(gaps[0].Detail, c.says) {
			t.Errorf("%s: gaps %+v, want one of %s that says %q", name, gaps, c.kind, c.says)
		}
	}
	f := read(t, "1.8").drop("Volume")
	for _, o := range []string{"Engine/vol-e", "Replica/vol-r1", "Replica/vol-r2"} {
		f.set(o, "metadata.deletionTimestamp", "2026-01-01T11:00:00Z")
	}
	if _, gaps := f.storage(); len(gaps) != 0 {
		t.Errorf("what is deleted with its volume left the gaps %+v", gaps)
	}
	f = read(t, "1.8")
	for i := range 100 {
		f.add(fmt.Sprintf(`{"kind":"Replica","metadata":{"name":"x%d","uid":"x%d"},"spec":{"volumeName":"gone-%02d"}}`, i, i, i))
	}
	if _, gaps := f.storage(); len(gaps) != 21 || !strings.Contains(gaps[20].Detail, "and others") {
		t.Errorf("%d gaps for a hundred missing volumes, the last %+v; want 21", len(gaps), gaps[len(gaps)-1])
	}
	st, gaps := read(t, "1.8").set("Volume/vol", "spec.backingImage", "img").add(
		`{"kind":"BackingImage","metadata":{"name":"img","uid":"b","creationTimestamp":"2026-01-01T09:00:00Z"},"spec":{"nodeSelector":["x"]},"status":{"diskFileStatusMap":{"d2":{"state":"in-progress"},"d1":{"state":"ready","lastStateTransitionTime":"2026-01-01T10:00:00Z"},"d3":{"state":"unknown"}}}}`).storage()
	if len(gaps) != 0 || len(st.Bases) != 1 || st.Volumes[0].Base != "img" || fmt.Sprint(st.Bases[0].Copies) != "[{d1 1 2026-01-01 10:00:00 +0000 UTC} {d2 2 0001-01-01 00:00:00 +0000 UTC} {d3 0 0001-01-01 00:00:00 +0000 UTC}]" ||
		st.Bases[0].Created.IsZero() {
		t.Errorf("bases %+v, gaps %+v", st.Bases, gaps)
	}
}

func TestReader_ReplicasAreInTheOrderOfTheirNames(t *testing.T) {
	v := read(t, "1.8").set("Replica/vol-r1", "metadata.uid", "z").volume()
	if v.Replicas[0].Name != "vol-r1" || v.Replicas[1].Name != "vol-r2" {
		t.Errorf("replicas %s, %s", v.Replicas[0].Name, v.Replicas[1].Name)
	}
	twice := read(t, "1.8").set("Replica/vol-r1", "metadata.name", "vol-r2").set("Replica/vol-r2", "metadata.uid", "a")
	for range 10 {
		if rs := twice.volume().Replicas; rs[0].UID > rs[1].UID {
			t.Fatalf("two of one name are in no order: %s, %s", rs[0].UID, rs[1].UID)
		}
	}
}

func TestReader_EveryStateOfAVolumeIsKnown(t *testing.T) {
	for word, want := range map[string]cluster.VolumeState{
		"creating": cluster.Creating, "attached": cluster.Attached, "detached": cluster.Detached,
		"attaching": cluster.Attaching, "detaching": cluster.Detaching, "deleting": cluster.Deleting,
	} {
		if v := read(t, "1.8").set("Volume/vol", "status.state", word).volume(); v.State != want || len(v.Doubts) != 0 {
			t.Errorf("%s is %d with doubts %+v, want %d and none", word, v.State, v.Doubts, want)
		}
	}
	if v := read(t, "1.8").set("Volume/vol", "metadata.deletionTimestamp", "2026-01-01T11:00:00Z").volume(); v.State != cluster.Deleting {
		t.Errorf("a volume with a deletion timestamp is %d", v.State)
	}
}

func TestReader_VolumesAndNodesAreInTheOrderOfTheirNames(t *testing.T) {
	f := read(t, "1.8").set("Node/w1", "metadata.uid", "z").set("Volume/vol", "metadata.uid", "a").
		add(`{"kind":"Volume","metadata":{"name":"b","uid":"z"},"spec":{"numberOfReplicas":1}}`).
		add(`{"kind":"Volume","metadata":{"name":"b","uid":"y"},"spec":{"numberOfReplicas":1}}`)
	for range 10 {
		st, _ := f.storage()
		v := st.Volumes
		if st.Nodes[0].Name != "w1" || v[0].UID != "y" || v[1].UID != "z" || v[2].Name != "vol" {
			t.Fatalf("nodes %s %s, volumes %s %s %s", st.Nodes[0].Name, st.Nodes[1].Name, v[0].UID, v[1].UID, v[2].Name)
		}
	}
}

func TestReader_AnAttachmentWithoutItsVolumesNameHasThatName(t *testing.T) {
	if v := read(t, "1.8").set("VolumeAttachment/vol", "spec.volume", nil).volume(); v.HoldsUID != "u-va" {
		t.Errorf("holds of %q, want those of the attachment of that name", v.HoldsUID)
	}
	if v := read(t, "1.8").set("VolumeAttachment/vol", "spec.volume", "other").volume(); v.HoldsUID == "u-va" {
		t.Error("the holds of another volume")
	}
}
