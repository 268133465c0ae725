// SPDX-License-Identifier: Apache-2.0

package decide_test

import (
	"slices"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

func TestMemory_KnowsWhichMachinesWereSeenToBeGone(t *testing.T) {
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	one, two := cluster.NodeRef{Name: "w1", UID: "a"}, cluster.NodeRef{Name: "w2", UID: "b"}
	m := decide.Memory{Turns: []decide.Turn{{Node: one, RetiredAt: at}, {Node: two}}}
	if got := m.Retired(); !slices.Equal(got, []cluster.Retired{{Node: one, At: at}}) {
		t.Errorf("%v", got)
	}
}
