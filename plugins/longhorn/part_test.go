// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// edit is a change that an event may bring.
type edit struct {
	object, path string
	value        any
}

func edits() []edit {
	const later = "2026-01-01T11:00:00Z"
	return []edit{
		{"Replica/vol-r1", "spec.failedAt", later}, {"Replica/vol-r1", "spec.failedAt", ""},
		{"Replica/vol-r1", "spec.evictionRequested", true}, {"Replica/vol-r1", "spec.evictionRequested", false},
		{"Replica/vol-r2", "spec.healthyAt", ""}, {"Replica/vol-r2", "spec.healthyAt", later},
		{"Replica/vol-r2", "status.currentState", "running"}, {"Replica/vol-r2", "status.currentState", "stopped"},
		{"Replica/vol-r2", "spec.volumeName", "two"}, {"Replica/vol-r2", "spec.volumeName", "vol"},
		{"Replica/vol-r2", "spec.volumeName", "nobody"}, {"Replica/vol-r2", "metadata.namespace", "elsewhere"},
		{"Replica/vol-r2", "metadata.namespace", "longhorn-system"},
		{"Engine/vol-e", "status.currentState", "stopped"}, {"Engine/vol-e", "status.currentState", "running"},
		{"Engine/vol-e", "spec.nodeID", "w2"}, {"Engine/vol-e", "spec.active", false}, {"Engine/vol-e", "spec.active", true},
		{"Volume/vol", "spec.numberOfReplicas", 3.0}, {"Volume/vol", "spec.numberOfReplicas", 2.0},
		{"Volume/vol", "status.robustness", "degraded"}, {"Volume/vol", "status.robustness", "healthy"},
		{"Volume/vol", "status.lastDegradedAt", later}, {"Volume/vol", "spec.backingImage", "none"}, {"Volume/vol", "spec.backingImage", ""},
		{"Node/w1", "status.zone", "z"}, {"Node/w2", "spec.disks", map[string]any{}}, {"Node/w2", "status.conditions", nil},
		{"Node/w1", "status.conditions", []any{map[string]any{"type": "Ready", "status": "False", "reason": "Gone"}}},
		{"Setting/replica-soft-anti-affinity", "value", "true"}, {"Setting/replica-soft-anti-affinity", "value", "false"},
		{"Setting/replica-replenishment-wait-interval", "value", "1200"}, {"Setting/concurrent-replica-rebuild-per-node-limit", "value", "1"},
		{"Setting/concurrent-replica-rebuild-per-node-limit", "value", "0"}, {"Setting/current-longhorn-version", "value", "v1.10.1"},
		{"Orphan/o", "spec.nodeID", "w1"}, {"ShardGroup/g", "spec.volumeName", "vol"}, {"ShardGroup/g", "spec.volumeName", "nobody"},
	}
}

// twoVolumes is the fixture with a second volume like the first, and with what
// the edits name.
func twoVolumes(t *testing.T) *fixture {
	f := read(t, "1.8")
	for _, o := range slices.Clone(f.items) {
		kind, _ := name(o)
		if !slices.Contains([]string{"Volume", "Engine", "Replica", attachmentsKind}, kind) {
			continue
		}
		raw, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		f.add(strings.NewReplacer(`"vol"`, `"two"`, `"vol-`, `"two-`, `"uid":"`, `"uid":"two-`).Replace(string(raw)))
	}
	for _, setting := range []string{"replica-soft-anti-affinity", "replica-replenishment-wait-interval", "concurrent-replica-rebuild-per-node-limit", "current-longhorn-version"} {
		if !slices.ContainsFunc(f.items, func(o map[string]any) bool { k, n := name(o); return k == "Setting" && n == setting }) {
			f.add(`{"kind":"Setting","metadata":{"name":"` + setting + `","uid":"s-` + setting + `"},"value":"v1.8.1"}`)
		}
	}
	f.add(`{"kind":"Orphan","metadata":{"name":"o","uid":"o"},"spec":{"nodeID":"w2","parameters":{"DataName":"vol-abcdefgh"}}}`)
	return f.add(`{"kind":"ShardGroup","metadata":{"name":"g","uid":"g"},"spec":{"volumeName":"two"}}`)
}

// TestReader_WhatIsKeptOfTheLastJoiningIsOfThePresent: after any events the
// facts are those of a reader that has read everything just now.
func TestReader_WhatIsKeptOfTheLastJoiningIsOfThePresent(t *testing.T) {
	put := func(t *rapid.T, r *Reader, o map[string]any) {
		raw, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		kind, _ := name(o)
		for _, k := range kinds() {
			if k.Name == kind {
				if err := r.Put(k, raw); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	same := func(t *rapid.T, step string, kept, anew *Reader) {
		got, gotGaps := kept.Storage()
		want, wantGaps := anew.Storage()
		if diff := cmp.Diff(want, got) + cmp.Diff(wantGaps, gotGaps); diff != "" {
			t.Fatalf("after %s: %s", step, diff)
		}
		frame, volumes, gaps := anew.Join()
		frame.Volumes = slices.Collect(volumes)
		if diff := cmp.Diff(want, frame) + cmp.Diff(wantGaps, gaps); diff != "" {
			t.Fatalf("one by one: %s", diff)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		f := twoVolumes(t)
		r := f.reader()
		same(rt, "reading", r, f.reader())
		gone := []map[string]any{}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0: // an object goes
				i := rapid.IntRange(0, len(f.items)-1).Draw(rt, "gone")
				o := f.items[i]
				f.items = slices.Delete(f.items, i, i+1)
				gone = append(gone, o)
				uid, _ := o["metadata"].(map[string]any)["uid"].(string)
				kind, _ := name(o)
				for _, k := range kinds() {
					if k.Name == kind {
						r.Drop(k, cluster.UID(uid))
					}
				}
			case 1: // one comes back
				if len(gone) > 0 {
					f.items = append(f.items, gone[0])
					put(rt, r, gone[0])
					gone = gone[1:]
				}
			default:
				e := rapid.SampledFrom(edits()).Draw(rt, "edit")
				kind, n, _ := strings.Cut(e.object, "/")
				i := slices.IndexFunc(f.items, func(o map[string]any) bool { k, is := name(o); return k == kind && is == n })
				if i < 0 {
					continue
				}
				f.set(e.object, e.path, e.value)
				put(rt, r, f.items[i])
				if rapid.Bool().Draw(rt, "together") {
					continue
				}
			}
			same(rt, "events", r, f.reader())
		}
		same(rt, "all", r, f.reader())
	})
}
