// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// resolve turns names into this incarnation of the nodes. A name that no node
// has is an error that names the nearest one.
func resolve(s *cluster.Snapshot, names []string) ([]cluster.NodeRef, error) {
	refs := make([]cluster.NodeRef, 0, len(names))
	for _, name := range names {
		name = strings.TrimPrefix(strings.TrimPrefix(name, "node/"), "nodes/")
		n := s.Node(name)
		if n == nil {
			return nil, unknownNode(s, name)
		}
		refs = append(refs, n.Ref)
	}
	return refs, nil
}

// nodesRead reports whether all nodes were read: only then is a name known to
// be wrong.
func nodesRead(s *cluster.Snapshot) bool {
	return !slices.ContainsFunc(s.Gaps, func(g cluster.Gap) bool { return g.Kind == "nodes" })
}

func unknownNode(s *cluster.Snapshot, name string) error {
	have := make([]string, 0, len(s.Nodes))
	for i := range s.Nodes {
		have = append(have, s.Nodes[i].Ref.Name)
	}
	if near := nearest(name, have); near != "" {
		return fmt.Errorf("there is no node %q; did you mean %s?", name, near)
	}
	return fmt.Errorf("there is no node %q; there are %s", name, few(have))
}

// few lists the first names of many.
func few(names []string) string {
	const shown = 8
	if len(names) == 0 {
		return "none"
	}
	s := strings.Join(names[:min(len(names), shown)], ", ")
	if n := len(names) - shown; n > 0 {
		s += fmt.Sprintf(" and %d more", n)
	}
	return s
}

// selected returns the nodes that a selector matches, in the snapshot's order.
func selected(s *cluster.Snapshot, selector string) ([]string, error) {
	sel, err := labels.Parse(selector)
	if err != nil {
		return nil, usagef("--selector=%s: %v", selector, err)
	}
	var names []string
	for i := range s.Nodes {
		if sel.Matches(labels.Set(s.Nodes[i].Labels)) {
			names = append(names, s.Nodes[i].Ref.Name)
		}
	}
	return names, nil
}

// nearest is the name that was probably meant: at most two edits away, or the
// only one that begins alike. Empty where none is.
func nearest(name string, have []string) string {
	best, at := "", 3
	for _, h := range have {
		if d := distance(name, h); d < at {
			best, at = h, d
		}
	}
	if best != "" {
		return best
	}
	var begins []string
	for _, h := range have {
		if name != "" && strings.HasPrefix(h, name) {
			begins = append(begins, h)
		}
	}
	if len(begins) == 1 {
		return begins[0]
	}
	return ""
}

// distance counts the single-character edits between two names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for i := range row {
		row[i] = i
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for k := range len(b) {
			cost := 1
			if a[i] == b[k] {
				cost = 0
			}
			next := slices.Min([]int{row[k+1] + 1, row[k] + 1, before + cost})
			before, row[k+1] = row[k+1], next
		}
	}
	return row[len(b)]
}
