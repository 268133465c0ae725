// SPDX-License-Identifier: Apache-2.0

package act_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

const (
	driver     = "toy.example.com"
	toyNode    = "/apis/toy.example.com/v1/namespaces/toy/nodes/worker-1"
	toyTickets = "/apis/toy.example.com/v1/namespaces/toy/tickets/v"
	toyReplica = "/apis/toy.example.com/v1/namespaces/toy/replicas/v-r-1"
)

// toy is a storage with a node, tickets named like volumes, and replicas.
type toy struct{}

func kind(resource, name string) plugin.Kind {
	return plugin.Kind{Group: driver, Version: "v1", Resource: resource, Name: name, Need: plugin.Needed}
}

func (toy) Driver() string           { return driver }
func (toy) DefaultNamespace() string { return "toy" }
func (toy) Kinds() []plugin.Kind {
	return []plugin.Kind{kind("nodes", "Node"), kind("tickets", "Ticket"), kind("replicas", "Replica")}
}
func (toy) NewReader() plugin.Reader { return nil }
func (toy) Codes() []plugin.CodeDoc  { return nil }
func (toy) object(k plugin.Kind, name string, uid cluster.UID) plugin.Object {
	return plugin.Object{Kind: k, Namespace: "toy", Name: name, UID: uid}
}

// Connect returns a client whose scheme knows nothing at all.
func (toy) Connect(cfg *rest.Config) (rest.Interface, error) {
	c := rest.CopyConfig(cfg)
	c.GroupVersion = &schema.GroupVersion{Group: driver, Version: "v1"}
	c.APIPath = "/apis"
	c.NegotiatedSerializer = serializer.NewCodecFactory(runtime.NewScheme()).WithoutConversion()
	return rest.RESTClientFor(c)
}

func (y toy) Place(_ *cluster.Storage, n cluster.StorageNode, was, to cluster.Placement) ([]plugin.Change, error) {
	fact := func(name string, b bool) cluster.Fact {
		return cluster.Fact{Name: "spec." + name, Value: fmt.Sprint(b)}
	}
	return []plugin.Change{{
		Object: y.object(kind("nodes", "Node"), n.Name, n.UID),
		Patch:  fmt.Appendf(nil, `{"spec":{"accept":%v,"evacuate":%v}}`, to.Accept, to.Evacuate),
		Expect: []cluster.Fact{fact("accept", was.Accept), fact("evacuate", was.Evacuate)},
		Says:   "storage node " + n.Name + " accepts " + fmt.Sprint(to),
	}}, nil
}

func (y toy) Wake(_ *cluster.Storage, v cluster.Volume, node, id string) ([]plugin.Change, error) {
	if v.State == cluster.Attached {
		return nil, errors.New("the volume is attached")
	}
	return []plugin.Change{{
		Object: y.object(kind("tickets", "Ticket"), v.Name, ""),
		Patch:  fmt.Appendf(nil, `{"spec":{"tickets":{%q:{"node":%q}}}}`, id, node),
		Expect: []cluster.Fact{
			{Name: "metadata.ownerReferences.0.uid", Value: string(v.UID)},
			{Name: "spec.tickets." + strings.ReplaceAll(id, ".", `\.`), Value: ""},
		},
		Says: "volume " + v.Name + " held",
	}}, nil
}

func (y toy) Sleep(_ *cluster.Storage, v cluster.Volume, id string) ([]plugin.Change, error) {
	return []plugin.Change{{
		Object: y.object(kind("tickets", "Ticket"), v.Name, ""),
		Patch:  fmt.Appendf(nil, `{"spec":{"tickets":{%q:null}}}`, id),
		Expect: []cluster.Fact{{Name: "metadata.ownerReferences.0.uid", Value: string(v.UID)}},
		Says:   "volume " + v.Name + " let go",
	}}, nil
}

func (y toy) Prune(_ *cluster.Storage, _ cluster.Volume, r cluster.Replica) ([]plugin.Change, error) {
	return []plugin.Change{{
		Object: y.object(kind("replicas", "Replica"), r.Name, r.UID),
		Delete: true,
		Expect: []cluster.Fact{{Name: "spec.node", Value: r.Node}},
		Says:   "replica " + r.Name + " removed",
	}}, nil
}

// seed makes the storage's objects.
func (w *world) seed() {
	w.Create(toyNode, fakeapi.Object{"metadata": fakeapi.Object{"uid": "sn-1"}, "spec": fakeapi.Object{"accept": true, "evacuate": false}})
	w.Create(toyTickets, fakeapi.Object{
		"metadata": fakeapi.Object{"ownerReferences": []any{fakeapi.Object{"uid": "vol-1"}}},
		"spec":     fakeapi.Object{"tickets": fakeapi.Object{"csi": fakeapi.Object{"node": "worker-2"}}},
	})
	w.Create(toyReplica, fakeapi.Object{"metadata": fakeapi.Object{"uid": "rep-1"}, "spec": fakeapi.Object{"node": "worker-1"}})
}

// facts are what the deeds are decided from.
func (w *world) facts() *cluster.Snapshot {
	return &cluster.Snapshot{Storages: []cluster.Storage{{
		Driver: driver,
		Nodes:  []cluster.StorageNode{{Name: "worker-1", UID: "sn-1"}},
		Volumes: []cluster.Volume{{
			Name: "v", UID: "vol-1", State: cluster.Detached,
			Replicas: []cluster.Replica{{Name: "v-r-1", UID: "rep-1", Node: "worker-1"}},
		}},
	}}}
}

func (w *world) place() decide.Action {
	return decide.Action{
		Verb: decide.Place, Driver: driver, StorageNode: decide.ObjectRef{Name: "worker-1", UID: "sn-1"},
		Was: cluster.Placement{Accept: true}, To: cluster.Placement{Evacuate: true},
	}
}

func (w *world) wake() decide.Action {
	return decide.Action{
		Verb: decide.Wake, Driver: driver, Volume: decide.ObjectRef{Name: "v", UID: "vol-1"},
		Hold: "safe-roll.r1", HoldNode: "worker-2",
	}
}

func (w *world) prune() decide.Action {
	return decide.Action{
		Verb: decide.Prune, Driver: driver, Volume: decide.ObjectRef{Name: "v", UID: "vol-1"},
		Replica: decide.ObjectRef{Name: "v-r-1", UID: "rep-1"},
	}
}

func (w *world) dump() string {
	var b strings.Builder
	for _, p := range w.Paths() {
		o, _ := json.Marshal(w.Get(p))
		fmt.Fprintf(&b, "%s %s\n", p, o)
	}
	return b.String()
}

func TestPlace_ThereAndBackLeavesTheNodeAsItWas(t *testing.T) {
	w := newWorld(t)
	w.seed()
	a := w.place()
	w.do(t, a, decide.Performed)
	if s := w.Get(toyNode)["spec"].(fakeapi.Object); s["accept"] != false || s["evacuate"] != true {
		t.Fatalf("not placed: %v", s)
	}
	a.Was, a.To = a.To, a.Was
	w.do(t, a, decide.Performed)
	w.do(t, a, decide.Performed) // a way back that was gone already
	if s := w.Get(toyNode)["spec"].(fakeapi.Object); s["accept"] != true || s["evacuate"] != false {
		t.Fatalf("not put back: %v", s)
	}
}

func TestPlace_AValueThatSomebodyElseSetIsAConflict(t *testing.T) {
	w := newWorld(t)
	w.seed()
	w.Edit(toyNode, func(o fakeapi.Object) { o["spec"].(fakeapi.Object)["accept"] = false })
	o := w.do(t, w.place(), decide.Conflict)
	contains(t, o.Detail, `spec.accept is "false" and not "true"`)
	w.Edit(toyNode, func(o fakeapi.Object) { o["spec"].(fakeapi.Object)["evacuate"] = true })
	w.do(t, w.place(), decide.Conflict) // as wanted, but not by us: nothing to undo later
	if n := len(w.sent(http.MethodPatch)); n > 0 {
		t.Errorf("%d patches were sent", n)
	}
}

func TestPlace_AChangeBetweenReadAndPatchIsAConflict(t *testing.T) {
	w := newWorld(t)
	w.seed()
	w.on(http.MethodPatch, func() fakeapi.Fault {
		w.Edit(toyNode, func(o fakeapi.Object) { o["spec"].(fakeapi.Object)["accept"] = false })
		return fakeapi.Fault{}
	})
	w.do(t, w.place(), decide.Conflict)
	if s := w.Get(toyNode)["spec"].(fakeapi.Object); s["evacuate"] != false {
		t.Error("the node was changed in spite of the conflict")
	}
}

func TestWakeAndSleep_TouchNobodyElsesTicket(t *testing.T) {
	w := newWorld(t)
	w.seed()
	w.do(t, w.wake(), decide.Performed)
	w.do(t, w.wake(), decide.Performed) // our own name: a repeated deed is fulfilled
	tickets := w.Get(toyTickets)["spec"].(fakeapi.Object)["tickets"].(fakeapi.Object)
	if len(tickets) != 2 || tickets["safe-roll.r1"] == nil || tickets["csi"] == nil {
		t.Fatalf("tickets: %v", tickets)
	}
	a := w.wake()
	a.Verb = decide.Sleep
	w.do(t, a, decide.Performed)
	w.do(t, a, decide.Performed)
	tickets = w.Get(toyTickets)["spec"].(fakeapi.Object)["tickets"].(fakeapi.Object)
	if len(tickets) != 1 || tickets["csi"] == nil {
		t.Fatalf("tickets: %v", tickets)
	}
}

func TestWake_ATicketObjectOfAnotherVolumeIsAConflict(t *testing.T) {
	w := newWorld(t)
	w.seed()
	w.Edit(toyTickets, func(o fakeapi.Object) {
		o["metadata"].(fakeapi.Object)["ownerReferences"] = []any{fakeapi.Object{"uid": "vol-2"}}
		o["spec"].(fakeapi.Object)["tickets"].(fakeapi.Object)["safe-roll.r1"] = fakeapi.Object{"node": "worker-2"}
	})
	before := w.dump()
	o := w.do(t, w.wake(), decide.Conflict)
	contains(t, o.Detail, "metadata.ownerReferences.0.uid")
	a := w.wake()
	a.Verb = decide.Sleep
	w.do(t, a, decide.Conflict)
	if w.dump() != before {
		t.Error("something was changed")
	}
}

func TestSleep_AGoneVolumeNeedsNoWayBack(t *testing.T) {
	w := newWorld(t)
	a := w.wake()
	a.Verb = decide.Sleep
	w.do(t, a, decide.Performed) // the ticket object is gone
	facts := w.facts()
	facts.Storages[0].Volumes = nil
	o, err := w.actor.Perform(t.Context(), facts, a)
	if err != nil || o.Result != decide.Performed {
		t.Errorf("got %v %v", o, err)
	}
	// Not seeing it proves nothing where its kind could not be read.
	facts.Gaps = []cluster.Gap{{Kind: "tickets." + driver}}
	o, err = w.actor.Perform(t.Context(), facts, a)
	if err != nil || o.Result != decide.Conflict {
		t.Errorf("got %v %v", o, err)
	}
}

func TestPrune_DeletesThatReplicaByUIDAndVersion(t *testing.T) {
	w := newWorld(t)
	w.seed()
	version := text(w.Get(toyReplica), "metadata", "resourceVersion").(string)
	w.do(t, w.prune(), decide.Performed)
	if w.Get(toyReplica) != nil {
		t.Fatal("the replica is still there")
	}
	var opts metav1.DeleteOptions
	if err := json.Unmarshal(w.sent(http.MethodDelete)[0].Body, &opts); err != nil {
		t.Fatal(err)
	}
	if p := opts.Preconditions; p == nil || *p.UID != "rep-1" || *p.ResourceVersion != version {
		t.Errorf("preconditions: %v", p)
	}
	w.do(t, w.prune(), decide.Performed)
}

func TestPrune_NeverDeletesWhatIsNotAsExpected(t *testing.T) {
	w := newWorld(t)
	w.seed()
	w.Edit(toyReplica, func(o fakeapi.Object) { o["spec"] = fakeapi.Object{"node": "worker-2"} })
	w.do(t, w.prune(), decide.Conflict)
	w.Edit(toyReplica, func(o fakeapi.Object) {
		o["spec"] = fakeapi.Object{"node": "worker-1"}
		o["metadata"].(fakeapi.Object)["uid"] = "rep-2"
	})
	o := w.do(t, w.prune(), decide.Performed) // the one that was meant is gone
	contains(t, o.Detail, "so already")
	if w.Get(toyReplica) == nil {
		t.Error("a namesake was deleted")
	}
}

func TestPrune_AReplicaThatChangesAfterTheReadIsAConflict(t *testing.T) {
	w := newWorld(t)
	w.seed()
	w.on(http.MethodDelete, func() fakeapi.Fault {
		w.Edit(toyReplica, func(o fakeapi.Object) { o["spec"] = fakeapi.Object{"node": "worker-2"} })
		return fakeapi.Fault{}
	})
	w.do(t, w.prune(), decide.Conflict)
	if w.Get(toyReplica) == nil {
		t.Error("it was deleted in spite of the change")
	}
}

func TestChangeStorage_WhatThePluginRefusesIsAnError(t *testing.T) {
	w := newWorld(t)
	facts := w.facts()
	facts.Storages[0].Volumes[0].State = cluster.Attached
	if _, err := w.actor.Perform(t.Context(), facts, w.wake()); err == nil || !strings.Contains(err.Error(), "the volume is attached") {
		t.Errorf("got %v", err)
	}
	a := w.wake()
	a.Driver = "other.example.com"
	contains(t, w.fails(t, a), `no plugin for the storage "other.example.com"`)
}
