// SPDX-License-Identifier: Apache-2.0

package act_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act"
	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

func cordoned(t *testing.T, w *world) bool {
	t.Helper()
	return text(w.Get(nodePath), "spec", "unschedulable") == true
}

func TestCordon_CarriesTheUIDAndTheVersionThatWasRead(t *testing.T) {
	w := newWorld(t)
	version := text(w.Get(nodePath), "metadata", "resourceVersion")
	w.do(t, decide.Action{Verb: decide.Cordon, Node: w.node}, decide.Performed)
	if !cordoned(t, w) {
		t.Fatal("the node is not cordoned")
	}
	patch := fakeapi.Object{}
	if err := json.Unmarshal(w.sent(http.MethodPatch)[0].Body, &patch); err != nil {
		t.Fatal(err)
	}
	if text(patch, "metadata", "uid") != string(w.node.UID) || text(patch, "metadata", "resourceVersion") != version {
		t.Errorf("the patch pins nothing: %v", patch)
	}
	w.do(t, decide.Action{Verb: decide.Uncordon, Node: w.node}, decide.Performed)
	if _, there := w.Get(nodePath)["spec"].(fakeapi.Object)["unschedulable"]; there {
		t.Error("the node is still cordoned")
	}
}

func TestCordon_NeverHitsANamesake(t *testing.T) {
	w := newWorld(t)
	old := w.node
	w.Remove(nodePath)
	w.Create(nodePath, fakeapi.Object{"spec": fakeapi.Object{}})
	o := w.do(t, decide.Action{Verb: decide.Cordon, Node: old}, decide.Conflict)
	contains(t, o.Detail, "another one by now")
	if cordoned(t, w) || len(w.sent(http.MethodPatch)) > 0 {
		t.Error("the namesake was touched")
	}
}

func TestCordon_TheServerRefusesANamesakeThatComesBetweenReadAndPatch(t *testing.T) {
	w := newWorld(t)
	w.on(http.MethodPatch, func() fakeapi.Fault {
		w.Remove(nodePath)
		w.Create(nodePath, fakeapi.Object{})
		return fakeapi.Fault{}
	})
	w.do(t, decide.Action{Verb: decide.Cordon, Node: w.node}, decide.Conflict)
	if cordoned(t, w) {
		t.Error("the namesake was cordoned")
	}
}

// Otherwise the undo register would take down a cordon that is not ours (I6).
func TestCordon_SomebodyElsesCordonIsNotOurs(t *testing.T) {
	for _, when := range []string{http.MethodGet, http.MethodPatch} {
		w := newWorld(t)
		once := false
		w.on(when, func() fakeapi.Fault {
			if !once {
				once = true
				w.Edit(nodePath, func(o fakeapi.Object) { o["spec"] = fakeapi.Object{"unschedulable": true} })
			}
			return fakeapi.Fault{}
		})
		w.do(t, decide.Action{Verb: decide.Cordon, Node: w.node}, decide.Conflict)
	}
}

func TestUncordon_IsFulfilledByAnUncordonedNodeAndByAGoneOne(t *testing.T) {
	w := newWorld(t)
	w.do(t, decide.Action{Verb: decide.Uncordon, Node: w.node}, decide.Performed)
	w.Edit(nodePath, func(o fakeapi.Object) { o["spec"] = fakeapi.Object{"unschedulable": true} })
	other := cluster.NodeRef{Name: w.node.Name, UID: "older"}
	w.do(t, decide.Action{Verb: decide.Uncordon, Node: other}, decide.Performed)
	if !cordoned(t, w) {
		t.Error("a namesake was uncordoned")
	}
	w.Remove(nodePath)
	w.do(t, decide.Action{Verb: decide.Uncordon, Node: w.node}, decide.Performed)
	w.do(t, decide.Action{Verb: decide.Cordon, Node: w.node}, decide.Conflict)
	if n := len(w.sent(http.MethodPatch)); n > 0 {
		t.Errorf("%d patches were sent", n)
	}
}

func TestChange_AnAnswerThatNeverCameIsUncertain(t *testing.T) {
	for name, f := range map[string]fakeapi.Fault{
		"reset before":   {Lost: true},
		"reset after":    {Lost: true, Late: true},
		"500":            {Status: fakeapi.Refusal(500, metav1.StatusReasonInternalError, "oops")},
		"503":            {Status: fakeapi.Refusal(503, metav1.StatusReasonServiceUnavailable, "starting")},
		"504 after":      {Status: fakeapi.Refusal(504, metav1.StatusReasonTimeout, "etcd timed out"), Late: true},
		"no answer ever": {Hold: make(chan struct{})},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(c *act.Config) { c.RequestTimeout = time.Second })
			w.on(http.MethodPatch, always(f))
			o := w.do(t, decide.Action{Verb: decide.Cordon, Node: w.node}, decide.Uncertain)
			if f.Hold != nil {
				contains(t, o.Detail, "the request timeout of 1s")
			}
			if n := len(w.sent(http.MethodPatch)); n != 1 {
				t.Errorf("the change was sent %d times", n)
			}
		})
	}
}

func TestChange_WhatTheServerSaysDecidesWhatCameOfIt(t *testing.T) {
	busy := fakeapi.Refusal(429, metav1.StatusReasonTooManyRequests, "slow down")
	busy.Details.RetryAfterSeconds = 1
	for name, c := range map[string]struct {
		status *metav1.Status
		want   decide.Result
	}{
		"busy, and says when": {busy, decide.Refused},
		"stale":               {fakeapi.Refusal(409, metav1.StatusReasonConflict, "modified"), decide.Conflict},
		"another UID": {fakeapi.Refusal(422, metav1.StatusReasonInvalid, "field is immutable",
			metav1.StatusCause{Type: metav1.CauseTypeFieldValueInvalid, Field: "metadata.uid"}), decide.Conflict},
		"a webhook": {fakeapi.Refusal(403, metav1.StatusReasonForbidden, `admission webhook "v.example.com" denied the request: not now`), decide.Refused},
		"a policy":  {fakeapi.Refusal(422, metav1.StatusReasonInvalid, `nodes "a" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no`), decide.Refused},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.on(http.MethodPatch, always(fakeapi.Fault{Status: c.status}))
			o := w.do(t, decide.Action{Verb: decide.Cordon, Node: w.node}, c.want)
			contains(t, o.Detail, c.status.Message)
			if n := len(w.sent(http.MethodPatch)); n != 1 {
				t.Errorf("the change was sent %d times", n)
			}
		})
	}
}

func TestChange_AMissingRightIsAnErrorThatNamesIt(t *testing.T) {
	w := newWorld(t)
	w.on(http.MethodPatch, always(fakeapi.Fault{Status: fakeapi.Refusal(403, metav1.StatusReasonForbidden,
		`nodes "worker-1" is forbidden: User "jo" cannot patch resource "nodes" in API group "" at the cluster scope`)}))
	contains(t, w.fails(t, decide.Action{Verb: decide.Cordon, Node: w.node}), "a right is missing", `cannot patch resource "nodes"`)
	w.on(http.MethodGet, always(fakeapi.Fault{Status: fakeapi.Refusal(401, metav1.StatusReasonUnauthorized, "Unauthorized")}))
	contains(t, w.fails(t, decide.Action{Verb: decide.Cordon, Node: w.node}), "log in again")
}

func TestChange_WhatCannotBeReadIsNotChanged(t *testing.T) {
	for name, f := range map[string]fakeapi.Fault{
		"reset": {Lost: true},
		"500":   {Status: fakeapi.Refusal(500, metav1.StatusReasonInternalError, "oops")},
		"429":   {Status: fakeapi.Refusal(429, metav1.StatusReasonTooManyRequests, "slow down")},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.on(http.MethodGet, always(f))
			o := w.do(t, decide.Action{Verb: decide.Cordon, Node: w.node}, decide.Refused)
			contains(t, o.Detail, "nothing was changed")
			if n := len(w.sent(http.MethodPatch)); n != 0 {
				t.Errorf("%d patches were sent", n)
			}
		})
	}
}

func TestDeleteNode_DeletesThatMachineAndNoOther(t *testing.T) {
	w := newWorld(t)
	old := cluster.NodeRef{Name: w.node.Name, UID: "older"}
	o := w.do(t, decide.Action{Verb: decide.DeleteNode, Node: old}, decide.Performed)
	contains(t, o.Detail, "gone already")
	if w.Get(nodePath) == nil {
		t.Fatal("the namesake was deleted")
	}
	w.do(t, decide.Action{Verb: decide.DeleteNode, Node: w.node}, decide.Performed)
	if w.Get(nodePath) != nil {
		t.Fatal("the node is still there")
	}
	w.do(t, decide.Action{Verb: decide.DeleteNode, Node: w.node}, decide.Performed)
}

func TestDeleteNode_ALostAnswerIsUncertain(t *testing.T) {
	w := newWorld(t)
	w.on(http.MethodDelete, always(fakeapi.Fault{Lost: true, Late: true}))
	w.do(t, decide.Action{Verb: decide.DeleteNode, Node: w.node}, decide.Uncertain)
}

func TestDeleteNode_AConflictOnTheSameMachineIsNotGone(t *testing.T) {
	w := newWorld(t)
	w.on(http.MethodDelete, always(fakeapi.Fault{Status: fakeapi.Refusal(409, metav1.StatusReasonConflict, "being changed")}))
	w.do(t, decide.Action{Verb: decide.DeleteNode, Node: w.node}, decide.Conflict)
}
