// SPDX-License-Identifier: Apache-2.0

package lab_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

// TestHeal_SomebodyReplacedANodeByHand: first under a new name, which leaves
// replica objects of a node that is gone. They keep every other node from being
// drained, and Longhorn says nowhere why. A run mends that and goes on, and moves
// all that is on worker-2 to the other two. Then these are replaced by hand, one
// after the other, and it is too late for every detached volume: each is named,
// and nothing is touched.
func TestHeal_SomebodyReplacedANodeByHand(t *testing.T) {
	t.Parallel()
	w := start(t, mendSoon())
	i := scenario.Incident{Workers: 3, Users: 6, LoggedIn: 1, Replicas: 2}
	e := build(t, w, i)
	byHand := func(node, as string) {
		t.Helper()
		// Drained first: Kubernetes itself takes six minutes to let go of what
		// was attached to a node that is deleted without.
		kubectl(t, w, 0, "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=3m")
		if err := w.Recreate(t.Context(), node, as); err != nil {
			t.Fatal(err)
		}
		if err := w.AttachedHealthy(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	byHand("worker-1", "worker-1-b")
	record(t, w, "new-name")
	short := truth(t, w).Short(e, 2)
	if len(short) == 0 {
		t.Fatal("no detached volume had a replica on worker-1")
	}
	said := kubectl(t, w, 3, "safe-roll", "verify", "-o", "wide")
	for _, volume := range short {
		if !strings.Contains(said.All(), volume) {
			t.Errorf("%s lives on one copy and is not named:\n%s", volume, said.All())
		}
	}
	blocked, err := w.Kubectl(t.Context(), "drain", "worker-2", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=30s")
	if err != nil {
		t.Fatal(err)
	}
	if blocked.Exit == 0 {
		t.Error("a phantom does not block a drain: there is nothing to heal")
	}
	kubectl(t, w, 0, "uncordon", "worker-2")
	if err := w.AttachedHealthy(t.Context()); err != nil {
		t.Fatal(err)
	}
	roll(t, w, []string{"worker-2"}, "--replace-command=machine replace")
	judge(t, w, e, 2)

	byHand("worker-3", "worker-3")
	byHand("worker-1-b", "worker-1-b")
	record(t, w, "too-late")
	lost := truth(t, w).Lost(e)
	if !slices.Equal(lost, i.Detached()) {
		t.Fatalf("lost %v\nwant every detached volume: %v", lost, i.Detached())
	}
	late := kubectl(t, w, 3, "safe-roll", "run", "worker-2", "--yes", "--delete-node")
	for _, volume := range lost {
		if !strings.Contains(late.All(), volume) {
			t.Errorf("%s is lost and not named:\n%s", volume, late.All())
		}
	}
	if now := truth(t, w).Lost(e); !slices.Equal(now, lost) {
		t.Errorf("lost before %v, after %v", lost, now)
	}
	tickets := kubectl(t, w, 0, "get", "volumeattachments.longhorn.io", "-n", "longhorn-system", "-o", "jsonpath={.items[*].spec.attachmentTickets}")
	if strings.Contains(tickets.Out, "safe-roll-") {
		t.Errorf("something is attached by us: %s", tickets.Out)
	}
}
