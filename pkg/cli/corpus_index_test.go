// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// indexEntry is one state, or one kind of volume, that the corpus must cover.
type indexEntry struct {
	name, is string
	// cases are the beginnings of the names of its cases.
	cases []string
	// instead says what the answer rests on where no code is said, because the
	// field that lies is not asked.
	instead string
}

// lyingStates are the states in which Longhorn's objects look fine, and are
// not; L followed by the number begins the names of its cases.
func lyingStates() []indexEntry {
	var out []indexEntry
	for i, s := range [][2]string{
		{"replica at rest, its node is not in the cluster"},
		{"the node is there, the storage's object for it is not"},
		{"the storage's object outlives its node"},
		{"a machine of the same name, another disk"},
		{"a machine of the same name that took over the disk's identity"},
		{"the disk was removed and added again"},
		{"the map of what is scheduled on a disk is empty", "replicas are found by the node and disk that they name; the map is not read"},
		{"robustness of a volume at rest", "replicas are counted; of a volume at rest robustness is not read"},
		{"replicas that lie together"},
		{"a replica that was asked to leave", "it counts for whole and not for a floor; the cases ask for both"},
		{"the engine is dead, its list still says read-write"},
		{"the manager of a node is silent"},
		{"switched off a minute ago"},
		{"schedulable, on a node that is not ready"},
		{"read-write, and not rebuilt"},
		{"listed, and not read-write yet"},
		{"never healthy and never failed"},
		{"given up after five rebuilds"},
		{"shadows of a migration or an upgrade"},
		{"one disk identity on two nodes"},
		{"a disk that moved to another node"},
		{"the directory is missing on a disk that is well", "no object shows it: such a replica is Plausible and says so; --probe finds it (replica/data-missing)"},
		{"bytes that missed writes", "a failure since is seen; stale bytes are not, and the evidence says so"},
		{"the last copy is a directory that no object names"},
		{"the Scheduled condition", "the condition is not read"},
		{"a replica object without a node", "it stands for no replica, and counts for nothing"},
		{"no replica left, or only blank ones"},
		{"a budget protects the node", "budgets protect pods; they are no evidence of data"},
		{"the budget was taken away"},
		{"the instance manager runs, on another machine of the name"},
		{"a standby volume"},
		{"copies of a backing image on dead disks"},
		{"eviction asked of a node that is down"},
		{"attached to a node that is gone"},
		{"stuck while being attached"},
		{"a list that is cut off, or of two moments"},
	} {
		name := fmt.Sprintf("L%d", i+1)
		out = append(out, indexEntry{name: name, is: s[0], instead: s[1], cases: []string{fmt.Sprintf("lies/L%02d-", i+1)}})
	}
	return out
}

// specialVolumes are the kinds of volumes that need a rule of their own.
func specialVolumes() []indexEntry {
	entry := func(is string, cases ...string) indexEntry { return indexEntry{is: is, cases: cases} }
	return []indexEntry{
		entry("v2 engine", "special/v2-", "special/data-engine-"),
		entry("sharded", "special/sharded"),
		entry("shared by many (RWX)", "special/rwx-"),
		entry("migratable, migrating", "special/migra", "lies/L19-"),
		entry("backing image", "special/backing-image-", "lies/L32-"),
		entry("standby (DR)", "lies/L31-"),
		entry("restoring", "special/restor"),
		entry("cloning", "special/clon"),
		entry("linked clone", "special/linked-clone"),
		entry("expanding", "special/expan"),
		entry("purging", "special/purg"),
		entry("encrypted", "special/encrypted"),
		entry("single replica", "special/single-"),
		entry("strict-local", "special/strict-local"),
		{is: "best-effort locality", cases: []string{"special/best-effort-"}, instead: "a replica object without a node is no replica (L26)"},
		entry("never attached", "special/first-attach", "special/unused-", "lies/L17-never-attached"),
		entry("upgrading", "special/upgrading", "special/older-engine-image", "versions/v1.6-upgrading"),
		entry("faulted, or without replicas", "special/faulted", "lies/L27-"),
		entry("creating", "special/creating"),
		entry("deleting", "special/deleting"),
		entry("a state or number never seen", "special/state-", "special/no-number-", "special/says-degraded-"),
	}
}

// indexTables lists, for every state and every kind of volume, the codes that
// are said, the rules that say them, and the cases that fail without.
func indexTables(t *testing.T) string {
	var cases []*corpusCase
	for _, file := range corpusFiles(t) {
		cases = append(cases, loadCase(t, file))
	}
	said := sayers(t)
	row := func(e indexEntry) string {
		var codes, rules []string
		names := map[string][]string{}
		for _, c := range cases {
			if !slices.ContainsFunc(e.cases, func(begin string) bool { return strings.HasPrefix(c.name, begin) }) {
				continue
			}
			names[c.want.Verdict] = append(names[c.want.Verdict], strings.TrimPrefix(path.Base(c.name), strings.TrimPrefix(e.cases[0], "lies/")))
			for _, code := range c.want.Findings {
				if !isSum(code) {
					codes, rules = append(codes, code), append(rules, said[code]...)
				}
			}
		}
		if len(names) == 0 {
			t.Errorf("no case for %s %s", e.name, e.is)
		}
		if len(codes) == 0 && e.instead == "" {
			t.Errorf("nothing is said in any case of %s %s, and why is not said either", e.name, e.is)
		}
		var listed []string
		for _, verdict := range []string{"Unsafe", "Unknown", "Safe"} {
			if len(names[verdict]) > 0 {
				listed = append(listed, verdict+": "+strings.Join(names[verdict], ", "))
			}
		}
		answer := strings.Join(unique(codes), ", ")
		if e.instead != "" {
			answer = strings.TrimPrefix(answer+"; "+e.instead, "; ")
		}
		return fmt.Sprintf("| %s | %s | %s | %s |\n", strings.TrimSpace(e.name+" "+e.is), answer, strings.Join(unique(rules), ", "), strings.Join(listed, "; "))
	}
	out := "\n### Each state, its rule and its cases\n\n" +
		"The codes are those that the cases demand; `explain CODE` has the remedy of each. A rule is a file of\n" +
		"`pkg/assess` or, with a slash, of `plugins/longhorn`. Cases are below `pkg/cli/testdata/corpus`.\n\n" +
		"| state | what is said | said by | cases |\n|---|---|---|---|\n"
	for _, e := range lyingStates() {
		out += row(e)
	}
	out += "\n| kind of volume | what is said | said by | cases |\n|---|---|---|---|\n"
	for _, e := range specialVolumes() {
		out += row(e)
	}
	return out + "\n"
}

// isSum reports whether the code only adds up what others have said.
func isSum(code string) bool { return code == "volume/degraded" || code == "volume/unproven" }

func unique(in []string) []string {
	slices.Sort(in)
	return slices.Compact(in)
}

// sayers maps every code to the files whose code says it: where its constant is
// used, but to be compared with, or to be put into words.
func sayers(t *testing.T) map[string][]string {
	code, used := map[string]string{}, map[string][]string{}
	for dir, prefix := range map[string]string{"../assess": "", "../../plugins/longhorn": "longhorn/"} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			base := strings.TrimSuffix(filepath.Base(file), ".go")
			ast.Inspect(tree, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.ValueSpec:
					if value, ok := literal(n); ok {
						code[n.Names[0].Name] = value
						return false
					}
				case *ast.BinaryExpr:
					return false
				case *ast.CaseClause:
					for _, s := range n.Body {
						ast.Inspect(s, func(n ast.Node) bool { return note(used, n, prefix+base) })
					}
					return false
				}
				return note(used, n, prefix+base)
			})
		}
	}
	out := map[string][]string{}
	for name, value := range code {
		out[value] = unique(used[name])
	}
	return out
}

// note notes a name that is used; the catalogues only put codes into words.
func note(used map[string][]string, n ast.Node, file string) bool {
	if kv, ok := n.(*ast.KeyValueExpr); ok {
		ast.Inspect(kv.Value, func(n ast.Node) bool { return note(used, n, file) })
		return false
	}
	if id, ok := n.(*ast.Ident); ok && !strings.Contains(file, "codes") {
		used[id.Name] = append(used[id.Name], file)
	}
	return true
}

// literal is the word of a constant that is one.
func literal(v *ast.ValueSpec) (string, bool) {
	if len(v.Names) != 1 || len(v.Values) != 1 {
		return "", false
	}
	lit, ok := v.Values[0].(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	word, err := strconv.Unquote(lit.Value)
	return word, err == nil && strings.Contains(word, "/")
}
