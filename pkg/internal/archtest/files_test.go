// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"go/ast"
	"path"
	"regexp"
	"strings"
	"testing"
)

const spdx = "// SPDX-License-Identifier: Apache-2.0"

// house returns every source file of the repository.
func house(t *testing.T) []file {
	t.Helper()
	all, err := sources(repository(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("only %d source files found: the rules would hold of nothing", len(all))
	}
	return all
}

func TestHouse_EveryFileNamesItsLicence(t *testing.T) {
	for _, f := range house(t) {
		if !strings.HasPrefix(f.text, spdx+"\n") {
			t.Errorf("%s: the first line must be %q", f.path, spdx)
		}
	}
}

func TestHouse_EveryPackageSaysWhatItIs(t *testing.T) {
	docs, seen, files := map[string]string{}, map[string]string{}, map[string]int{}
	elsewhere := map[string]string{}
	for _, f := range house(t) {
		dir := path.Dir(f.path)
		if f.test() || strings.HasPrefix(dir, ".ci") || strings.HasPrefix(dir, "e2e/controlplane") {
			continue
		}
		seen[dir] = f.tree.Name.Name
		files[dir]++
		if f.tree.Doc == nil {
			continue
		}
		if path.Base(f.path) != "doc.go" && f.tree.Name.Name != "main" {
			elsewhere[dir] = f.path
		}
		docs[dir] = f.tree.Doc.Text()
	}
	for dir, file := range elsewhere {
		if files[dir] > 1 { // the only file of a package is where one looks anyway
			t.Errorf("%s: the package comment belongs into doc.go", file)
		}
	}
	for dir, name := range seen {
		doc, ok := docs[dir]
		if !ok {
			t.Errorf("%s has no package comment", dir)
			continue
		}
		for part, has := range docParts(name) {
			if !has.MatchString(doc) {
				t.Errorf("%s: the package comment does not say %s (looked for %s)", dir, part, has)
			}
		}
	}
}

// docParts are the four things that a package comment says. A program is
// wiring: that it says what it is will do.
func docParts(name string) map[string]*regexp.Regexp {
	if name == "main" {
		return map[string]*regexp.Regexp{"what it is": regexp.MustCompile(`^(Command|Package main|Kubectl-safe_roll|[A-Z][a-z]+ )`)}
	}
	return map[string]*regexp.Regexp{
		"what it is":            regexp.MustCompile(`^Package ` + name + ` `),
		"what it may touch":     regexp.MustCompile(`\b[Mm]ay\b|is pure|imports? only`),
		"what it must never do": regexp.MustCompile(`(?i)\bnever\b`),
		"where to start":        regexp.MustCompile(`Start\s+reading`),
	}
}

// storageWords belong to one storage system. Where the engine needs one of
// them, an idea is missing from the contract.
func storageWords() *regexp.Regexp {
	return regexp.MustCompile(`(?i)longhorn|\btickets?\b|\bfrontends?\b|evictionRequested`)
}

func TestHouse_WordsOfOneStorageSystemStayInItsPlugin(t *testing.T) {
	words := storageWords()
	for _, f := range house(t) {
		if f.test() || f.under("plugins/longhorn", "e2e", "pkg/sim", "pkg/internal/archtest") || f.path == "plugins/plugins.go" {
			continue
		}
		for i, line := range strings.Split(f.text, "\n") {
			if w := words.FindString(line); w != "" {
				t.Errorf("%s:%d: %q is a word of one storage system", f.path, i+1, w)
			}
		}
	}
}

func TestHouse_OnlyMainEndsTheProgram(t *testing.T) {
	for _, f := range house(t) {
		if f.test() || f.under("cmd") || (f.tree.Name.Name == "main" && f.under("e2e", ".ci")) {
			continue
		}
		for _, call := range [][2]string{
			{"os", "Exit"}, {"log", "Fatal"}, {"log", "Fatalf"}, {"klog", "Fatal"}, {"klog", "Fatalf"}, {"klog", "Exit"},
		} {
			for _, n := range f.calls(call[0], call[1]) {
				t.Errorf("%s: %s.%s below main: nothing above it could clean up; return an error", f.at(n), call[0], call[1])
			}
		}
	}
}

func TestHouse_ContextsArePassed(t *testing.T) {
	for _, f := range house(t) {
		if f.test() || f.under("cmd") || f.tree.Name.Name == "main" {
			continue
		}
		for _, name := range []string{"Background", "TODO"} {
			for _, n := range f.calls("context", name) {
				t.Errorf("%s: context.%s below main: an interrupt would not reach it", f.at(n), name)
			}
		}
	}
}

func TestHouse_NothingHappensBeforeMain(t *testing.T) {
	for _, f := range house(t) {
		for _, d := range f.tree.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: init() hides what happens from whoever reads main", f.at(fn))
			}
		}
	}
}
