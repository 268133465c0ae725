// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// The results of one invariant.
const (
	resultHolds       = "Holds"
	resultViolated    = "Violated"
	resultCannotJudge = "CannotJudge"
)

// invariants are those of package roll, in words for who reads a report.
func invariants() []v1alpha1.Invariant {
	return []v1alpha1.Invariant{
		{ID: string(oracle.I1), Means: "at most one node was out by our hand, and none while another was out by someone else's"},
		{ID: string(oracle.I2), Means: "nothing was done while it would have taken a volume below its floor"},
		{ID: string(oracle.I3), Means: "nothing unknown was counted as good"},
		{ID: string(oracle.I4), Means: "every intent was written down before its deed, and every outcome after it"},
		{ID: string(oracle.I5), Means: "every change named its object by UID"},
		{ID: string(oracle.I6), Means: "what was undone was what we had done, exactly"},
		{ID: string(oracle.I7), Means: "every wait ended within its limit"},
		{ID: string(oracle.I8), Means: "killed at any point and run again, it came to the same end"},
		{ID: string(oracle.I9), Means: "a machine made anew got no credit for replicas of the old one"},
		{ID: string(oracle.I10), Means: "the same inputs give the same bytes"},
	}
}

// checked judges a journal. Where a part of an invariant cannot be judged from
// a journal alone it is not said to hold.
func checked(h record.History) *v1alpha1.Check {
	found := oracle.Check(h.Events, nil)
	c := &v1alpha1.Check{Verdict: v1alpha1.VerdictSafe, Invariants: invariants()}
	for i := range c.Invariants {
		inv := &c.Invariants[i]
		inv.Result = resultHolds
		for _, n := range found.NotJudged {
			if string(n.Invariant) == inv.ID {
				inv.Result = resultCannotJudge
				inv.Details = append(inv.Details, n.Why)
			}
		}
		for _, v := range found.Violations {
			if string(v.Invariant) != inv.ID {
				continue
			}
			if inv.Result != resultViolated {
				inv.Result, inv.Details = resultViolated, nil
			}
			c.Verdict = v1alpha1.VerdictUnsafe
			inv.Details = append(inv.Details, fmt.Sprintf("event %d, %s: %s", v.Seq, v.At.UTC().Format("15:04:05Z"), v.Says))
		}
	}
	return c
}
