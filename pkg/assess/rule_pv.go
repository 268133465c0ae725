// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"fmt"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// pvFindings closes the references from PersistentVolumes: a volume that is
// missing is not a volume that is fine. Every volume has been judged.
func (w *world) pvFindings() []Finding {
	var out []Finding
	bound, foreign := newByName(), newByName()
	for i := range w.snap.Persistent {
		pv := &w.snap.Persistent[i]
		switch {
		case pv.Local || !ours(w.snap, pv.Driver) && len(pv.Hostnames) == 1:
			bound.add(listed(pv.Hostnames), pv.Name)
		case !ours(w.snap, pv.Driver):
			foreign.add(pv.Driver, pv.Name)
		case w.bound.lacks(pv):
			out = append(out, pvWithoutVolume(pv))
		}
	}
	for _, hosts := range bound.names {
		out = append(out, pvsOnNode(hosts, bound.of[hosts]))
	}
	for _, d := range foreign.names {
		names := foreign.of[d]
		out = append(out, Finding{Code: PVNotVerified, Subject: Subject{Kind: "Driver", Name: d},
			Message:  fmt.Sprintf("PersistentVolumes (%d) of %s are not verified: no plugin knows it.", len(names), driverName(d)),
			Evidence: few("persistentvolume", names)})
	}
	return out
}

// pvsOnNode says which PersistentVolumes lie on one node and nowhere else.
func pvsOnNode(hosts string, names []string) Finding {
	f := Finding{Code: PVLocal, Subject: Subject{Kind: "Node", Name: hosts}, Evidence: few("persistentvolume", names),
		Message: fmt.Sprintf("PersistentVolumes (%d) are bound to node %s and not verified: they would be lost with it.", len(names), hosts)}
	if hosts == "" {
		f.Subject = Subject{Kind: "PersistentVolume"}
		f.Message = fmt.Sprintf("PersistentVolumes (%d) are paths on some node and not verified: they would be lost with it.", len(names))
	}
	return f
}

func driverName(d string) string {
	if d == "" {
		return "no CSI driver"
	}
	return "driver " + d
}

func pvWithoutVolume(pv *cluster.PersistentVolume) Finding {
	f := Finding{Code: PVNoVolume, Severity: Unclear, Subject: Subject{Kind: "PersistentVolume", Name: pv.Name},
		Message:  fmt.Sprintf("PersistentVolume %s (claim %s/%s) refers to volume %s, which its storage does not have.", pv.Name, pv.ClaimNamespace, pv.ClaimName, pv.Handle),
		Evidence: []cluster.Fact{fact("pv.driver", pv.Driver), fact("pv.handle", pv.Handle)}}
	if pv.Deleting {
		f.Severity = Note
	}
	return f
}

// byName groups names by another one, in the order in which those first came.
type byName struct {
	names []string
	of    map[string][]string
}

func newByName() *byName { return &byName{of: map[string][]string{}} }

func (b *byName) add(under, name string) {
	if b.of[under] == nil {
		b.names = append(b.names, under)
	}
	b.of[under] = append(b.of[under], name)
}
