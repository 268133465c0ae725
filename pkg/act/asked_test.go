// SPDX-License-Identifier: Apache-2.0

package act_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

func TestOutcome_TellsHowLongTheServerAskedToBeLeftAlone(t *testing.T) {
	busy := func(seconds int32) fakeapi.Fault {
		s := budget()
		s.Details.RetryAfterSeconds = seconds
		return fakeapi.Fault{Status: s}
	}
	w := newWorld(t)
	w.on(http.MethodPatch, always(busy(7)))
	if o := w.do(t, decide.Action{Verb: decide.Cordon, Node: w.node}, decide.Refused); o.After != 7*time.Second {
		t.Errorf("a change: %s", o.After)
	}
	w.on(http.MethodGet, always(busy(8)))
	if o := w.do(t, decide.Action{Verb: decide.Cordon, Node: w.node}, decide.Refused); o.After != 8*time.Second {
		t.Errorf("the read before a change: %s", o.After)
	}
	w.Meddle(nil)
	one, two := w.pod(t, "one"), w.pod(t, "two")
	w.onEviction(func(pod string) fakeapi.Fault { return busy(map[string]int32{"one": 12, "two": 3}[pod]) })
	if o := w.do(t, evict(one, two), decide.Refused); o.After != 12*time.Second {
		t.Errorf("evictions: %s", o.After)
	}
}
