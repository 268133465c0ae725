// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"fmt"
	"strconv"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// What was not read is not healthy, and an empty list is not good news. The
// findings here are about the input as a whole: they hold for every question.

// wide reports whether a finding is about the input and not about one volume
// or node, so that every permission depends on it.
func wide(f *Finding) bool {
	switch f.Subject.Kind {
	case "Volume", "Replica", "Node":
		return false
	default:
		return true
	}
}

func (w *world) inputFindings() []Finding {
	out := w.gapFindings()
	out = append(out, w.emptyFindings()...)
	for i := range w.storages {
		out = append(out, w.storageFindings(&w.storages[i])...)
	}
	out = append(out, w.twiceFindings()...)
	return append(out, w.pvFindings()...)
}

// gapFindings makes every gap a finding.
func (w *world) gapFindings() []Finding {
	var out []Finding
	for _, g := range w.snap.Gaps {
		if g.Kind == kindExec {
			out = append(out, probeFinding(g))
			continue
		}
		code, s, means := InputGapHelpful, Note, "the verdict rests on less evidence"
		switch {
		case g.Needed:
			code, s, means = InputGapNeeded, Unclear, "no verdict is possible without it"
		case g.ForDrain:
			code, means = InputGapDrain, "whether a node may be drained or deleted cannot be told"
			if g.Kind == kindPods && !w.pods {
				means += ", and what the storage says of its nodes is taken for the present"
			}
		case !w.leases && g.Kind == kindLeases:
			code, means = InputNoLeases, "whether a node is live is judged by its Ready condition alone"
		}
		out = append(out, gapFinding(g, code, s, means))
	}
	return out
}

func gapFinding(g cluster.Gap, code string, s Severity, means string) Finding {
	return Finding{Code: code, Severity: s, Subject: Subject{Kind: "Kind", Name: g.Kind},
		Message:  fmt.Sprintf("%s: %s, so %s.", g.Kind, gapWords(g.Reason), means),
		Evidence: []cluster.Fact{fact("gap", gapWords(g.Reason)), fact("detail", g.Detail)}}
}

func gapWords(r cluster.GapReason) string {
	switch r {
	case cluster.GapForbidden:
		return "reading it is forbidden"
	case cluster.GapMissing:
		return "the server does not know it"
	case cluster.GapNotGiven:
		return "the files hold no list of it"
	case cluster.GapTruncated:
		return "its list was cut off"
	case cluster.GapFailed:
		return "reading it failed"
	case cluster.GapMalformed:
		return "an object of it could not be decoded"
	case cluster.GapMixed:
		return "an object of it is there more than once, and differently"
	default:
		return "it could not be read"
	}
}

// emptyFindings distrusts a cluster in which nothing was found.
func (w *world) emptyFindings() []Finding {
	var out []Finding
	if len(w.snap.Nodes) == 0 {
		out = append(out, Finding{Code: InputNoNodes, Severity: Unclear, Subject: Subject{Kind: "Kind", Name: kindNodes},
			Message: "No node was found: there is no cluster to be judged.", Evidence: []cluster.Fact{fact("nodes", "0")}})
	}
	if len(w.snap.Storages) == 0 {
		out = append(out, Finding{Code: InputNoStorage, Severity: Unclear, Subject: Subject{Kind: "Storage"},
			Message: "No storage system was found whose replicas could be judged.", Evidence: []cluster.Fact{fact("storages", "0")}})
	}
	return out
}

// storageFindings says what is true of a storage as a whole.
func (w *world) storageFindings(st *storageWorld) []Finding {
	subject := Subject{Kind: "Storage", Name: st.facts.Driver}
	out := doubtFindings(st.facts.Doubts, subject, "storage "+st.facts.Driver)
	if len(st.facts.Nodes) == 0 {
		out = append(out, Finding{Code: StorageNoNodes, Severity: Unclear, Subject: subject,
			Message:  fmt.Sprintf("Storage %s has no node of its own: it does not run here.", st.facts.Driver),
			Evidence: []cluster.Fact{fact("storage.nodes", "0"), fact("storage.volumes", strconv.Itoa(st.volumes))}})
	}
	if st.volumes == 0 {
		out = append(out, w.noVolumes(st, subject))
	}
	out = append(out, w.orphansNote(st)...)
	for i := range st.facts.Nodes {
		if n := &st.facts.Nodes[i]; w.gone(n.Name) {
			out = append(out, Finding{Code: StorageNodeLeft, Subject: Subject{Kind: "StorageNode", Namespace: st.facts.Namespace, Name: n.Name},
				Message: fmt.Sprintf("The storage still has an object for node %s, which is not in the cluster.", n.Name)})
		}
	}
	return out
}

// noVolumes tells an empty storage from one whose volumes are missing.
func (w *world) noVolumes(st *storageWorld, subject Subject) Finding {
	n := 0
	for i := range w.snap.Persistent {
		if w.snap.Persistent[i].Driver == st.facts.Driver {
			n++
		}
	}
	f := Finding{Code: StorageNoVolumes, Subject: subject, Evidence: []cluster.Fact{fact("persistentvolumes", strconv.Itoa(n))},
		Message: fmt.Sprintf("Storage %s has 0 volumes, and no PersistentVolume refers to one.", st.facts.Driver)}
	if n > 0 {
		f.Severity = Unclear
		f.Message = fmt.Sprintf("Storage %s has 0 volumes, and %d PersistentVolumes refer to some: its volumes are missing.", st.facts.Driver, n)
	}
	return f
}

// twiceFindings distrusts an input that holds one object more than once: one
// of them is not the present.
func (w *world) twiceFindings() []Finding {
	var out []Finding
	seen := make(map[string]bool, len(w.snap.Nodes))
	for i := range w.snap.Nodes {
		name := w.snap.Nodes[i].Ref.Name
		if seen[name] {
			out = append(out, Finding{Code: InputTwice, Severity: Unclear, Subject: Subject{Kind: "Kind", Name: kindNodes},
				Message: fmt.Sprintf("Node %s is in the input more than once: one of them is not the present.", name)})
		}
		seen[name] = true
	}
	return out
}
