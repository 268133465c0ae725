// SPDX-License-Identifier: Apache-2.0

package act_test

import (
	"net/http"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

func unauthorized(why string) fakeapi.Fault {
	return fakeapi.Fault{Status: fakeapi.Refusal(401, metav1.StatusReasonUnauthorized, why)}
}

// A token ends at any time, and client-go gets the next one upon the answer that
// says so.
func TestCredentials_ATokenThatEndsAtAnyCallEndsNothing(t *testing.T) {
	deeds := map[string]func(*testing.T, *world) decide.Action{
		"cordon": func(_ *testing.T, w *world) decide.Action { return decide.Action{Verb: decide.Cordon, Node: w.node} },
		"delete": func(_ *testing.T, w *world) decide.Action {
			return decide.Action{Verb: decide.DeleteNode, Node: w.node}
		},
		"evict": func(t *testing.T, w *world) decide.Action {
			return decide.Action{Verb: decide.EvictPods, Pods: []cluster.PodRef{w.pod(t, "web-1")}}
		},
		"place": func(_ *testing.T, w *world) decide.Action { return w.place() },
	}
	for name, deed := range deeds {
		for at := 1; ; at++ {
			w := newWorld(t)
			w.seed()
			a := deed(t, w)
			before, met := len(w.Calls()), false
			w.Meddle(func(c fakeapi.Call) fakeapi.Fault {
				if c.N == before+at {
					met = true
					return unauthorized("Unauthorized")
				}
				return fakeapi.Fault{}
			})
			w.do(t, a, decide.Performed)
			if !met {
				if at == 1 {
					t.Errorf("%s sent nothing", name)
				}
				break
			}
		}
	}
}

func TestCredentials_ThatAreNotRenewedEndItAndADenialIsNone(t *testing.T) {
	w := newWorld(t)
	a := decide.Action{Verb: decide.Cordon, Node: w.node}
	w.on(http.MethodPatch, always(unauthorized("Unauthorized")))
	contains(t, w.fails(t, a), "log in again")
	if n := len(w.sent(http.MethodPatch)); n != 2 {
		t.Errorf("sent %d times", n)
	}
	w.on(http.MethodPatch, always(unauthorized(`admission webhook "x" denied the request: no`)))
	w.do(t, a, decide.Refused)
	if n := len(w.sent(http.MethodPatch)); n != 3 {
		t.Errorf("a denial was asked for %d times", n-2)
	}
}
