// SPDX-License-Identifier: Apache-2.0

package act_test

import (
	"net/http"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

func (w *world) refit() decide.Action {
	return decide.Action{Verb: decide.Refit, Node: w.node, Fittings: &cluster.Fittings{
		Labels: map[string]string{"pool": "fast"}, Taints: []string{"dedicated=db:NoSchedule", "bare=:NoExecute"},
	}}
}

func TestRefit_AddsLabelsAndTaintsAndKeepsThoseThatCameMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.Edit(nodePath, func(o fakeapi.Object) {
		o["metadata"].(fakeapi.Object)["labels"] = fakeapi.Object{"zone": "a"}
		o["spec"] = fakeapi.Object{"taints": []any{fakeapi.Object{"key": "late", "effect": "NoSchedule"}}}
	})
	w.do(t, w.refit(), decide.Performed)
	w.do(t, w.refit(), decide.Performed) // a repeated deed adds nothing twice
	o := w.Get(nodePath)
	if text(o, "metadata", "labels", "pool") != "fast" || text(o, "metadata", "labels", "zone") != "a" {
		t.Errorf("labels: %v", text(o, "metadata", "labels"))
	}
	taints, _ := text(o, "spec", "taints").([]any)
	if len(taints) != 3 {
		t.Fatalf("taints: %v", taints)
	}
	if text(taints[1].(fakeapi.Object), "value") != "db" || text(taints[2].(fakeapi.Object), "effect") != "NoExecute" {
		t.Errorf("taints: %v", taints)
	}
}

func TestRefit_NeverHitsANamesake(t *testing.T) {
	w := newWorld(t)
	a := w.refit()
	w.Remove(nodePath)
	w.Create(nodePath, fakeapi.Object{"spec": fakeapi.Object{}})
	w.do(t, a, decide.Conflict)
	if n := len(w.sent(http.MethodPatch)); n > 0 {
		t.Errorf("%d patches were sent", n)
	}
}
