// SPDX-License-Identifier: Apache-2.0

package act_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

func (toy) Knobs() (ofStorage, ofVolume []string) { return []string{"wait"}, nil }

// Tune sets a field of the node.
func (y toy) Tune(_ *cluster.Storage, _ *cluster.Volume, k cluster.Knob) ([]plugin.Change, error) {
	return []plugin.Change{{
		Object: y.object(kind("nodes", "Node"), "worker-1", k.UID),
		Patch:  fmt.Appendf(nil, `{"spec":{%q:%q}}`, k.Name, k.Aside),
		Expect: []cluster.Fact{{Name: "spec." + k.Name, Value: k.Value}},
		Says:   k.Name + " to " + k.Aside,
	}}, nil
}

func (y toy) Forget(_ *cluster.Storage, n cluster.StorageNode) ([]plugin.Change, error) {
	return []plugin.Change{{Object: y.object(kind("nodes", "Node"), n.Name, n.UID), Delete: true, Says: n.Name + " forgotten"}}, nil
}

func (w *world) setAside() decide.Action {
	return decide.Action{
		Verb: decide.SetAside, Driver: driver, Knob: decide.ObjectRef{Name: "wait", UID: "sn-1"}, From: "600", Into: "0",
	}
}

func (w *world) wait(value string) {
	w.Edit(toyNode, func(o fakeapi.Object) { o["spec"].(fakeapi.Object)["wait"] = value })
}

func TestSetAside_ThereAndBackToTheByte(t *testing.T) {
	w := newWorld(t)
	w.seed()
	w.wait("600")
	a := w.setAside()
	back, ok := decide.Inverse(a)
	if !ok {
		t.Fatal("there is no way back")
	}
	w.do(t, a, decide.Performed)
	if got := text(w.Get(toyNode), "spec", "wait"); got != "0" {
		t.Fatalf("wait is %v", got)
	}
	w.do(t, a, decide.Conflict) // it is so already, and not by this deed
	w.do(t, back, decide.Performed)
	w.do(t, back, decide.Performed)
	if got := text(w.Get(toyNode), "spec", "wait"); got != "600" {
		t.Errorf("wait is %v", got)
	}
}

func TestPutBack_WhatSomebodyElseHasChangedSinceIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.seed()
	w.wait("30")
	back, _ := decide.Inverse(w.setAside())
	w.do(t, back, decide.Conflict)
	if got := text(w.Get(toyNode), "spec", "wait"); got != "30" {
		t.Errorf("wait is %v", got)
	}
}

func TestPutBack_OfAVolumeThatIsGoneNeedsNothing(t *testing.T) {
	w := newWorld(t)
	w.seed()
	a := w.setAside()
	a.Verb, a.Volume = decide.PutBack, decide.ObjectRef{Name: "gone", UID: "gone"}
	w.do(t, a, decide.Performed)
	a.Verb = decide.SetAside
	w.do(t, a, decide.Conflict)
	if n := len(w.sent(http.MethodPatch)); n > 0 {
		t.Errorf("%d patches were sent", n)
	}
}

func TestForget_DeletesTheStoragesNodeByItsUID(t *testing.T) {
	w := newWorld(t)
	w.seed()
	a := w.place()
	a.Verb = decide.Forget
	a.StorageNode.UID = "another"
	w.do(t, a, decide.Conflict)
	a.StorageNode.UID = "sn-1"
	w.do(t, a, decide.Performed)
	if w.Get(toyNode) != nil {
		t.Error("it is still there")
	}
}
