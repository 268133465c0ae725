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
// What those drivers keep on the node of volumes that neither are bound to it nor
// attached there cannot be seen; that is told, and changes no answer.

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
	foreign, attached := newByName(), j.attachedTo(ref.Name)
	for i := range j.Snapshot.Persistent {
		pv := &j.Snapshot.Persistent[i]
		if f := j.boundTo(pv, names); f != nil {
			out = append(out, *f)
		} else if j.mayLieOn(pv, names) && !attached[pv.Name] {
			foreign.add(driverName(pv.Driver), pv.Name)
		}
	}
	if f := foreign.onNode(ref.Name); f != nil {
		out = append(out, *f)
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

// attachedTo are the PersistentVolumes that are attached to the node.
func (j *Judgement) attachedTo(node string) map[string]bool {
	out := map[string]bool{}
	for i := range j.Snapshot.Attachments {
		if a := &j.Snapshot.Attachments[i]; a.Node == node {
			out[a.PV] = true
		}
	}
	return out
}

// mayLieOn reports whether a driver that no plugin knows may keep data of the
// PersistentVolume on the node that has these names: it is not bound to others.
func (j *Judgement) mayLieOn(pv *cluster.PersistentVolume, names []string) bool {
	if ours(j.Snapshot, pv.Driver) || !pv.Bound && pv.ClaimName == "" {
		return false
	}
	return len(pv.Hostnames) == 0 || slices.ContainsFunc(names, func(n string) bool { return slices.Contains(pv.Hostnames, n) })
}

// onNode notes that PersistentVolumes, by their drivers, may lie on the node;
// nil where there are none.
func (b *byName) onNode(node string) *Finding {
	if len(b.names) == 0 {
		return nil
	}
	var parts, all []string
	for _, driver := range b.names {
		parts = append(parts, fmt.Sprintf("%d of %s", len(b.of[driver]), driver))
		all = append(all, b.of[driver]...)
	}
	return &Finding{Code: PVMayLieThere, Subject: Subject{Kind: "Node", Name: node}, Evidence: few("persistentvolume", all),
		Message: fmt.Sprintf("Whether data of other PersistentVolumes (%s) lie on node %s, and go with it, cannot be told: no plugin knows them.", listed(parts), node)}
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
