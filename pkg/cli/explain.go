// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
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

// catalogue merges what every room and every storage documents.
func catalogue(storages []plugin.Storage) view.Catalogue {
	lists := [][]view.Doc{assessDocs(assess.Codes()), assessDocs(decide.Codes()), {{
		Code: codeNothingSelected, Means: "The selector matches no node, so nothing was asked about any.",
		Remedy: "Look at the labels: kubectl get nodes --show-labels.",
	}}}
	for _, s := range storages {
		var docs []view.Doc
		for _, d := range s.Codes() {
			docs = append(docs, view.Doc(d))
		}
		lists = append(lists, docs)
	}
	return view.Catalogued(lists...)
}

func assessDocs(in []assess.CodeDoc) []view.Doc {
	out := make([]view.Doc, 0, len(in))
	for _, d := range in {
		out = append(out, view.Doc(d))
	}
	return out
}

func newExplain(app App, display string) *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CODE]",
		Short: "What a finding means and what to do; without a code, all of them",
		Example: examples(display,
			"% explain",
			"% explain volume/one-copy-left"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return exactly("one code")(cmd, args)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			c := catalogue(app.Storages)
			out := app.Streams.Out
			if len(args) == 0 {
				return c.List(out, styleOf(out))
			}
			doc, ok := c[args[0]]
			if !ok {
				return failed(unknownCode(c, args[0]))
			}
			return doc.Explain(out, styleOf(out))
		},
	}
}

func unknownCode(c view.Catalogue, code string) error {
	var same []string
	for _, have := range c.Sorted() {
		if before, _, _ := strings.Cut(have, "/"); strings.HasPrefix(code, before) {
			same = append(same, have)
		}
	}
	if near := nearest(code, c.Sorted()); near != "" {
		same = []string{near}
	}
	if len(same) == 0 {
		return fmt.Errorf("there is no code %q; explain without a code lists all", code)
	}
	return fmt.Errorf("there is no code %q; there is %s", code, few(same))
}
