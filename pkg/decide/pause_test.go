// SPDX-License-Identifier: Apache-2.0

package decide_test

import (
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

func TestPause_EveryTurnButTheFirstMustBeApproved(t *testing.T) {
	f := three(policy.Evict, 1, 2)
	f.plan.Policy.Pause = true
	wantNote(t, f.next(), decide.TurnOpened)
	f.mem.Turns = []decide.Turn{{Node: ref(9), OpenedAt: noon, ClosedAt: noon}}
	w := wantWait(t, f.next(), decide.Pause)
	if w.Approve == nil || *w.Approve != f.plan.Turns[0].Node || w.Limit <= 0 {
		t.Errorf("%+v", w)
	}
	f.mem.Approved = ref(9) // the approval of an earlier turn
	wantWait(t, f.next(), decide.Pause)
	f.mem.Approved = f.plan.Turns[0].Node
	wantNote(t, f.next(), decide.TurnOpened)
}
