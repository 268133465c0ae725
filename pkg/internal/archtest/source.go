// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// file is one parsed source file.
type file struct {
	// path is relative to the root, with slashes.
	path string
	text string
	set  *token.FileSet
	tree *ast.File
}

// test reports whether it is compiled into tests only.
func (f file) test() bool { return strings.HasSuffix(f.path, "_test.go") }

// under reports whether it lies in one of the folders.
func (f file) under(dirs ...string) bool {
	for _, d := range dirs {
		if strings.HasPrefix(f.path, d+"/") {
			return true
		}
	}
	return false
}

// at says where a node begins, for a message that an editor can follow.
func (f file) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", f.path, f.set.Position(n.Pos()).Line)
}

// lines counts the lines from the first to the last of a node.
func (f file) lines(n ast.Node) int {
	return f.set.Position(n.End()).Line - f.set.Position(n.Pos()).Line + 1
}

// sources parses every Go file of the repository, the modules below the root
// included: the house rules hold in the bench too.
func sources(root string) ([]file, error) {
	var out []file
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && skipped(d.Name()) {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		f, err := parse(root, path)
		if err != nil {
			return err
		}
		out = append(out, f)
		return nil
	})
	return out, err
}

func skipped(name string) bool {
	return name == "testdata" || name == "bin" || name == "dist" ||
		(strings.HasPrefix(name, ".") && name != ".ci")
}

func parse(root, path string) (file, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return file{}, err
	}
	rel, err := filepath.Rel(root, path)
	if err != nil {
		return file{}, err
	}
	f := file{path: filepath.ToSlash(rel), text: string(text), set: token.NewFileSet()}
	f.tree, err = parser.ParseFile(f.set, path, text, parser.ParseComments)
	if err != nil {
		return file{}, fmt.Errorf("%s: %w", rel, err)
	}
	return f, nil
}

// calls reports every use of pkg.name in the file, where pkg is the import's
// own name.
func (f file) calls(pkg, name string) []ast.Node {
	var found []ast.Node
	ast.Inspect(f.tree, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok || s.Sel.Name != name {
			return true
		}
		if id, ok := s.X.(*ast.Ident); ok && id.Name == pkg && id.Obj == nil {
			found = append(found, n)
		}
		return true
	})
	return found
}
