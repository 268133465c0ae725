// SPDX-License-Identifier: Apache-2.0

package sim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/sim"
)

// reboots are rolls whose machines come back with their disks.
func reboots() []sim.Case {
	out := []sim.Case{sim.Standard(3, 3), sim.Standard(4, 3), sim.Standard(5, 3)}
	for i := range out {
		out[i] = rebooting(out[i])
	}
	return out
}

// rebooting is the case with reboots in the place of replacements, and without
// the volumes whose nodes may not go down.
func rebooting(k sim.Case) sim.Case {
	few := func(c sim.Class) bool { return c == sim.Single || c == sim.Alone || c == sim.Pair }
	k.Goal, k.Commands, k.Classes = decide.UntilRebooted, decide.Commands{Reboot: "reboot"}, slices.DeleteFunc(k.Classes, few)
	return k
}

// booted are the boots that the turns of a roll saw, by node.
func booted(h sim.History) map[string][]string {
	out := map[string][]string{}
	for _, e := range h.Events {
		if e.Kind == record.Noted && e.Note.Kind == decide.Rebooted {
			out[e.Note.Node.Name] = append(out[e.Note.Node.Name], e.Note.Boot)
		}
	}
	return out
}

func TestReboot_EveryMachineIsBootedOnceAndEverythingIsThere(t *testing.T) {
	c := begin(t)
	defer c.sum("reboots")
	for _, k := range reboots() {
		r := sim.Roll{Seed: 1, Case: k}
		h := simulate(t, r)
		c.judge(fmt.Sprintf("%d workers", k.Workers), r, h)
		for node, boots := range booted(h) {
			if len(boots) != 1 || !strings.HasSuffix(boots[0], "/2") {
				t.Errorf("%s came up as %v, want one second boot", node, boots)
			}
		}
		if n := len(booted(h)); n != k.Roll {
			t.Errorf("%d machines were rebooted, want %d\n%s", n, k.Roll, tail(h, 20))
		}
		for _, e := range h.Events {
			if e.Kind == record.Intent && (e.Action.Verb == decide.Prune || e.Action.Verb == decide.DeleteNode || e.Action.Verb == decide.Forget) {
				t.Errorf("a reboot takes nothing away: %s", e.Action.Why)
			}
		}
		t.Logf("%d workers: %d events, %d calls, %s", k.Workers, len(h.Events), h.Calls, h.Took)
	}
}

func TestReboot_KilledBeforeOrAfterAnyCallItEndsTheSame(t *testing.T) {
	c := begin(t)
	defer c.sum("reboots killed before or after a call")
	for _, k := range reboots()[:2] {
		k.Roll = 1
		whole := simulate(t, sim.Roll{Seed: 2, Case: k})
		for _, n := range points(t, whole.Calls[0], 29) {
			for _, after := range []bool{false, true} {
				r := sim.Roll{Seed: 2, Case: k, Faults: []sim.Faults{at(n, sim.Fault{Harm: sim.Kill, After: after})}}
				h := simulate(t, r)
				c.judge(fmt.Sprintf("%d workers, call %d, after %v", k.Workers, n, after), r, h)
				if boots := booted(h)["worker-1"]; len(boots) != 1 || !strings.HasSuffix(boots[0], "/2") {
					t.Errorf("call %d, after %v: worker-1 came up as %v, want one second boot", n, after, boots)
				}
			}
		}
	}
}

func TestReboot_SeededRollsBreakNothing(t *testing.T) {
	c := begin(t)
	defer c.sum("random reboots, with others at work")
	for seed := range uint64(30 * soak(t)) {
		k := rebooting(sim.Draw(seed))
		k.Replicas = 3
		r := sim.Roll{Seed: seed, Case: k, Chaos: int(seed % 4)}
		if seed%2 == 1 {
			r.Faults = []sim.Faults{sim.Noise(seed, 40)}
		}
		c.judge("reboot", r, simulate(t, r))
	}
}
