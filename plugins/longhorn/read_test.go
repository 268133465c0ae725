// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// fixture is a world of one attached volume with two replicas, as the objects
// of one version of Longhorn, to be changed before it is read.
type fixture struct {
	t     *testing.T
	items []map[string]any
}

// read returns the objects of a version: "1.4", "1.8" or "1.12".
func read(t *testing.T, version string) *fixture {
	t.Helper()
	text, err := os.ReadFile("testdata/v" + version + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Items []map[string]any }
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	return &fixture{t, list.Items}
}

func name(o map[string]any) (string, string) {
	m, _ := o["metadata"].(map[string]any)
	n, _ := m["name"].(string)
	k, _ := o["kind"].(string)
	return k, n
}

// set sets the field at a dotted path of an object ("Replica/vol-r1"); nil
// takes it away.
func (f *fixture) set(object, path string, value any) *fixture {
	f.t.Helper()
	kind, want, _ := strings.Cut(object, "/")
	for _, o := range f.items {
		if k, n := name(o); k != kind || n != want {
			continue
		}
		at := o
		parts := strings.Split(path, ".")
		for _, p := range parts[:len(parts)-1] {
			next, ok := at[p].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[p] = next
			}
			at = next
		}
		if value == nil {
			delete(at, parts[len(parts)-1])
		} else {
			at[parts[len(parts)-1]] = value
		}
		return f
	}
	f.t.Fatalf("there is no %s", object)
	return f
}

// detach stops the engine and the replicas, as a detached volume has them.
func (f *fixture) detach() *fixture {
	f.set("Volume/vol", "status.state", "detached").set("Volume/vol", "status.robustness", "unknown").
		set("Volume/vol", "spec.nodeID", "").
		set("Engine/vol-e", "status.currentState", "stopped").set("Engine/vol-e", "spec.nodeID", "").
		set("Engine/vol-e", "status.replicaModeMap", nil)
	for _, r := range []string{"Replica/vol-r1", "Replica/vol-r2"} {
		f.set(r, "status.currentState", "stopped")
	}
	return f
}

// drop takes all objects of a kind away; add adds one.
func (f *fixture) drop(kind string) *fixture {
	var rest []map[string]any
	for _, o := range f.items {
		if k, _ := name(o); k != kind {
			rest = append(rest, o)
		}
	}
	f.items = rest
	return f
}

func (f *fixture) add(object string) *fixture {
	f.t.Helper()
	var o map[string]any
	if err := json.Unmarshal([]byte(object), &o); err != nil {
		f.t.Fatal(err)
	}
	f.items = append(f.items, o)
	return f
}

func (f *fixture) reader() *Reader {
	f.t.Helper()
	r := NewReader()
	for _, o := range f.items {
		text, err := json.Marshal(o)
		if err != nil {
			f.t.Fatal(err)
		}
		kind, _ := name(o)
		for _, k := range kinds() {
			if k.Name == kind {
				err = r.Put(k, text)
			}
		}
		if err != nil {
			f.t.Fatal(err)
		}
	}
	return r
}

func (f *fixture) storage() (cluster.Storage, []cluster.Gap) {
	f.t.Helper()
	return f.reader().Storage()
}

func (f *fixture) volume() cluster.Volume {
	f.t.Helper()
	st, _ := f.storage()
	if len(st.Volumes) != 1 {
		f.t.Fatalf("%d volumes, want one", len(st.Volumes))
	}
	return st.Volumes[0]
}

func TestReader_OldAndNewFieldNamesSayTheSame(t *testing.T) {
	want, gaps := read(t, "1.8").storage()
	if len(gaps) != 0 || len(want.Doubts) != 0 || len(want.Volumes[0].Doubts) != 0 {
		t.Fatalf("gaps %+v and doubts %+v %+v in a whole world", gaps, want.Doubts, want.Volumes[0].Doubts)
	}
	for _, version := range []string{"1.4", "1.12"} {
		got, gaps := read(t, version).storage()
		if len(gaps) != 0 {
			t.Errorf("%s: gaps %+v", version, gaps)
		}
		if got.Version != "v"+version+".0" {
			t.Errorf("version %q, want v%s.0", got.Version, version)
		}
		image := "longhornio/longhorn-engine:v" + version + ".0"
		if v := got.Volumes[0]; v.Runtime != image || len(got.Nodes[0].Runtimes) != 1 || got.Nodes[0].Runtimes[0] != image {
			t.Errorf("%s: volume %q, node %q, want both %s", version, v.Runtime, got.Nodes[0].Runtimes, image)
		}
		diff := cmp.Diff(want, got,
			cmpopts.IgnoreFields(cluster.Storage{}, "Version", "Settings", "KeepsNodes"),
			cmpopts.IgnoreFields(cluster.StorageNode{}, "Runtimes"),
			cmpopts.IgnoreFields(cluster.Volume{}, "Runtime", "HoldsUID", "Holds", "SelfRebuild"))
		if diff != "" {
			t.Errorf("%s differs from 1.8 (-1.8 +%s):\n%s", version, version, diff)
		}
	}
}

func TestReader_AnAttachedVolumeIsTranslated(t *testing.T) {
	st, _ := read(t, "1.8").storage()
	if st.Driver != Driver || st.Namespace != "longhorn-system" || st.Reported.Format("15:04") != "10:05" {
		t.Errorf("driver %s in %s, reported %s", st.Driver, st.Namespace, st.Reported)
	}
	v := st.Volumes[0]
	if v.Name != "vol" || v.UID != "u-vol" || v.Handle != "vol" || v.Class != cluster.ClassOrdinary || v.Want != 2 || v.Need != 1 ||
		v.State != cluster.Attached || !v.Touched || v.Pinned || v.Size != 1<<30 || v.Used != 4096 || v.Medium != filesystem ||
		len(v.Busy) != 0 || v.HoldsUID != "u-va" || v.NodeTags[0] != "big" || v.DiskTags[0] != "ssd" {
		t.Errorf("volume %+v", v)
	}
	if v.SharesNode != no || v.SharesZone != yes || v.SharesDisk != yes {
		t.Errorf("shares node %d, zone %d, disk %d", v.SharesNode, v.SharesZone, v.SharesDisk)
	}
	if want := (cluster.Engine{Present: yes, Name: "vol-e", UID: "u-e", Running: yes, Node: "w1", Owner: "w1", Ever: yes}); v.Engine != want {
		t.Errorf("engine %+v, want %+v", v.Engine, want)
	}
	if len(v.Holds) != 1 || v.Holds[0] != (cluster.Hold{ID: "csi-1", Kind: cluster.HoldWorkload, Node: "w1", Why: "csi-attacher"}) {
		t.Errorf("holds %+v", v.Holds)
	}
	r := v.Replicas[1]
	if len(v.Replicas) != 2 || r.Claim != cluster.Serving || r.Node != "w2" || r.DiskUUID != "disk-w2" || r.DiskPath != "/var/lib/longhorn" ||
		r.Directory != "vol-2222" || r.Owner != "w2" || r.Deleting || r.Leaving || r.HealthyAt.Format("15:04") != "10:01" || !r.FailedAt.IsZero() {
		t.Errorf("replica %+v", r)
	}
}

func TestReader_ANodeIsTranslated(t *testing.T) {
	st, _ := read(t, "1.8").storage()
	n := st.Nodes[0]
	if n.Name != "w1" || n.UID != "u-n1" || n.Ready != yes || n.Schedulable != yes || n.Serving != yes || n.Deleting || n.Zone != "z1" ||
		n.Tags[0] != "big" || n.Holds != 1 || n.Placement != (cluster.Placement{Accept: true}) {
		t.Errorf("node %+v", n)
	}
	if st.Nodes[1].Holds != 0 {
		t.Errorf("w2 holds %d, want none", st.Nodes[1].Holds)
	}
	want := cluster.Disk{
		Name: "default", UUID: "disk-w1", Path: "/var/lib/longhorn", Declared: true, Reported: true, Ready: yes, Schedulable: yes,
		Accept: true, Tags: []string{"ssd"}, Medium: filesystem, Maximum: 10000, Available: 8000, Reserved: 100, Scheduled: 1000,
	}
	if diff := cmp.Diff([]cluster.Disk{want}, n.Disks); diff != "" {
		t.Errorf("disks (-want +got):\n%s", diff)
	}
}

func TestReader_DropForgetsAndPutReplaces(t *testing.T) {
	r := read(t, "1.8").reader()
	for _, k := range kinds() {
		for _, uid := range []cluster.UID{
			"u-vol", "u-e", "u-r1", "u-r2", "u-n1", "u-n2", "u-im1", "u-im2", "u-ei", "u-va", "u-s-log-level",
		} {
			r.Drop(k, uid)
		}
	}
	st, gaps := r.Storage()
	if len(st.Volumes)+len(st.Nodes)+len(gaps) != 0 {
		t.Errorf("left: %+v, gaps %+v", st, gaps)
	}
	again := read(t, "1.8").reader()
	before, _ := again.Storage()
	for _, o := range read(t, "1.8").items {
		text, _ := json.Marshal(o)
		kind, _ := name(o)
		for _, k := range kinds() {
			if k.Name == kind {
				if err := again.Put(k, text); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	after, _ := again.Storage()
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the same objects once more gave other facts:\n%s", diff)
	}
}

func TestReader_WhatCannotBeDecodedIsAnError(t *testing.T) {
	for _, k := range kinds() {
		for _, item := range []string{
			``, `null`, `[]`, `"x"`, `1`, `{`, `{"metadata":{}}`, `{"metadata":{"name":""}}`, `{"metadata":{"name":5}}`,
			`{"kind":"Pod","metadata":{"name":"x"}}`, `{"metadata":{"name":"x","creationTimestamp":"yesterday"}}`,
		} {
			if err := NewReader().Put(k, []byte(item)); err == nil {
				t.Errorf("%s took %s", k.Resource, item)
			}
		}
	}
	for item, resource := range map[string]string{
		`{"metadata":{"name":"x"},"spec":{"numberOfReplicas":"2"}}`:                                       volumes,
		`{"metadata":{"name":"x"},"spec":{"size":"big"}}`:                                                 volumes,
		`{"metadata":{"name":"x"},"status":{"conditions":{"Ready":{"status":"True"}}}}`:                   nodes,
		`{"metadata":{"name":"x"},"spec":{"volumeName":"v","healthyAt":"once"}}`:                          replicas,
		`{"metadata":{"name":"x"},"spec":{"volumeName":"v","healthyAt":17}}`:                              replicas,
		`{"metadata":{"name":"x"},"spec":{}}`:                                                             replicas,
		`{"metadata":{"name":"y"},"spec":{}}`:                                                             engines,
		`{"metadata":{"name":"x"},"spec":{"volumeName":"v"},"status":{"replicaModeMap":{"r":{"a":"b"}}}}`: engines,
		`{"metadata":{"name":"x"},"value":{"a":"b"}}`:                                                     settings,
		`{"metadata":{"name":"x"},"spec":{"attachmentTickets":[]}}`:                                       attachments,
		`{"metadata":{"name":"z"},"spec":{}}`:                                                             managers,
	} {
		if err := NewReader().Put(kindOf(resource), []byte(item)); err == nil {
			t.Errorf("%s took %s", resource, item)
		}
	}
	if err := NewReader().Put(plugin.Kind{Resource: "nodes", Name: "Node"}, []byte(`{"metadata":{"name":"x"}}`)); err == nil {
		t.Error("a node of Kubernetes was taken for one of Longhorn")
	}
	if err := NewReader().Put(kindOf("snapshots"), []byte(`{"metadata":{"name":"x"}}`)); err == nil {
		t.Error("a kind that is not read was taken")
	}
}

func TestReader_KeepsNoReferenceToTheItem(t *testing.T) {
	text := []byte(`{"metadata":{"name":"vol","uid":"u"},"spec":{"numberOfReplicas":1,"dataEngine":"v1","nodeSelector":["big"]},"status":{"state":"detached"}}`)
	r := NewReader()
	if err := r.Put(kindOf(volumes), text); err != nil {
		t.Fatal(err)
	}
	for i := range text {
		text[i] = 'x'
	}
	st, _ := r.Storage()
	if v := st.Volumes[0]; v.Name != "vol" || v.NodeTags[0] != "big" || v.State != cluster.Detached {
		t.Errorf("volume %+v changed with its item", v)
	}
}
