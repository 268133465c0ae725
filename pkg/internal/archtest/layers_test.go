// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// listed is what `go list -json` says of a package.
type listed struct {
	ImportPath string
	Imports    []string
}

// repository returns the root of the module.
func repository(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatalf("the module's root is not where it was: %v", err)
	}
	return root
}

// packages lists this module's packages with their direct imports.
func packages(t *testing.T) []listed {
	t.Helper()
	// -e: a package that does not compile is the compiler's to report.
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports", "./...")
	cmd.Dir = repository(t)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// matches reports whether the folder is the pattern, or below it where the
// pattern ends in "/...".
func matches(pattern, dir string) bool {
	base, below := strings.CutSuffix(pattern, "/...")
	return dir == base || (below && strings.HasPrefix(dir, base+"/"))
}

func roomOf(dir string) (room, bool) {
	for _, r := range layers() {
		if matches(r.dir, dir) {
			return r, true
		}
	}
	return room{}, false
}

func (r room) mayImport(path string) bool {
	if dir, own := strings.CutPrefix(path, Module+"/"); own {
		for _, o := range r.own {
			if matches(o, dir) {
				return true
			}
		}
		return false
	}
	first, _, _ := strings.Cut(path, "/")
	if !strings.Contains(first, ".") { // the standard library
		return !r.pure || !slices.Contains(impureParts(), path)
	}
	for _, o := range r.others {
		if path == o || strings.HasPrefix(path, o) {
			return true
		}
	}
	return false
}

func TestHouse_EveryPackageHasARoom(t *testing.T) {
	for _, p := range packages(t) {
		dir := strings.TrimPrefix(p.ImportPath, Module+"/")
		if _, ok := roomOf(dir); !ok {
			t.Errorf("%s is in no room: add it to the table in layers.go and to .golangci.yml, with its reason", dir)
		}
	}
}

func TestHouse_EveryRoomExists(t *testing.T) {
	var dirs []string
	for _, p := range packages(t) {
		dirs = append(dirs, strings.TrimPrefix(p.ImportPath, Module+"/"))
	}
	for _, r := range layers() {
		found := false
		for _, d := range dirs {
			found = found || matches(r.dir, d)
		}
		if !found {
			t.Errorf("the table names %s, and there is no such package any more", r.dir)
		}
		if r.why == "" {
			t.Errorf("the rule for %s has no reason", r.dir)
		}
	}
}

func TestHouse_ImportsGoOneWay(t *testing.T) {
	for _, p := range packages(t) {
		dir := strings.TrimPrefix(p.ImportPath, Module+"/")
		r, ok := roomOf(dir)
		if !ok {
			continue // reported by its own test
		}
		for _, i := range p.Imports {
			if !r.mayImport(i) {
				t.Errorf("%s must not import %s: %s", dir, i, r.why)
			}
		}
	}
}

func TestHouse_PureRoomsReadNoClockAndStartNothing(t *testing.T) {
	for _, f := range house(t) {
		r, ok := roomOf(filepath.ToSlash(filepath.Dir(f.path)))
		if !ok || !r.pure || f.test() {
			continue
		}
		for _, name := range []string{"Now", "Since", "Until", "Sleep", "After", "Tick", "NewTimer", "NewTicker", "AfterFunc"} {
			for _, n := range f.calls("time", name) {
				t.Errorf("%s: time.%s in a pure room; take the time as an argument", f.at(n), name)
			}
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			if g, ok := n.(*ast.GoStmt); ok {
				t.Errorf("%s: a goroutine in a pure room", f.at(g))
			}
			return true
		})
	}
}
