// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"reflect"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// What the loop keeps from look to look is, at every look of whole rolls, what
// it would conclude from that look alone.
func TestRoll_JudgesEveryLookAsIfItWereTheFirst(t *testing.T) {
	everyLook(t, 6, func(t *testing.T, seed uint64, w *World, r roll.Report) {
		t.Helper()
		if want := assess.Judge(r.Judgement.Snapshot, r.Judgement.Policy, r.Judgement.Now); !reflect.DeepEqual(r.Judgement, want) {
			t.Fatalf("seed %d, %s: the judgement is not that of the look alone", seed, w.now)
		}
	})
}
