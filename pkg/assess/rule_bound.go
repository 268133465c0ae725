// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"fmt"
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// What else dies with a node: volumes that lie on it and nowhere else, and
// volumes of drivers that nobody here can judge. Each may be accepted by name.

// diesWith lists what would be lost with the node.
func (j *Judgement) diesWith(ref cluster.NodeRef) []Finding {
	names := []string{ref.Name}
	if n := j.Node(ref.Name); n != nil {
		for label, name := range n.Node.Labels {
			if name != "" && cluster.NamesNode(label) {
				names = append(names, name)
			}
		}
	}
	var out []Finding
	for i := range j.Snapshot.Persistent {
		if f := j.boundTo(&j.Snapshot.Persistent[i], names); f != nil {
			out = append(out, *f)
		}
	}
	for i := range j.Snapshot.Attachments {
		a := &j.Snapshot.Attachments[i]
		if a.Node != ref.Name || ours(j.Snapshot, a.Driver) {
			continue
		}
		out = append(out, j.acceptable(Finding{
			Code: NodeForeignAttachment, Severity: Danger, Subject: Subject{Kind: "PersistentVolume", Name: a.PV},
			Message:  fmt.Sprintf("PersistentVolume %s of driver %s, which no plugin knows, is attached to node %s.", a.PV, a.Driver, ref.Name),
			Evidence: []cluster.Fact{fact("attachment", a.Name), fact("attachment.driver", a.Driver)},
		}))
	}
	return out
}

// boundTo says whether the PersistentVolume's data lie on the node that has
// these names.
func (j *Judgement) boundTo(pv *cluster.PersistentVolume, names []string) *Finding {
	if ours(j.Snapshot, pv.Driver) || !pv.Bound && pv.ClaimName == "" {
		return nil
	}
	here := slices.ContainsFunc(names, func(n string) bool { return slices.Contains(pv.Hostnames, n) })
	f := Finding{
		Code: PVBoundToNode, Severity: Danger, Subject: Subject{Kind: "PersistentVolume", Name: pv.Name},
		Message: fmt.Sprintf("PersistentVolume %s (claim %s/%s) lies on node %s and would be lost with it.",
			pv.Name, pv.ClaimNamespace, pv.ClaimName, names[0]),
		Evidence: []cluster.Fact{fact("pv.driver", pv.Driver), fact("pv.hostnames", listed(pv.Hostnames))},
	}
	switch {
	case here && (pv.Local || len(pv.Hostnames) == 1):
	case pv.Local && len(pv.Hostnames) == 0:
		// A host path without affinity lies wherever its pods ran.
		f.Severity = Unclear
		f.Message = fmt.Sprintf("PersistentVolume %s (claim %s/%s) is a path on some node, and may be lost with node %s.",
			pv.Name, pv.ClaimNamespace, pv.ClaimName, names[0])
	default:
		return nil
	}
	f = j.acceptable(f)
	return &f
}

// acceptable makes a finding a note where the operator accepted it by name, and
// offers that where not.
func (j *Judgement) acceptable(f Finding) Finding {
	if j.Policy.Accepts(f.Code, f.Subject.Name) {
		f.Severity = Note
		return f
	}
	f.Risk = policy.Risk{Code: f.Code, Name: f.Subject.Name}
	return f
}
