// SPDX-License-Identifier: Apache-2.0

package act_test

import (
	"net/http"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// entry is one of managedFields: who owns which fields of the spec.
func entry(manager string, spec ...string) any {
	fields := fakeapi.Object{}
	for _, f := range spec {
		fields["f:"+f] = fakeapi.Object{}
	}
	return fakeapi.Object{"manager": manager, "operation": "Update", "fieldsV1": fakeapi.Object{"f:spec": fields}}
}

// What we set, one took back and another set anew has the value that we left, and
// is not ours to take back (I6).
func TestTakeBack_WhatAnotherHasSetSinceIsLeftAlone(t *testing.T) {
	const us = "kubectl-safe-roll"
	for name, c := range map[string]struct {
		managed func(field string) []any
		want    decide.Result
	}{
		"nothing is kept":         {func(string) []any { return nil }, decide.Performed},
		"ours":                    {func(f string) []any { return []any{entry("kubelet", "podCIDR"), entry(us, f)} }, decide.Performed},
		"another's":               {func(f string) []any { return []any{entry("kubectl", f)} }, decide.Conflict},
		"another's, we had more":  {func(f string) []any { return []any{entry(us, "taints"), entry("kubectl", f)} }, decide.Conflict},
		"both say the same":       {func(f string) []any { return []any{entry("argocd", f), entry(us, f)} }, decide.Performed},
		"of other fields":         {func(string) []any { return []any{entry("kubectl", "taints")} }, decide.Performed},
		"of what is below":        {func(string) []any { return []any{entry("kubectl")} }, decide.Performed},
		"merged with older ones":  {func(f string) []any { return []any{entry("ancient-changes", f), entry("kubectl", "taints")} }, decide.Performed},
		"from before the records": {func(f string) []any { return []any{entry("before-first-apply", f), entry("argocd", f)} }, decide.Performed},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.seed()
			w.wait("600")
			back := func(a decide.Action) decide.Action { b, _ := decide.Inverse(a); return b }
			for _, d := range []struct {
				path, field string
				deed        decide.Action
			}{
				{nodePath, "unschedulable", decide.Action{Verb: decide.Cordon, Node: w.node}},
				{toyNode, "accept", w.place()},
				{toyNode, "evacuate", w.place()},
				{toyNode, "wait", w.setAside()},
			} {
				w.do(t, d.deed, decide.Performed)
				w.Edit(d.path, func(o fakeapi.Object) {
					o["metadata"].(fakeapi.Object)["managedFields"] = c.managed(d.field)
				})
				before, sent := text(w.Get(d.path), "spec", d.field), len(w.sent(http.MethodPatch))
				o := w.do(t, back(d.deed), c.want)
				if c.want == decide.Performed {
					continue
				}
				contains(t, o.Detail, "spec."+d.field+" was set by kubectl since")
				if after := text(w.Get(d.path), "spec", d.field); after != before || len(w.sent(http.MethodPatch)) > sent {
					t.Errorf("%s: %v became %v", d.field, before, after)
				}
				w.Edit(d.path, func(o fakeapi.Object) { delete(o["metadata"].(fakeapi.Object), "managedFields") })
				w.do(t, back(d.deed), decide.Performed)
			}
		})
	}
}

// A way back says all that a storage node accepts, and changes a part of it only:
// whoever set the rest has no say.
func TestTakeBack_WhoSetWhatStaysAsItIsDoesNotMatter(t *testing.T) {
	w := newWorld(t)
	w.seed()
	w.Edit(toyNode, func(o fakeapi.Object) {
		o["spec"].(fakeapi.Object)["accept"] = false
	})
	a := w.place()
	a.Was.Accept = false // somebody had it so before
	w.do(t, a, decide.Performed)
	w.Edit(toyNode, func(o fakeapi.Object) {
		o["metadata"].(fakeapi.Object)["managedFields"] = []any{entry("storage-manager", "accept"), entry("kubectl-safe-roll", "evacuate")}
	})
	b, _ := decide.Inverse(a)
	w.do(t, b, decide.Performed)
	if got := text(w.Get(toyNode), "spec", "evacuate"); got != false {
		t.Errorf("evacuate is %v", got)
	}
}

// A hold bears our own name: it is let go of, whoever else has written there.
func TestTakeBack_AHoldIsOurs(t *testing.T) {
	w := newWorld(t)
	w.seed()
	w.do(t, w.wake(), decide.Performed)
	w.Edit(toyTickets, func(o fakeapi.Object) {
		o["metadata"].(fakeapi.Object)["managedFields"] = []any{fakeapi.Object{
			"manager": "storage", "fieldsV1": fakeapi.Object{"f:spec": fakeapi.Object{"f:tickets": fakeapi.Object{"f:safe-roll.r1": fakeapi.Object{}}}},
		}}
	})
	b, _ := decide.Inverse(w.wake())
	w.do(t, b, decide.Performed)
}
