// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"go/ast"
	"go/token"
	"path"
	"strings"
	"testing"
)

const (
	maxFileLines = 300
	// maxTestLines is more: a table is one thing, and long.
	maxTestLines  = 400
	maxFuncLines  = 70
	maxParameters = 4
)

func TestHouse_FilesAreShort(t *testing.T) {
	for _, f := range house(t) {
		limit := maxFileLines
		if f.test() {
			limit = maxTestLines
		}
		if n := strings.Count(f.text, "\n"); n > limit {
			t.Errorf("%s: %d lines; more than %d is more than one thing", f.path, n, limit)
		}
	}
}

// functions calls check for every function declared outside tests.
func functions(t *testing.T, check func(file, *ast.FuncDecl)) {
	t.Helper()
	for _, f := range house(t) {
		if f.test() {
			continue
		}
		for _, d := range f.tree.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				check(f, fn)
			}
		}
	}
}

func TestHouse_FunctionsFitAScreen(t *testing.T) {
	functions(t, func(f file, fn *ast.FuncDecl) {
		if n := f.lines(fn); n > maxFuncLines {
			t.Errorf("%s: %s has %d lines, more than %d", f.at(fn), fn.Name.Name, n, maxFuncLines)
		}
	})
}

func TestHouse_FunctionsTakeFewParameters(t *testing.T) {
	functions(t, func(f file, fn *ast.FuncDecl) {
		n := fn.Type.Params.NumFields()
		if n > 0 && isContext(fn.Type.Params.List[0].Type) {
			n-- // nobody mixes it up with another
		}
		if n > maxParameters && foreign()[path.Dir(f.path)+"."+fn.Name.Name] == "" {
			t.Errorf("%s: %s takes %d parameters, more than %d; a struct would name them", f.at(fn), fn.Name.Name, n, maxParameters)
		}
	})
}

// foreign are methods that somebody else's interface asks for.
func foreign() map[string]string {
	return map[string]string{
		"e2e/hollow.ExecInContainer": "k8s.io/cri-streaming has its executors take ten parameters",
	}
}

func isContext(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && s.Sel.Name == "Context"
}

// boolAllowed are exported functions that take a boolean, each with its reason.
func boolAllowed() map[string]string {
	return map[string]string{
		"pkg/cluster.AnswerOf": "it exists to turn a boolean that was read into an Answer",
	}
}

func TestHouse_ExportedFunctionsTakeNoBooleans(t *testing.T) {
	used := map[string]bool{}
	functions(t, func(f file, fn *ast.FuncDecl) {
		if !fn.Name.IsExported() || f.tree.Name.Name == "main" {
			return
		}
		for _, p := range fn.Type.Params.List {
			id, ok := p.Type.(*ast.Ident)
			if !ok || id.Name != "bool" {
				continue
			}
			name := path.Dir(f.path) + "." + fn.Name.Name
			used[name] = true
			if boolAllowed()[name] == "" && foreign()[name] == "" {
				t.Errorf("%s: %s takes a boolean; at the call nobody can read what true means", f.at(fn), fn.Name.Name)
			}
		}
	})
	for name := range boolAllowed() {
		if !used[name] {
			t.Errorf("the exception for %s is not used any more", name)
		}
	}
}

// varAllowed are package-level variables, each with its reason.
func varAllowed() map[string]string {
	return map[string]string{
		"cmd/kubectl-safe_roll.version": "the linker writes it (-X main.version)",
	}
}

func TestHouse_PackagesHaveNoState(t *testing.T) {
	for _, f := range house(t) {
		if f.test() {
			continue
		}
		for _, d := range f.tree.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, s := range g.Specs {
				v, ok := s.(*ast.ValueSpec)
				if ok && !stateless(f, g, v) {
					t.Errorf("%s: a package-level variable %s; only sentinel errors and embedded files may be", f.at(v), v.Names[0].Name)
				}
			}
		}
	}
}

// stateless reports whether a variable is a sentinel error, an embedded file,
// a compile-time assertion, or an exception.
func stateless(f file, g *ast.GenDecl, v *ast.ValueSpec) bool {
	for _, doc := range []*ast.CommentGroup{g.Doc, v.Doc} {
		if doc == nil {
			continue
		}
		for _, c := range doc.List {
			if strings.HasPrefix(c.Text, "//go:embed ") {
				return true
			}
		}
	}
	for i, name := range v.Names {
		if name.Name == "_" || varAllowed()[path.Dir(f.path)+"."+name.Name] != "" {
			continue
		}
		if !strings.HasPrefix(strings.ToLower(name.Name), "err") || i >= len(v.Values) || !makesError(v.Values[i]) {
			return false
		}
	}
	return true
}

func makesError(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	s, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	id, ok := s.X.(*ast.Ident)
	return ok && (id.Name == "errors" && s.Sel.Name == "New" || id.Name == "fmt" && s.Sel.Name == "Errorf")
}
