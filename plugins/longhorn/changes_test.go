// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// The plugin has these capabilities; their absence would not compile.
func capabilities() (plugin.Storage, plugin.Evacuator, plugin.Rebuilder, plugin.Pruner) {
	return New(), New(), New(), New()
}

func TestStorage_KindsAreNamedAsLonghornNamesThem(t *testing.T) {
	st, _, _, _ := capabilities()
	needed := map[string]bool{}
	for _, k := range st.Kinds() {
		if k.Group != "longhorn.io" || k.Version != "v1beta2" || k.Resource == "" || k.Name == "" {
			t.Errorf("kind %+v", k)
		}
		needed[k.Resource] = k.Need == plugin.Needed
	}
	want := map[string]bool{
		"volumes": true, "engines": true, "replicas": true, "orphans": false, "nodes": true, "settings": false, "volumeattachments": false,
		"instancemanagers": false, "sharemanagers": false, "engineimages": false, "backingimages": false, "shardgroups": false,
	}
	if diff := cmp.Diff(want, needed); diff != "" {
		t.Errorf("needed kinds (-want +got):\n%s", diff)
	}
	if st.Driver() != "driver.longhorn.io" || st.DefaultNamespace() != "longhorn-system" {
		t.Errorf("driver %s in %s", st.Driver(), st.DefaultNamespace())
	}
}

func sameJSON(t *testing.T, got []byte, want string) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b, a); diff != "" {
		t.Errorf("patch (-want +got):\n%s", diff)
	}
}

func TestPlace_ChangesBothFlagsAtOnceAndExpectsTheOldOnes(t *testing.T) {
	st, _ := read(t, "1.8").storage()
	got, err := New().Place(&st, st.Nodes[0], cluster.Placement{Accept: true}, cluster.Placement{Evacuate: true})
	if err != nil || len(got) != 1 {
		t.Fatalf("changes %+v, error %v", got, err)
	}
	c := got[0]
	sameJSON(t, c.Patch, `{"spec":{"allowScheduling":false,"evictionRequested":true}}`)
	if c.Object.Kind.Resource != "nodes" || c.Object.Namespace != "longhorn-system" || c.Object.Name != "w1" || c.Object.UID != "u-n1" || c.Delete {
		t.Errorf("object %+v", c.Object)
	}
	want := []cluster.Fact{{Name: "spec.allowScheduling", Value: "true"}, {Name: "spec.evictionRequested", Value: "false"}}
	if diff := cmp.Diff(want, c.Expect); diff != "" {
		t.Errorf("expected (-want +got):\n%s", diff)
	}
	if got, err := New().Place(&st, st.Nodes[0], cluster.Placement{Accept: true}, cluster.Placement{Accept: true}); err != nil || len(got) != 0 {
		t.Errorf("changes %+v (error %v) where nothing changes", got, err)
	}
	if _, err := New().Place(&st, st.Nodes[0], cluster.Placement{Accept: true}, cluster.Placement{Accept: true, Evacuate: true}); err == nil {
		t.Error("a node that accepts replicas is evacuated, which Longhorn refuses")
	}
	if _, err := New().Place(&st, cluster.StorageNode{Name: "w1"}, cluster.Placement{Accept: true}, cluster.Placement{}); err == nil {
		t.Error("a node without a UID is changed")
	}
}

func TestWake_AddsOurTicketWithoutADevice(t *testing.T) {
	st, _ := read(t, "1.8").storage()
	got, err := New().Wake(&st, st.Volumes[0], "w2", "safe-roll-a.b")
	if err != nil || len(got) != 1 {
		t.Fatalf("changes %+v, error %v", got, err)
	}
	c := got[0]
	sameJSON(t, c.Patch, `{"spec":{"attachmentTickets":{"safe-roll-a.b":{"id":"safe-roll-a.b","type":"longhorn-api","nodeID":"w2",
		"parameters":{"disableFrontend":"true","lastAttachedBy":"safe-roll"}}}}}`)
	if c.Object.Kind.Resource != "volumeattachments" || c.Object.Kind.Group != "longhorn.io" || c.Object.Name != "vol" || c.Object.UID != "u-va" || c.Object.Namespace != "longhorn-system" {
		t.Errorf("object %+v", c.Object)
	}
	if diff := cmp.Diff([]cluster.Fact{{Name: `spec.attachmentTickets.safe-roll-a\.b`, Value: ""}}, c.Expect); diff != "" {
		t.Errorf("expected (-want +got):\n%s", diff)
	}
	for name, wake := range map[string]func() ([]plugin.Change, error){
		"another's ticket": func() ([]plugin.Change, error) { return New().Wake(&st, st.Volumes[0], "w2", "csi-1") },
		"a bare prefix":    func() ([]plugin.Change, error) { return New().Wake(&st, st.Volumes[0], "w2", "safe-roll-") },
		"no node":          func() ([]plugin.Change, error) { return New().Wake(&st, st.Volumes[0], "", "safe-roll-1") },
		"an attachment that was not read": func() ([]plugin.Change, error) {
			unread := st.Volumes[0]
			unread.HoldsUID = ""
			return New().Wake(&st, unread, "w2", "safe-roll-1")
		},
	} {
		if got, err := wake(); err == nil {
			t.Errorf("%s: changes %+v", name, got)
		}
	}
}

func TestWakeAndSleep_BeforeTicketsTheVolumeSaysWhereItShallBe(t *testing.T) {
	f := read(t, "1.4").detach()
	st, _ := f.storage()
	got, err := New().Wake(&st, st.Volumes[0], "w2", "safe-roll-1")
	if err != nil || len(got) != 1 || got[0].Object.Kind.Resource != "volumes" || got[0].Object.UID != "u-vol" {
		t.Fatalf("changes %+v, error %v", got, err)
	}
	sameJSON(t, got[0].Patch, `{"spec":{"nodeID":"w2","disableFrontend":true,"lastAttachedBy":"safe-roll-1"}}`)
	want := []cluster.Fact{{Name: "spec.nodeID", Value: ""}, {Name: "status.state", Value: "detached"}}
	if diff := cmp.Diff(want, got[0].Expect); diff != "" {
		t.Errorf("expected (-want +got):\n%s", diff)
	}
	f.set("Volume/vol", "spec.nodeID", "w2").set("Volume/vol", "spec.disableFrontend", true).set("Volume/vol", "spec.lastAttachedBy", "safe-roll-1")
	st, _ = f.storage()
	hold := cluster.Hold{ID: "safe-roll-1", Kind: cluster.HoldOurs, Node: "w2", Why: "spec.nodeID"}
	if diff := cmp.Diff([]cluster.Hold{hold}, st.Volumes[0].Holds); diff != "" {
		t.Errorf("holds (-want +got):\n%s", diff)
	}
	got, err = New().Sleep(&st, st.Volumes[0], "safe-roll-1")
	if err != nil || len(got) != 1 {
		t.Fatalf("changes %+v, error %v", got, err)
	}
	sameJSON(t, got[0].Patch, `{"spec":{"nodeID":"","disableFrontend":false,"lastAttachedBy":""}}`)
	if e := got[0].Expect; len(e) != 2 || e[0].Value != "safe-roll-1" {
		t.Errorf("who attached it since would be detached: %+v", e)
	}
	// A workload that attached it writes its own name, and a device.
	f.set("Volume/vol", "spec.disableFrontend", false)
	if st, _ = f.storage(); st.Volumes[0].Holds[0].Kind == cluster.HoldOurs {
		t.Error("a workload's attachment is taken for ours")
	}
	if got, err := New().Wake(&st, st.Volumes[0], "w2", "csi-1"); err == nil {
		t.Errorf("under another's name: %+v", got)
	}
}

func TestSleep_TakesBackOurTicketAndNoOther(t *testing.T) {
	f := read(t, "1.8").set("VolumeAttachment/vol", "spec.attachmentTickets.safe-roll-1", map[string]any{"id": "safe-roll-1", "type": "longhorn-api", "nodeID": "w2"})
	st, _ := f.storage()
	got, err := New().Sleep(&st, st.Volumes[0], "safe-roll-1")
	if err != nil || len(got) != 1 {
		t.Fatalf("changes %+v, error %v", got, err)
	}
	sameJSON(t, got[0].Patch, `{"spec":{"attachmentTickets":{"safe-roll-1":null}}}`)
	if got[0].Object.UID != "u-va" || len(got[0].Expect) == 0 {
		t.Errorf("change %+v, want the attachment's UID and the ticket expected", got[0])
	}
	if got, err := New().Sleep(&st, st.Volumes[0], "safe-roll-2"); err != nil || len(got) != 0 {
		t.Errorf("changes %+v (error %v) for a ticket that is not there", got, err)
	}
	held := cluster.Hold{ID: "safe-roll-1", Kind: cluster.HoldOurs}
	unread := st.Volumes[0]
	unread.HoldsUID, unread.Holds = "", []cluster.Hold{held}
	if got, err := New().Sleep(&st, unread, "safe-roll-1"); err == nil {
		t.Errorf("changes %+v: a ticket that could not be read counts as taken back", got)
	}
	if got, err := New().Sleep(&st, st.Volumes[0], "csi-1"); err == nil {
		t.Errorf("changes %+v: a workload's ticket is taken away", got)
	}
}

func TestPrune_DeletesOneReplicaObjectByItsUID(t *testing.T) {
	st, _ := read(t, "1.8").detach().storage()
	v := st.Volumes[0]
	got, err := New().Prune(&st, v, v.Replicas[1])
	if err != nil || len(got) != 1 {
		t.Fatalf("changes %+v, error %v", got, err)
	}
	if c := got[0]; !c.Delete || len(c.Patch) != 0 || c.Object.Name != "vol-r2" || c.Object.UID != "u-r2" || c.Object.Kind.Resource != "replicas" {
		t.Errorf("change %+v", c)
	}
	r := v.Replicas[1]
	r.UID = "other"
	if _, err := New().Prune(&st, v, r); err == nil {
		t.Error("a replica that is not the volume's is deleted")
	}
	r.UID = ""
	if _, err := New().Prune(&st, v, r); err == nil {
		t.Error("a replica without a UID is deleted")
	}
	v.Replicas[1].Deleting = true
	if got, err := New().Prune(&st, v, v.Replicas[1]); err != nil || len(got) != 0 {
		t.Errorf("changes %+v (error %v) for a replica that is being deleted", got, err)
	}
}

func TestConnect_AsksForLonghornsGroupAndVersion(t *testing.T) {
	client, err := New().Connect(&rest.Config{Host: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if got := client.Get().Resource("replicas").URL().Path; got != "/apis/longhorn.io/v1beta2/replicas" {
		t.Errorf("replicas are asked for at %s", got)
	}
	if _, err := New().Connect(&rest.Config{Host: "http://\x7f"}); err == nil {
		t.Error("a host that is none is connected to")
	}
	if New().Placer() == nil {
		t.Error("Longhorn has rules of placement")
	}
}
