// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"strings"
	"testing"
	"time"
)

// tune sets a setting, whether or not the version's fixture has it.
func (f *fixture) tune(setting, value string) *fixture {
	for _, o := range f.items {
		if k, n := name(o); k == "Setting" && n == setting {
			o["value"] = value
			return f
		}
	}
	return f.add(`{"kind":"Setting","metadata":{"name":"` + setting + `","uid":"` + setting + `"},"value":"` + value + `"}`)
}

// degraded has the second replica failed a while ago.
func (f *fixture) degraded() *fixture {
	return f.set("Volume/vol", "status.robustness", "degraded").
		set("Volume/vol", "status.lastDegradedAt", "2026-01-01T12:00:00Z").
		set("Replica/vol-r2", "spec.failedAt", "2026-01-01T12:00:00Z").
		tune(replenishWait, "600").tune(rebuildLimit, "5")
}

func TestPace_ARebuildIsHeldBackUntilTheFailedReplicaWillNotReturn(t *testing.T) {
	f := read(t, "1.8").degraded()
	p := f.volume().Pause
	if p == nil || !p.Until.Equal(time.Date(2026, 1, 1, 12, 10, 0, 0, time.UTC)) || !strings.Contains(p.Why, replenishWait) {
		t.Fatalf("%+v", p)
	}
	for name, change := range map[string]func(*fixture){
		"its object is gone": func(f *fixture) {
			f.set("Replica/vol-r2", "spec.active", false).set("Replica/vol-r2", "spec.failedAt", "")
		},
		"it was tried too often": func(f *fixture) { f.set("Replica/vol-r2", "spec.rebuildRetryCount", 5) },
		"the interval is zero":   func(f *fixture) { f.tune(replenishWait, "0") },
		"nothing is degraded":    func(f *fixture) { f.set("Volume/vol", "status.robustness", "unknown") },
	} {
		f := read(t, "1.8").degraded()
		change(f)
		if p := f.volume().Pause; p != nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestPace_AReplicaWaitsWhileItsNodeWritesAsManyAsTheLimit(t *testing.T) {
	f := read(t, "1.8").degraded().tune(rebuildLimit, "1").
		set("Replica/vol-r2", "spec.failedAt", "").set("Replica/vol-r2", "spec.healthyAt", "").
		set("Replica/vol-r2", "status.currentState", "stopped")
	if p := f.volume().Pause; p != nil {
		t.Errorf("nothing else is written, and it is held back: %+v", p)
	}
	f.add(`{"kind":"Volume","metadata":{"name":"other","uid":"other"},"spec":{"numberOfReplicas":1}}`)
	f.add(`{"kind":"Replica","metadata":{"name":"other-r","uid":"other-r"},"spec":{"volumeName":"other","active":true,"nodeID":"w2"},"status":{"currentState":"running"}}`)
	st, _ := f.set("Replica/vol-r2", "spec.nodeID", "w2").storage()
	if p := st.Volumes[1].Pause; p == nil || !p.Until.IsZero() || st.RebuildsPerNode != 1 {
		t.Errorf("%s: %+v, limit %d", st.Volumes[1].Name, p, st.RebuildsPerNode)
	}
}

func TestPace_NamesWhatKeepsLonghorn(t *testing.T) {
	evicting := func(f *fixture) { f.set("Replica/vol-r2", "spec.evictionRequested", true) }
	for name, c := range map[string]struct {
		change func(*fixture)
		says   string
	}{
		"a limit of zero": {func(f *fixture) { f.degraded().tune(rebuildLimit, "0") }, "no replica is rebuilt"},
		"an eviction with a limit of zero": {func(f *fixture) {
			evicting(f)
			f.tune(rebuildLimit, "0")
		}, "none can be moved away"},
		"no candidate disk": {func(f *fixture) {
			f.degraded().set("Volume/vol", "status.conditions",
				[]any{map[string]any{"type": "Scheduled", "status": "False", "reason": "ReplicaSchedulingFailure"}})
		}, "ReplicaSchedulingFailure"},
		"a phantom of the engine": {func(f *fixture) {
			f.degraded().set("Engine/vol-e", "status.replicaModeMap.vol-r9", "ERR")
		}, "vol-r9 as ERR"},
		"no instance manager": {func(f *fixture) {
			f.degraded().drop("InstanceManager").add(`{"kind":"InstanceManager","metadata":{"name":"im","uid":"im"},` +
				`"spec":{"nodeID":"w9"},"status":{"currentState":"running"}}`)
		}, "instance manager of w1 does not run"},
		"a version that forgets detached volumes": {func(f *fixture) {
			evicting(f.detach())
			f.tune("current-longhorn-version", "v1.7.2")
		}, "may leave a detached volume where it is"},
	} {
		f := read(t, "1.8")
		c.change(f)
		if got := strings.Join(f.volume().Hindered, "; "); !strings.Contains(got, c.says) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := read(t, "1.8").tune(rebuildLimit, "0").volume().Hindered; len(got) > 0 {
		t.Errorf("a volume that needs nothing is kept by nothing: %v", got)
	}
}

func TestPace_VersionsThatMoveDetachedVolumes(t *testing.T) {
	for word, want := range map[string]bool{
		"v1.5.5": false, "v1.6.3": false, "v1.6.4": true, "v1.7.2": false, "v1.7.3": true, "v1.8.0": true, "v1.12.0": true, "": true,
	} {
		if got := evictsDetached(word); got != want {
			t.Errorf("%s: %v", word, got)
		}
	}
}
