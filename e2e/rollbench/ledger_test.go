// SPDX-License-Identifier: Apache-2.0

package rollbench

import (
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// Each part of a roll's time is given to whom it belongs.
func TestDivide(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	l := divide(timeline{
		began: start, ended: at(31), interval: 5 * time.Second,
		events: []v1alpha1.Event{
			{At: at(1), Type: "started"},
			{At: at(2), Type: "acting", Verb: "evict", Node: "w"},
			{At: at(2.5), Type: "acted", Verb: "evict", Node: "w"},
			{At: at(3), Type: "waiting", Phase: "drain", Left: []string{"pod default/vol-1-0"}},
			{At: at(6), Type: "noted", Phase: "drain", Node: "w"},
			{At: at(6.5), Type: "waiting", Says: "a second look, to be sure"},
			{At: at(12), Type: "noted", Node: "w"},
			{At: at(12), Type: "acting", Verb: string(decide.RunCommand), Node: "w"},
			{At: at(20), Type: "acted", Verb: string(decide.RunCommand), Node: "w"},
			{At: at(20), Type: "waiting", Phase: "join", Says: "w to be ready"},
			{At: at(30), Type: "finished", Node: "w"},
		},
		news: []news{
			{at: at(2.6), kind: "pods", name: "vol-1-0", node: "w"},
			{at: at(5), kind: "pods", name: "vol-1-0", node: "w"},
			{at: at(5.5), kind: "pods", name: "vol-1-0", node: "another"},
			{at: at(5.8), kind: "volumes", name: "vol-11"},
			{at: at(29), kind: "instancemanagers", name: "im", node: "w"},
			{at: at(29.5), kind: "leases", name: "w"},
		},
	})
	for _, c := range []struct {
		what      string
		got, want time.Duration
	}{
		{"until the pod was gone", l.Imposed["drain"], 2500 * time.Millisecond},
		{"between two looks", l.Imposed[twoLooks], 5 * time.Second},
		{"of the command", l.Imposed[commands], 8 * time.Second},
		{"until the node had joined", l.Imposed["join"], 9 * time.Second},
		{"of reactions", l.Own[ownReacting], 2 * time.Second},
		{"of the deed", l.Own[ownDeeds], 500 * time.Millisecond},
		{"of looking", l.Own[ownLooking], 4 * time.Second},
		{"in all", l.Waits() + total(l.Own), l.Total},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.what, c.got, c.want)
		}
	}
}
