// SPDX-License-Identifier: Apache-2.0

package act_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

func podPath(name string) string { return "/api/v1/namespaces/shop/pods/" + name }

func (w *world) pod(t *testing.T, name string) cluster.PodRef {
	t.Helper()
	return cluster.PodRef{Namespace: "shop", Name: name, UID: cluster.UID(w.Create(podPath(name), fakeapi.Object{}))}
}

func (w *world) going(name string) bool {
	return text(w.Get(podPath(name)), "metadata", "deletionTimestamp") != nil
}

func evict(pods ...cluster.PodRef) decide.Action {
	return decide.Action{Verb: decide.EvictPods, Pods: pods}
}

// onEviction has f decide the fate of the eviction of each pod.
func (w *world) onEviction(f func(pod string) fakeapi.Fault) {
	w.Meddle(func(c fakeapi.Call) fakeapi.Fault {
		if name, ok := strings.CutSuffix(c.Path, "/eviction"); ok {
			return f(name[strings.LastIndex(name, "/")+1:])
		}
		return fakeapi.Fault{}
	})
}

func budget() *metav1.Status {
	return fakeapi.Refusal(429, metav1.StatusReasonTooManyRequests,
		"Cannot evict pod as it would violate the pod's disruption budget.",
		metav1.StatusCause{Type: policyv1.DisruptionBudgetCause, Message: "The disruption budget web needs 2 healthy pods and has 2 currently"})
}

func TestEvictPods_EachByItsUIDAndItsOwnGrace(t *testing.T) {
	w := newWorld(t)
	one, two := w.pod(t, "web-1"), w.pod(t, "web-2")
	w.do(t, evict(one, two), decide.Performed)
	if !w.going("web-1") || !w.going("web-2") {
		t.Error("a pod was not evicted")
	}
	for _, c := range w.sent(http.MethodPost) {
		var e policyv1.Eviction
		if err := json.Unmarshal(c.Body, &e); err != nil {
			t.Fatal(err)
		}
		if e.APIVersion != "policy/v1" || e.DeleteOptions.Preconditions.UID == nil || e.DeleteOptions.GracePeriodSeconds != nil {
			t.Errorf("eviction: %s", c.Body)
		}
	}
	if n := len(w.sent(http.MethodDelete)); n > 0 {
		t.Error("pods were deleted, not evicted")
	}
}

func TestEvictPods_GoneGoingAndNamesakesNeedNothing(t *testing.T) {
	w := newWorld(t)
	gone := cluster.PodRef{Namespace: "shop", Name: "old", UID: "x"}
	again := w.pod(t, "again")
	again.UID = "before"
	going := w.pod(t, "going")
	w.Edit(podPath("going"), func(o fakeapi.Object) {
		o["metadata"].(fakeapi.Object)["deletionTimestamp"] = "2026-01-01T00:00:00Z"
	})
	o := w.do(t, evict(gone, again, going), decide.Performed)
	contains(t, o.Detail, "0 of 3 pods asked to go, 3 gone or going already")
	if n := len(w.sent(http.MethodPost)); n > 0 {
		t.Errorf("%d evictions were sent, and would have been charged to a budget", n)
	}
}

func TestEvictPods_ANamesakeThatComesAfterTheReadIsSpared(t *testing.T) {
	w := newWorld(t)
	p := w.pod(t, "web-1")
	w.onEviction(func(string) fakeapi.Fault {
		w.Remove(podPath("web-1"))
		w.pod(t, "web-1")
		return fakeapi.Fault{}
	})
	w.do(t, evict(p), decide.Performed)
	if w.going("web-1") {
		t.Error("the namesake was evicted")
	}
}

func TestEvictPods_ABudgetsRefusalIsQuotedAndKeepsNobodyElse(t *testing.T) {
	w := newWorld(t)
	web, db := w.pod(t, "web-1"), w.pod(t, "db-0")
	w.onEviction(func(pod string) fakeapi.Fault {
		if pod == "web-1" {
			return fakeapi.Fault{Status: budget()}
		}
		return fakeapi.Fault{}
	})
	o := w.do(t, evict(web, db), decide.Refused)
	contains(t, o.Detail, "1 of 2 pods asked to go", "shop/web-1: Cannot evict pod", "needs 2 healthy pods and has 2 currently")
	if w.going("web-1") || !w.going("db-0") {
		t.Error("the wrong pod went")
	}
	if n := len(w.sent(http.MethodPost)); n != 2 {
		t.Errorf("%d evictions were sent", n)
	}
}

func TestEvictPods_RefusalsThatMayPass(t *testing.T) {
	for name, st := range map[string]*metav1.Status{
		"two budgets":   fakeapi.Refusal(500, "", "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."),
		"overload":      fakeapi.Refusal(429, metav1.StatusReasonTooManyRequests, "slow down"),
		"a webhook":     fakeapi.Refusal(400, metav1.StatusReasonBadRequest, `admission webhook "drain.example.com" denied the request: moving it first`),
		"changing pod":  fakeapi.Refusal(409, metav1.StatusReasonConflict, "the object has been modified"),
		"ending tenant": fakeapi.Refusal(403, metav1.StatusReasonForbidden, "being terminated", metav1.StatusCause{Type: "NamespaceTerminating"}),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.onEviction(func(string) fakeapi.Fault { return fakeapi.Fault{Status: st} })
			o := w.do(t, evict(w.pod(t, "web-1")), decide.Refused)
			contains(t, o.Detail, st.Message)
		})
	}
}

func TestEvictPods_ALostAnswerEndsTheBatch(t *testing.T) {
	w := newWorld(t)
	one, two := w.pod(t, "web-1"), w.pod(t, "web-2")
	w.onEviction(func(string) fakeapi.Fault { return fakeapi.Fault{Lost: true, Late: true} })
	o := w.do(t, evict(one, two), decide.Uncertain)
	contains(t, o.Detail, "shop/web-1 may or may not")
	if w.going("web-2") {
		t.Error("the batch went on after a lost answer")
	}
}

func TestEvictPods_APodThatCannotBeReadStays(t *testing.T) {
	w := newWorld(t)
	p := w.pod(t, "web-1")
	w.on(http.MethodGet, always(fakeapi.Fault{Lost: true}))
	w.do(t, evict(p), decide.Refused)
	if len(w.sent(http.MethodPost)) > 0 {
		t.Error("an eviction was sent")
	}
}

func TestEvictPods_AMissingRightIsAnErrorThatSaysWhatWent(t *testing.T) {
	w := newWorld(t)
	one, two := w.pod(t, "web-1"), w.pod(t, "web-2")
	w.onEviction(func(pod string) fakeapi.Fault {
		if pod == "web-2" {
			return fakeapi.Fault{Status: fakeapi.Refusal(403, metav1.StatusReasonForbidden,
				`pods "web-2" is forbidden: User "jo" cannot create resource "pods/eviction" in API group "" in the namespace "shop"`)}
		}
		return fakeapi.Fault{}
	})
	contains(t, w.fails(t, evict(one, two)), "1 of 2 pods asked to go", "a right is missing", "pods/eviction")
}
