// SPDX-License-Identifier: Apache-2.0

package book_test

import (
	"errors"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/book/booktest"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// TestApprove_DoesNotFenceTheWriter: somebody else approves while the roll
// goes on writing, and neither disturbs the other.
func TestApprove_DoesNotFenceTheWriter(t *testing.T) {
	s := newShelf(t)
	writer, other := s.open("ada"), s.open("bob")
	ctx, node := t.Context(), cluster.NodeRef{Name: "worker-2", UID: "u2"}
	if err := other.Approve(ctx, "r1", node, "bob"); !errors.Is(err, record.ErrNoSuchRoll) {
		t.Errorf("approved what is not there: %v", err)
	}
	if _, err := writer.Acquire(ctx); err != nil {
		t.Fatal(err)
	}
	if err := writer.Append(ctx, booktest.Started("r1")); err != nil {
		t.Fatal(err)
	}
	if err := other.Approve(ctx, "r0", node, "bob"); !errors.Is(err, record.ErrNoSuchRoll) {
		t.Errorf("approved another roll: %v", err)
	}
	if err := other.Approve(ctx, "r1", node, "bob"); err != nil {
		t.Fatal(err)
	}
	for n := 2; n < 5; n++ {
		if err := writer.Append(ctx, booktest.Intended(n)); err != nil {
			t.Fatalf("the writer was disturbed: %v", err)
		}
	}
	for asked, want := range map[cluster.NodeRef]string{node: "bob", {Name: "worker-2", UID: "another machine"}: ""} {
		if who, err := writer.Approved(ctx, "r1", asked); who != want || err != nil {
			t.Errorf("%v was approved by %q, %v", asked, who, err)
		}
	}
	if who, _ := writer.Approved(ctx, "r2", node); who != "" {
		t.Error("an approval counts for another roll")
	}
}
