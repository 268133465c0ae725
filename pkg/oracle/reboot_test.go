// SPDX-License-Identifier: Apache-2.0

package oracle_test

import (
	"slices"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// reboots is a journal of a roll of reboots.
func reboots(es ...record.Event) []record.Event {
	out := journal(es...)
	out[0].Plan.Goal = decide.UntilRebooted
	return out
}

// reboot is one whole turn, with how its node was put back to use.
func reboot(node cluster.NodeRef, back decide.Result) []record.Event {
	gate := passed(decide.GateReboot)
	uncordon := did(decide.Action{Verb: decide.Uncordon, Node: node})
	uncordon[1].Outcome.Result = back
	return slices.Concat(
		[]record.Event{noted(decide.Note{Kind: decide.TurnOpened, Node: node, Turn: &decide.OpenTurn{Seen: []cluster.UID{"u1", "u2"}}})},
		did(decide.Action{Verb: decide.Cordon, Node: node}),
		[]record.Event{noted(decide.Note{Kind: decide.Drained, Node: node})}, gate,
		did(decide.Action{Verb: decide.RunCommand, Command: decide.RebootCommand, Node: node, Boot: "b1"}),
		[]record.Event{noted(decide.Note{Kind: decide.Rebooted, Node: node, Boot: "b2"})}, uncordon,
		[]record.Event{
			noted(decide.Note{Kind: decide.Proved, Node: node, Replicas: []cluster.UID{"r"}}),
			noted(decide.Note{Kind: decide.TurnClosed, Node: node}),
		})
}

func TestCheck_AReboot(t *testing.T) {
	end := record.Event{Kind: record.Finished}
	turn := func() []record.Event { return append(reboot(one, decide.Performed), end) }
	if r := oracle.Check(reboots(turn()...), nil); len(r.Violations) > 0 {
		t.Fatal(r.Violations)
	}
	noGate := slices.DeleteFunc(turn(), func(e record.Event) bool { return e.Note != nil && e.Note.Kind == decide.GatePassed })
	breaks(t, oracle.Check(reboots(noGate...), nil), oracle.I2)
	other := turn()
	for i := range other {
		if n := other[i].Note; n != nil && n.Gate == decide.GateReboot {
			n.Gate = decide.GateDelete
		}
	}
	breaks(t, oracle.Check(reboots(other...), nil), oracle.I2)
	noBoot := slices.DeleteFunc(turn(), func(e record.Event) bool { return e.Note != nil && e.Note.Kind == decide.Rebooted })
	breaks(t, oracle.Check(reboots(noBoot...), nil), oracle.I9)
}

func TestCheck_WhatSomebodyElsePutBackToUseIsNotOutByOurHand(t *testing.T) {
	for back, fine := range map[decide.Result]bool{decide.Performed: true, decide.Conflict: true, decide.Refused: false} {
		es := slices.Concat(reboot(one, back), reboot(two, decide.Performed), []record.Event{{Kind: record.Finished}})
		if r := oracle.Check(reboots(es...), nil); (len(r.Violations) == 0) != fine {
			t.Errorf("put back: %s: %v", back, r.Violations)
		}
	}
}
