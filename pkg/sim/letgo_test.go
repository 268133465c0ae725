// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// TestLetGo_OfAProgramThatDiedHoldingVolumesAwake: the node is gone and volumes
// are short of replicas, so the roll can not be given up; their users can have
// them all the same, nothing else is changed, what must stay is named, and the
// same command ends the roll.
func TestLetGo_OfAProgramThatDiedHoldingVolumesAwake(t *testing.T) {
	for name, old := range map[string]bool{"1.4": true, "1.8.1": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { letGoAfterDeath(t, old) })
		})
	}
}

func letGoAfterDeath(t *testing.T, old bool) {
	c := Standard(3, 3)
	c.Roll, c.Old, c.Classes = 1, old, []Class{Asleep, Asleep, Asleep}
	w, err := world(1, c)
	if err != nil {
		t.Fatal(err)
	}
	plan, no, err := w.propose(t.Context(), c)
	if no != "" || err != nil {
		t.Fatal(no, err)
	}
	m := book.NewInMemory(leaseTime, time.Now)
	as := func(f Faults) roll.Config {
		return config(w.Connect(m.Open("somebody@laptop"), plan.Commands, f), nil, time.Second)
	}
	dying := as(w.killedHolding("asleep-2"))
	dying.Plan = &plan
	if res, err := roll.Run(t.Context(), dying); err == nil {
		t.Fatalf("it did not die: exit %d", res.Exit)
	}
	before := w.specs(decide.Plan{})
	if res, err := roll.Abort(t.Context(), as(Faults{})); res.Exit != decide.ExitUnsafe {
		t.Fatalf("abort of a turn whose node is gone: exit %d, %v", res.Exit, err)
	}
	res, err := roll.LetGo(t.Context(), as(Faults{}))
	if res.Exit != 0 || err != nil {
		t.Fatalf("exit %d, %v", res.Exit, err)
	}
	all := strings.Join(res.Untouchable, "\n")
	for _, want := range []string{"node worker-1: it is gone", "node worker-2: do not drain", "node worker-3: do not drain"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not said:\n%s", want, all)
		}
	}
	w.mu.Lock()
	for _, v := range w.volumes {
		if w.heldByUs(v.name) {
			t.Errorf("%s is still held", v.name)
		}
	}
	w.mu.Unlock()
	if now := w.specs(decide.Plan{}); !maps.Equal(before, now) {
		t.Errorf("something else was changed: %v, then %v", before, now)
	}
	if res, err := roll.Run(t.Context(), as(Faults{})); res.Exit != 0 || err != nil {
		t.Errorf("the same command: exit %d, %v", res.Exit, err)
	}
	if lost, short := w.Lost(), w.short(); len(lost)+len(short) > 0 {
		t.Errorf("lost %v, short %v", lost, short)
	}
	if _, err := roll.LetGo(t.Context(), as(Faults{})); !errors.Is(err, roll.ErrNothing) {
		t.Errorf("of a roll that has ended: %v", err)
	}
}
