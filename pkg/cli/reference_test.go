// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/safe-roll/kubectl-safe-roll/plugins"
)

// reference is docs/reference.md: every command with its flags, and every code
// with its remedy, as the program itself tells them.
func reference() string {
	app := App{Streams: genericiooptions.NewTestIOStreamsDiscard(), Program: "kubectl-safe_roll", Version: "v0", Storages: plugins.All()}
	root := newRoot(app)
	var b strings.Builder
	b.WriteString("# Reference\n\nWritten by `make update` from the commands and the catalogue of codes; do not edit.\n\n## Commands\n")
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() && c.Name() != "completion" {
			describe(&b, c)
		}
	}
	b.WriteString("\n## Codes\n\nA refusal names its codes; `kubectl safe-roll explain CODE` says the same.\n\n| Code | Means | What to do |\n|---|---|---|\n")
	docs := catalogue(app.Storages)
	for _, code := range docs.Sorted() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", code, cell(docs[code].Means), cell(docs[code].Remedy))
	}
	return b.String()
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

func describe(b *strings.Builder, c *cobra.Command) {
	fmt.Fprintf(b, "\n### %s\n\n%s.\n", spelled(c), strings.TrimRight(c.Short, "."))
	if c.Long != "" {
		fmt.Fprintf(b, "\n%s\n", c.Long)
	}
	if c.Example != "" {
		fmt.Fprintf(b, "\n```sh\n%s\n```\n", strings.ReplaceAll(strings.TrimPrefix(c.Example, "  "), "\n  ", "\n"))
	}
	first := true
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" || c.InheritedFlags().Lookup(f.Name) != nil {
			return
		}
		if first {
			b.WriteString("\n| Flag | Default | Means |\n|---|---|---|\n")
			first = false
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", name, cell(f.DefValue), cell(f.Usage))
	})
}

func TestReference_IsWhatTheProgramSays(t *testing.T) {
	const path = "../../docs/reference.md"
	got := reference()
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("docs/reference.md is not what the program says; make update writes it:\n%s", d)
	}
}
