// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
	"github.com/safe-roll/kubectl-safe-roll/pkg/view"
)

// codeNothingSelected is the one code of the command line itself.
const codeNothingSelected = "input/nothing-selected"

func nothingSelected(selector string) assess.Finding {
	return assess.Finding{
		Code: codeNothingSelected, Severity: assess.Unclear, Subject: assess.Subject{Kind: "Selector", Name: selector},
		Message: "No node matches the selector " + selector + ".",
	}
}

// catalogue merges what every room and every storage documents, and what a
// storage adds to the codes of others.
func catalogue(storages []plugin.Storage) view.Catalogue {
	lists := [][]view.Doc{assessDocs(assess.Codes()), assessDocs(decide.Codes()), {{
		Code: codeNothingSelected, Means: "The selector matches no node, so nothing was asked about any.",
		Remedy: "Look at the labels: kubectl get nodes --show-labels.",
	}}}
	for _, s := range storages {
		var docs []view.Doc
		for _, d := range s.Codes() {
			docs = append(docs, view.Doc{Code: d.Code, Means: d.Means, Remedy: d.Remedy})
		}
		lists = append(lists, docs)
	}
	c := view.Catalogued(lists...)
	for _, r := range risks() {
		c.Accepts(cmp.Or(r.For, r.Code), policy.Risk{Code: r.Code, Name: r.Of})
	}
	for _, s := range storages {
		if g, ok := s.(plugin.Guider); ok {
			for _, x := range g.Guides() {
				c.Guide(x.Code, x.Do, x.Not, x.See)
			}
		}
	}
	return c
}

// risks are those that a flag accepts.
func risks() []assess.RiskDoc { return append(assess.Risks(), decide.Risks()...) }

func assessDocs(in []assess.CodeDoc) []view.Doc {
	out := make([]view.Doc, 0, len(in))
	for _, d := range in {
		out = append(out, view.Doc{Code: d.Code, Means: d.Means, Remedy: d.Remedy})
	}
	return out
}
