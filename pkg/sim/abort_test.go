// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// TestAbort_InTheMiddleOfAnEviction: every flag and setting is as before, to the
// byte, at whatever moment the roll is given up, unless the machine is going.
func TestAbort_InTheMiddleOfAnEviction(t *testing.T) {
	evicting := 0
	for _, kept := range []bool{false, true} {
		for n := range 16 {
			synctest.Test(t, func(t *testing.T) {
				if abortAfter(t, kept, time.Duration(2+5*n)*time.Second) {
					evicting++
				}
			})
		}
	}
	if evicting < 8 {
		t.Errorf("only %d of 32 rolls were given up while replicas moved", evicting)
	}
	t.Logf("%d of 32 rolls were given up while replicas moved", evicting)
}

func abortAfter(t *testing.T, kept bool, after time.Duration) (evicting bool) {
	c := Standard(4, 3)
	c.Roll, c.Kept, c.Classes = 1, kept, []Class{Busy, Asleep, Asleep, Slow}
	w, err := world(1, c)
	if err != nil {
		t.Fatal(err)
	}
	plan, no, err := w.propose(t.Context(), c)
	if no != "" || err != nil {
		t.Fatal(no, err)
	}
	before, m := w.specs(decide.Plan{}), book.NewInMemory(leaseTime, time.Now)
	ctx, stop := context.WithTimeout(t.Context(), after)
	defer stop()
	if res, err := roll.Run(ctx, config(w.Connect(m.Open("somebody@laptop"), plan.Commands, Faults{}), &plan, time.Second)); res.Exit != 130 {
		t.Fatalf("exit %d, %v", res.Exit, err)
	}
	during := w.specs(decide.Plan{})
	evicting = strings.Contains(during["node worker-1"], `"evictionRequested":true`)
	res, err := roll.Abort(t.Context(), config(w.Connect(m.Open("somebody@laptop"), plan.Commands, Faults{}), nil, time.Second))
	if h, no := res.Decision.(decide.Halt); no { // its machine is going
		if now := w.specs(decide.Plan{}); w.machine("worker-1") != nil || !maps.Equal(during, now) {
			t.Errorf("given up after %s: %s", after, h.Reason)
		}
		return false
	}
	if res.Exit != 0 || err != nil {
		t.Fatalf("abort: exit %d, %v", res.Exit, err)
	}
	if now := w.specs(decide.Plan{}); !maps.Equal(before, now) {
		for name := range before {
			if now[name] != before[name] {
				t.Errorf("given up after %s: %s was %s and is %s", after, name, before[name], now[name])
			}
		}
	}
	if lost := w.Lost(); len(lost) > 0 {
		t.Errorf("lost %v", lost)
	}
	return evicting
}
