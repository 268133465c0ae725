// SPDX-License-Identifier: Apache-2.0

package act_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act"
	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// fence makes the lock of a world run out once so many changes were asked about.
func fence(lasts int) func(*act.Config) {
	return func(c *act.Config) {
		c.Guard = func(d time.Duration) error {
			if d > c.RequestTimeout {
				return fmt.Errorf("a change may take %s, and not %s", c.RequestTimeout, d)
			}
			if lasts--; lasts < 0 {
				return record.ErrExpiring
			}
			return nil
		}
	}
}

// TestPerform_ALostLockEndsADeedBetweenTwoRequests: the machine slept, or another
// has taken over, after the deed was begun.
func TestPerform_ALostLockEndsADeedBetweenTwoRequests(t *testing.T) {
	w := newWorld(t, fence(1))
	one, two, three := w.pod(t, "web-1"), w.pod(t, "web-2"), w.pod(t, "web-3")
	o := w.do(t, evict(one, two, three), decide.Refused)
	contains(t, o.Detail, "1 of 3 pods", record.ErrExpiring.Error())
	if !w.going("web-1") || w.going("web-2") || w.going("web-3") {
		t.Error("pods were evicted without a lock")
	}
}

func TestPerform_ChangesNothingWithoutALock(t *testing.T) {
	cordoned := fakeapi.Object{"spec": fakeapi.Object{"unschedulable": true}}
	for _, verb := range []decide.Verb{decide.Cordon, decide.Uncordon, decide.DeleteNode, decide.Place, decide.RunCommand} {
		w := newWorld(t, fence(0), func(c *act.Config) { c.Commands.Retire = "echo ran" })
		w.seed()
		a := w.place()
		if a.Node = w.node; verb != decide.Place {
			a = decide.Action{Verb: verb, Node: w.node, Command: decide.RetireCommand}
		}
		if verb == decide.Uncordon {
			w.Edit(nodePath, func(o map[string]any) { o["spec"] = cordoned["spec"] })
		}
		w.do(t, a, decide.Refused)
		for _, method := range []string{http.MethodPatch, http.MethodDelete, http.MethodPost} {
			if n := len(w.sent(method)); n > 0 {
				t.Errorf("%s: %d times %s", verb, n, method)
			}
		}
		if w.out.Len() > 0 {
			t.Errorf("%s: the command was run", verb)
		}
	}
}

// TestPerform_WhatIsAlreadySoNeedsNoLock: only changes are asked about.
func TestPerform_WhatIsAlreadySoNeedsNoLock(t *testing.T) {
	w := newWorld(t, fence(0))
	w.do(t, decide.Action{Verb: decide.Uncordon, Node: w.node}, decide.Performed)
	w.do(t, evict(cluster.PodRef{Namespace: "shop", Name: "gone", UID: "x"}), decide.Performed)
}
