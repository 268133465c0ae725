// SPDX-License-Identifier: Apache-2.0

package act_test

import (
	"net/http"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// managedBy is what a server keeps of who wrote a field.
func managedBy(manager string, spec ...string) []any {
	fields := fakeapi.Object{}
	for _, f := range spec {
		fields["f:"+f] = fakeapi.Object{}
	}
	return []any{
		fakeapi.Object{"manager": "kubelet", "fieldsV1": fakeapi.Object{"f:status": fakeapi.Object{}}},
		fakeapi.Object{"manager": manager, "fieldsV1": fakeapi.Object{"f:spec": fields}},
	}
}

// A change that something on the way sent twice is answered with a conflict: its
// way back must not be dropped for that.
func TestChange_AConflictWithOurselvesIsUncertain(t *testing.T) {
	for name, c := range map[string]struct {
		managed []any
		want    decide.Result
	}{
		"ours":                 {managedBy("kubectl-safe-roll", "unschedulable"), decide.Uncertain},
		"another's":            {managedBy("kubectl-cordon", "unschedulable"), decide.Conflict},
		"ours of other fields": {managedBy("kubectl-safe-roll", "taints"), decide.Conflict},
		"nobody's":             {nil, decide.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.on(http.MethodPatch, func() fakeapi.Fault {
				w.Edit(nodePath, func(o fakeapi.Object) {
					o["spec"] = fakeapi.Object{"unschedulable": true}
					o["metadata"].(fakeapi.Object)["managedFields"] = c.managed
				})
				return fakeapi.Fault{}
			})
			w.do(t, decide.Action{Verb: decide.Cordon, Node: w.node}, c.want)
		})
	}
}

func TestChange_ANoAndNoReadingIsUncertain(t *testing.T) {
	w := newWorld(t)
	sent := false
	w.Meddle(func(c fakeapi.Call) fakeapi.Fault {
		if c.Method == http.MethodPatch {
			sent = true
			w.Edit(nodePath, func(o fakeapi.Object) { o["spec"] = fakeapi.Object{"taints": []any{}} })
			return fakeapi.Fault{}
		}
		return fakeapi.Fault{Lost: sent}
	})
	o := w.do(t, decide.Action{Verb: decide.Cordon, Node: w.node}, decide.Uncertain)
	contains(t, o.Detail, "could not be read")
}
