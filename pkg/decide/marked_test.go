// SPDX-License-Identifier: Apache-2.0

package decide_test

import (
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

const toBeDeleted = "ToBeDeletedByClusterAutoscaler=1:NoSchedule"

// names reports whether the wait says which mark it is, whose, and what to do.
func names(t *testing.T, w decide.Wait, node string) {
	t.Helper()
	if !strings.Contains(w.For, "ToBeDeletedByClusterAutoscaler") || !strings.Contains(w.For, node) ||
		!strings.Contains(w.For, "cluster autoscaler is about to delete it") || !strings.Contains(w.Stuck, "scale down nothing") ||
		w.LimitName != "settle limit" {
		t.Errorf("%+v", w)
	}
}

func accepted(n int) []policy.Risk {
	return []policy.Risk{{Code: assess.NodeMarkedToGo, Name: ref(n).Name}}
}

func TestMarked_NoTurnBeginsWhileAnotherToolIsAboutToTakeANode(t *testing.T) {
	for _, n := range []int{1, 3} {
		f := three(policy.Refill, 1, 2, 3)
		f.s.Nodes[n-1].Taints = []string{toBeDeleted}
		h := wantHalt(t, f.next(), decide.ExitUnsafe)
		if h.Findings[0].Code != assess.NodeMarkedToGo || !strings.Contains(h.Reason, "cluster autoscaler") || !strings.Contains(h.Remedy, "scale down nothing") {
			t.Errorf("%+v", h)
		}
		f.mem.Turns = []decide.Turn{{Node: ref(9), ClosedAt: noon}} // not the first one
		names(t, wantWait(t, f.next(), decide.Preflight), ref(n).Name)
		f.plan.Policy.Accepted = accepted(n)
		wantNote(t, f.next(), decide.TurnOpened)
		f.plan.Policy.Accepted = nil
		f.s.Nodes[n-1].Taints = []string{"DeletionCandidateOfClusterAutoscaler=1:PreferNoSchedule"}
		wantNote(t, f.next(), decide.TurnOpened)
	}
}

func TestMarked_AnotherNodesMarkHoldsUpTheTurnUntilTheNodeIsOut(t *testing.T) {
	f := three(policy.Refill, 1, 2, 3)
	f.opened()
	f.s.Nodes[2].Announced = []string{cluster.KuredReboot + "=2026-01-01T00:00:00Z"}
	if w := wantWait(t, f.next(), decide.Preflight); !strings.Contains(w.For, "kured is about to reboot it") {
		t.Errorf("%+v", w)
	}
	f.s.Nodes[2].Announced = nil
	wantAct(t, f.next(), decide.Place)
}

func TestMarked_TheOwnNodesMarkHoldsUpItsCordonAndItsEnd(t *testing.T) {
	f := three(policy.Refill, 2, 3)
	f.plan.Commands.Retire = "retire"
	f.opened()
	f.storage().Nodes[0].Placement = cluster.Placement{}
	f.s.Nodes[0].Taints = []string{toBeDeleted}
	names(t, wantWait(t, f.next(), decide.CordonIt), "worker-1")
	f.s.Nodes[0].Cordoned = true // by whoever marked it
	names(t, wantWait(t, f.next(), decide.CordonIt), "worker-1")

	f.drained()
	f.passGate(t) // what proves the others goes on
	names(t, wantWait(t, f.next(), decide.Retire), "worker-1")
	f.s.Nodes[0].Taints = nil
	wantAct(t, f.next(), decide.RunCommand)
	f.s.Nodes[0].Taints = []string{toBeDeleted} // our command's doing
	f.mem.Current().Begun = map[decide.CommandKind]time.Time{decide.RetireCommand: f.now}
	wantAct(t, f.next(), decide.RunCommand) // it failed, and its mark keeps nobody from trying again
	f.mem.Current().Ran = f.mem.Current().Begun
	if w := wantWait(t, f.next(), decide.Retire); !strings.Contains(w.For, "to be gone") {
		t.Errorf("%+v", w)
	}
}

// Where a person ends the machine the mark is likely that one's doing.
func TestMarked_APersonMayEndTheMachineWithAnotherTool(t *testing.T) {
	f := three(policy.Refill, 2, 3)
	f.drained()
	f.s.Nodes[0].Taints = []string{toBeDeleted}
	f.passGate(t)
	if w := wantWait(t, f.next(), decide.Retire); !strings.Contains(w.For, "to be gone") {
		t.Errorf("%+v", w)
	}
}

func TestMarked_NoPlanIsMadeWhileANodeIsMarked(t *testing.T) {
	f := three(policy.Refill, 2, 3)
	f.s.Nodes[2].Taints = []string{toBeDeleted}
	if _, fs := f.propose(true, nil); !strings.Contains(codes(fs), assess.NodeMarkedToGo) {
		t.Errorf("planned: %s", codes(fs))
	}
}

func TestMarked_TheOwnNodesMarkHoldsUpItsReboot(t *testing.T) {
	f, _ := readyToBoot(1, 2, 3)
	f.passGate(t)
	wantAct(t, f.next(), decide.RunCommand)
	f.s.Nodes[0].Announced = []string{cluster.KuredReboot + "=now"}
	f.look()
	if w := wantWait(t, f.next(), decide.Reboot); !strings.Contains(w.For, "kured") {
		t.Error(w.For)
	}
}
