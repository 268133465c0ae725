// SPDX-License-Identifier: Apache-2.0

package act_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

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

func TestWakeAndSleep_ByFactsThatAreOlderTouchOursAndNobodyElses(t *testing.T) {
	w := newWorld(t)
	w.seed()
	w.do(t, w.wake(), decide.Performed)
	w.do(t, w.wake(), decide.Performed) // our own name: a repeated deed is fulfilled
	tickets := w.Get(toyTickets)["spec"].(fakeapi.Object)["tickets"].(fakeapi.Object)
	if len(tickets) != 2 || tickets["safe-roll.r1"] == nil || tickets["csi"] == nil {
		t.Fatalf("tickets: %v", tickets)
	}
	// The facts of a roll that is interrupted right after a Wake are older.
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
	// Of a kind that an older server does not know there is none to be missed.
	facts.Gaps[0].Reason = cluster.GapMissing
	o, err = w.actor.Perform(t.Context(), facts, a)
	if err != nil || o.Result != decide.Performed {
		t.Errorf("got %v %v", o, err)
	}
}

// What could not be read may well be there: a way back that met a conflict is
// given up, one that was refused is not.
func TestPutBack_IsNotGivenUpForWhatCouldNotBeRead(t *testing.T) {
	w := newWorld(t)
	w.seed()
	knob, place, sleep := w.setAside(), w.place(), w.wake()
	knob.Verb, sleep.Verb = decide.PutBack, decide.Sleep
	for _, a := range []decide.Action{knob, place, sleep} {
		facts := w.facts()
		facts.Storages[0].Nodes, facts.Storages[0].Volumes = nil, nil
		if a.Verb == decide.PutBack {
			facts.Storages = nil
		}
		facts.Gaps = []cluster.Gap{{Kind: "nodes." + driver, Reason: cluster.GapForbidden, Needed: true}}
		o, err := w.actor.Perform(t.Context(), facts, a)
		if err != nil || o.Result != decide.Refused {
			t.Errorf("%s: got %v %v", a.Verb, o, err)
		}
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
