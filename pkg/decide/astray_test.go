// SPDX-License-Identifier: Apache-2.0

package decide_test

import (
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// A program that was cut off may be alive, and its command with it: begun again at
// once, two machines would be made of one.
func TestAstray_ACommandIsNotRunAgainWhileItMayBeRunning(t *testing.T) {
	f, turn := gone()
	f.plan.Commands.Create = "create"
	turn.Astray, turn.AstrayAt = decide.CreateCommand, f.now.Add(-time.Minute)
	until := turn.AstrayAt.Add(f.plan.Policy.CommandLimit + f.plan.Policy.ClockSkew + time.Minute)
	w := wantWait(t, f.next(), decide.Create)
	if !w.Until.Equal(until) || w.Limit <= f.plan.Policy.CommandLimit {
		t.Errorf("waits until %s (limit %s), want %s", w.Until, w.Limit, until)
	}
	// A slow intent (20 s), a slow reading (10 s), and the grace after the limit (10 s).
	f.pass(f.plan.Policy.CommandLimit + f.plan.Policy.ClockSkew - time.Minute + 40*time.Second)
	wantWait(t, f.next(), decide.Create)
	f.pass(time.Minute + 20*time.Second)
	if a := wantAct(t, f.next(), decide.RunCommand); a.Command != decide.CreateCommand {
		t.Errorf("%+v", a)
	}
}

func TestAstray_WhatTheCommandWasForEndsTheWait(t *testing.T) {
	f, turn := gone()
	f.plan.Commands.Create = "create"
	turn.Astray, turn.AstrayAt = decide.CreateCommand, f.now
	wantWait(t, f.next(), decide.Create)
	f.addNode(cluster.NodeRef{Name: "new", UID: "new"}, "newdisk")
	f.look()
	if w, ok := f.next().(decide.Wait); ok && w.Phase == decide.Create {
		t.Error("it waits for a command whose machine is there")
	}
}

// A gate that was passed before the wait would be as old as the wait.
func TestAstray_ItIsWaitedForBeforeTheGate(t *testing.T) {
	f := three(policy.Evict, 2, 3)
	f.plan.Commands.Retire = "retire"
	turn := f.drained()
	turn.Astray, turn.AstrayAt = decide.RetireCommand, f.now
	f.mem.Passed[decide.GateDelete] = decide.Look{Digest: f.judge().Digest()}
	wantWait(t, f.next(), decide.Retire)
	turn.Astray = ""
	wantAct(t, f.next(), decide.RunCommand)
}

// Run at once again, a reboot command would end the boot that the first one began.
func TestAstray_ARebootIsNotBegunAgainWhileItsCommandMayBeRunning(t *testing.T) {
	f, turn := readyToBoot(1, 2, 3)
	turn.Astray, turn.AstrayAt = decide.RebootCommand, f.now
	if w := wantWait(t, f.next(), decide.Reboot); !w.Until.Equal(turn.AstrayAt.Add(f.plan.Policy.CommandLimit + f.plan.Policy.ClockSkew + time.Minute)) {
		t.Errorf("waits until %s", w.Until)
	}
}

// Its Node is gone, and not its end: what it does last would end the new machine.
func TestAstray_NoMachineIsMadeWhileARetireCommandMayBeRunning(t *testing.T) {
	f, turn := gone()
	f.plan.Commands.Create = "create"
	turn.Astray, turn.AstrayAt = decide.RetireCommand, f.now
	if w := wantWait(t, f.next(), decide.Create); !strings.Contains(w.For, "the retire command") {
		t.Errorf("waits for %s", w.For)
	}
	turn.Astray = "" // somebody says that it has ended
	if a := wantAct(t, f.next(), decide.RunCommand); a.Command != decide.CreateCommand {
		t.Errorf("%+v", a)
	}
}
