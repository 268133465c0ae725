// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// BudgetHold is a PodDisruptionBudget that permits no eviction of a pod on the
// node.
type BudgetHold struct {
	Namespace, Name string
	// Never: waiting does not help.
	Never bool
	// Pods are those of the node that it holds.
	Pods []cluster.PodRef
	// Why has the numbers in words.
	Why string
}

// Budgets finds the budgets that hold pods which must go. Those of the storage
// are its own business: it takes them away when its replicas allow it.
func Budgets(s *cluster.Snapshot, set assess.DrainSet) []BudgetHold {
	var out []BudgetHold
	covers := map[cluster.UID][]string{}
	for i := range s.Budgets {
		b := &s.Budgets[i]
		var held []cluster.PodRef
		for k := range set.Go {
			if p := &set.Go[k]; !p.Finished && slices.Contains(b.Pods, p.Ref.UID) {
				held = append(held, p.Ref)
				covers[p.Ref.UID] = append(covers[p.Ref.UID], b.Name)
			}
		}
		if len(held) == 0 || b.Allowed > 0 {
			continue
		}
		h := BudgetHold{Namespace: b.Namespace, Name: b.Name, Pods: held}
		h.Never, h.Why = holds(b)
		out = append(out, h)
	}
	return append(out, twice(set, covers)...)
}

// Finding says that the budget holds its pods; a note, for no data are lost by
// a drain that waits.
func (h BudgetHold) Finding() assess.Finding {
	f := assess.Finding{
		Code: CodeBudgetNow, Severity: assess.Note,
		Subject: assess.Subject{Kind: "PodDisruptionBudget", Namespace: h.Namespace, Name: h.Name},
		Message: sentence("PodDisruptionBudget %s/%s holds %s: %s", h.Namespace, h.Name, names(h.Pods), h.Why),
	}
	if h.Never {
		f.Code = CodeBudgetNever
	}
	for _, pod := range h.Pods {
		f.Evidence = append(f.Evidence, cluster.Fact{Name: "pod", Value: pod.Namespace + "/" + pod.Name})
	}
	return f
}

// holds says whether the budget could ever permit an eviction, and why it does
// not now. The API server permits one while more pods are healthy than must be.
func holds(b *cluster.Budget) (never bool, why string) {
	switch {
	case b.Expected == 0:
		return false, "it has counted no pods yet, and permits nothing until it has"
	case b.Desired >= b.Expected:
		return true, fmt.Sprintf("it wants %s healthy and there %s: not one may ever go",
			Many(b.Desired, "pod"), areOnly(b.Expected))
	default:
		return false, fmt.Sprintf("it wants %s healthy, and %d of %d are", Many(b.Desired, "pod"), b.Healthy, b.Expected)
	}
}

func areOnly(n int) string {
	if n == 1 {
		return "is only 1"
	}
	return fmt.Sprintf("are only %d", n)
}

// twice finds pods that two budgets cover: the API server evicts none of them
// (k8s.io/kubernetes pkg/registry/core/pod/storage/eviction.go).
func twice(set assess.DrainSet, covers map[cluster.UID][]string) []BudgetHold {
	var out []BudgetHold
	for i := range set.Go {
		p := set.Go[i].Ref
		if by := covers[p.UID]; len(by) > 1 {
			out = append(out, BudgetHold{
				Namespace: p.Namespace, Name: by[0], Never: true, Pods: []cluster.PodRef{p},
				Why: fmt.Sprintf("it and %s both cover pod %s, and a pod of two budgets is never evicted", by[1], p.Name),
			})
		}
	}
	return out
}

// tell refuses what can never end, unless somebody will see to it, and notes
// the rest.
func (d *draft) tell(holds []BudgetHold) {
	for _, h := range holds {
		f := h.Finding()
		if h.Never && !d.req.Policy.Accepts(CodeBudgetNever, h.Namespace+"/"+h.Name) {
			f.Severity, f.Risk = assess.Danger, policy.Risk{Code: CodeBudgetNever, Name: h.Namespace + "/" + h.Name}
			d.refuse(f)
			continue
		}
		d.p.Notes = append(d.p.Notes, f)
	}
}

func names(refs []cluster.PodRef) string {
	if len(refs) == 1 {
		return "pod " + refs[0].Name
	}
	return fmt.Sprintf("pod %s and %d more", refs[0].Name, len(refs)-1)
}
