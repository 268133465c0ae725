// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// mutant is one fault.
type mutant struct {
	// file, and the line of code that it is in.
	file, code string
	// what is the fault in words.
	what string
}

// String names the mutant by its code, so that the name outlives other edits
// of the file.
func (m mutant) String() string { return fmt.Sprintf("%s: %s: %s", m.file, m.code, m.what) }

// schemata writes every source of the package with all mutants in it, and
// returns the mutants and the overlay that puts them in place.
func schemata(dir, work string) ([]mutant, string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, "", err
	}
	var all []mutant
	pkg := ""
	replace := map[string]string{}
	for _, name := range files {
		base := filepath.Base(name)
		if strings.HasSuffix(base, "_test.go") {
			continue
		}
		m := &mutator{name: base, next: len(all) + 1}
		text, err := m.file(name)
		if err != nil {
			return nil, "", err
		}
		pkg = m.tree.Name.Name
		all = append(all, m.mutants...)
		if err := put(replace, name, filepath.Join(work, base), text); err != nil {
			return nil, "", err
		}
	}
	if len(all) == 0 {
		return nil, "", fmt.Errorf("%s holds nothing to mutate", dir)
	}
	switches := fmt.Appendf(nil, switchesText, pkg)
	if err := put(replace, filepath.Join(dir, "mutant_switches.go"), filepath.Join(work, "mutant_switches.go"), switches); err != nil {
		return nil, "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, "", err
	}
	overlay := filepath.Join(work, "overlay.json")
	return all, overlay, os.WriteFile(overlay, text, 0o600)
}

func put(replace map[string]string, name, to string, text []byte) error {
	from, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	replace[from] = to
	return os.WriteFile(to, text, 0o600)
}

// switchesText is what the mutants call. mutantGone is a value that no case
// has, while its mutant is on.
const switchesText = `package %s

import (
	"cmp"
	"os"
	"reflect"
	"strconv"
)

func mutantCmp[T cmp.Ordered](n int, a, b T, is, other func(int) bool) bool {
	if mutantOn == n {
		is = other
	}
	return is(cmp.Compare(a, b))
}

func mutantLess(c int) bool    { return c < 0 }
func mutantAtMost(c int) bool  { return c <= 0 }
func mutantMore(c int) bool    { return c > 0 }
func mutantAtLeast(c int) bool { return c >= 0 }

var mutantOn, _ = strconv.Atoi(os.Getenv("MUTANT"))

func mutantOr[T any](n int, v, other T) T {
	if mutantOn == n {
		return other
	}
	return v
}

func mutantGone[T any](n int, v T) T {
	if mutantOn != n {
		return v
	}
	switch x := reflect.ValueOf(&v).Elem(); x.Kind() {
	case reflect.String:
		x.SetString("mutant")
	case reflect.Uint8:
		x.SetUint(251)
	default:
		x.SetInt(-251)
	}
	return v
}
`
