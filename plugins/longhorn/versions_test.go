// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// as is a field as some version writes it; nil is one that it does not know.
type as struct {
	object, path string
	value        any
}

// each is a field of all objects of these names.
func each(path string, value any, objects ...string) []as {
	var out []as
	for _, o := range objects {
		out = append(out, as{o, path, value})
	}
	return out
}

// versions are the objects of every version from 1.4 on: the fixtures as they
// are, and in between the nearest one with the fields that moved.
func versions() map[string]func(*testing.T) *fixture {
	const v, e, r1, r2, m1, m2 = "Volume/vol", "Engine/vol-e", "Replica/vol-r1", "Replica/vol-r2", "InstanceManager/im-w1", "InstanceManager/im-w2"
	image := "longhornio/longhorn-engine:v1.8.0"
	oldImage := each("spec.engineImage", image, v, e, r1, r2)
	noNew := append(each("spec.image", nil, v, e, r1, r2), as{v, "spec.dataEngine", nil}, as{e, "spec.dataEngine", nil})
	driver := []as{{v, "spec.backendStoreDriver", "v1"}, {e, "spec.backendStoreDriver", "v1"}}
	noLast := append(each("spec.lastHealthyAt", nil, r1, r2), each("spec.lastFailedAt", nil, r1, r2)...)
	oldLeaving := append(each("spec.evictionRequested", nil, r1, r2), each("status.evictionRequested", false, r1, r2)...)
	instances := []as{{m1, "status.instances", map[string]any{}}, {m2, "status.instances", map[string]any{}}}
	noOld := append(each("spec.engineImage", nil, v, e, r1, r2), as{v, "spec.backendStoreDriver", nil}, as{e, "spec.backendStoreDriver", nil})
	offline := []as{{v, "spec.offlineRebuilding", "ignored"}}
	build := func(base string, changes ...[]as) func(*testing.T) *fixture {
		return func(t *testing.T) *fixture {
			f := read(t, base)
			for _, cs := range changes {
				for _, c := range cs {
					f.set(c.object, c.path, c.value)
				}
			}
			return f
		}
	}
	return map[string]func(*testing.T) *fixture{
		"1.4":  build("1.4"),
		"1.5":  build("1.8", oldImage, driver, noNew, noLast, oldLeaving, instances, []as{{v, "spec.replicaDiskSoftAntiAffinity", nil}}),
		"1.6":  build("1.8", oldImage, driver, instances, each("status.evictionRequested", false, r1, r2)),
		"1.7":  build("1.8", oldImage, driver, instances, each("status.evictionRequested", false, r1, r2)),
		"1.8":  build("1.8", oldImage, instances),
		"1.9":  build("1.8", noOld, instances, offline),
		"1.10": build("1.8", noOld, instances, offline, each("spec.migrationEngineName", "", r1, r2), []as{{v, "spec.cloneMode", "full-copy"}}),
		"1.11": build("1.8", noOld, offline, each("status.instances", nil, m1, m2), []as{{v, "spec.cloneMode", "full-copy"}}),
		"1.12": build("1.12"),
	}
}

func TestReader_EveryVersionSaysTheSame(t *testing.T) {
	want, _ := read(t, "1.8").storage()
	for version, of := range versions() {
		got, gaps := of(t).storage()
		if len(gaps) != 0 || len(got.Doubts) != 0 {
			t.Errorf("%s: gaps %+v, doubts %+v", version, gaps, got.Doubts)
		}
		diff := cmp.Diff(want, got,
			cmpopts.IgnoreFields(cluster.Storage{}, "Version", "Settings", "KeepsNodes", "HoldBack"),
			cmpopts.IgnoreFields(cluster.StorageNode{}, "Runtimes"),
			cmpopts.IgnoreFields(cluster.Volume{}, "Runtime", "HoldsUID", "Holds", "SelfRebuild"))
		if diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", version, diff)
		}
	}
}

// What is said of one replica or volume is understood in every version that has
// the field.
func TestReader_EveryVersionsBadNewsIsUnderstood(t *testing.T) {
	const v, e, r = "Volume/vol", "Engine/vol-e", "Replica/vol-r2"
	later := "2026-01-01T11:00:00Z"
	old := func(version string) bool { return version == "1.4" || version == "1.5" }
	none := func(string) bool { return true }
	for name, c := range map[string]struct {
		in     func(version string) bool
		change func(*fixture)
		holds  func(cluster.Volume) bool
	}{
		"a failed replica": {none, func(f *fixture) { f.set(r, "spec.failedAt", later) },
			func(v cluster.Volume) bool { return v.Replicas[1].Claim == cluster.Failed }},
		"a replica that is asked to leave, by its status": {old, func(f *fixture) { f.set(r, "status.evictionRequested", true) },
			func(v cluster.Volume) bool { return v.Replicas[1].Leaving }},
		"a replica that is asked to leave, by its spec": {func(v string) bool { return !old(v) }, func(f *fixture) { f.set(r, "spec.evictionRequested", true) },
			func(v cluster.Volume) bool { return v.Replicas[1].Leaving }},
		"a replica that is written": {none, func(f *fixture) { f.set(e, "status.replicaModeMap", map[string]any{"vol-r1": "RW", "vol-r2": "WO"}) },
			func(v cluster.Volume) bool { return v.Replicas[1].Claim == cluster.Rebuilding }},
		"an upgrade, by the old name": {old, func(f *fixture) { f.set(v, "spec.engineImage", "other") },
			func(v cluster.Volume) bool { return len(v.Busy) == 1 && v.Busy[0] == "upgrading" }},
		"an upgrade, by the new name": {func(v string) bool { return !old(v) }, func(f *fixture) { f.set(v, "spec.image", "other") },
			func(v cluster.Volume) bool { return len(v.Busy) == 1 && v.Busy[0] == "upgrading" }},
		"another data engine, by the old name": {func(v string) bool { return v == "1.5" }, func(f *fixture) { f.set(v, "spec.backendStoreDriver", "v9") },
			func(v cluster.Volume) bool { return v.Class == cluster.ClassUnknown }},
		"another data engine, by the new name": {func(v string) bool { return !old(v) }, func(f *fixture) { f.set(v, "spec.dataEngine", "v9") },
			func(v cluster.Volume) bool { return v.Class == cluster.ClassUnknown }},
		"a volume at rest": {none, func(f *fixture) { f.detach() },
			func(v cluster.Volume) bool { return v.State == cluster.Detached && v.Replicas[1].Claim == cluster.Idle }},
		"a volume that was never used": {none, func(f *fixture) {
			f.detach().set(v, "status.actualSize", 0).set(e, "status.currentSize", "0").set(e, "status.snapshots", nil)
			for _, x := range []string{"Replica/vol-r1", r} {
				f.set(x, "spec.healthyAt", "").set(x, "spec.lastHealthyAt", nil)
			}
		}, func(v cluster.Volume) bool {
			return !v.Touched && v.Engine.Ever == no && v.Replicas[1].Claim == cluster.Untouched
		}},
		"a migration": {none, func(f *fixture) { f.set(v, "spec.migrationNodeID", "w2") },
			func(v cluster.Volume) bool { return len(v.Busy) == 1 && v.Busy[0] == "migrating" }},
		"a volume that is lost": {none, func(f *fixture) { f.detach().set(v, "status.robustness", "faulted") },
			func(v cluster.Volume) bool { return len(v.Doubts) == 1 && v.Doubts[0].Code == codeFaulted }},
	} {
		for version, of := range versions() {
			if !c.in(version) {
				continue
			}
			f := of(t)
			c.change(f)
			if got := f.volume(); !c.holds(got) {
				t.Errorf("%s is not understood of %s: %+v", name, version, got)
			}
		}
	}
}
