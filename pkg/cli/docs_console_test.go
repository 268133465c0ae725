// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestDocs_WhatIsShownWasPrinted holds every block of a page that shows a
// terminal against where the comment before it says that it comes from:
//
//	<!-- from: pkg/cli/testdata/script/plan.txtar reboot.txt -->
//	    a script that the tests run, and the file of it that the output is
//	    compared with there: the commands are in the script, and the lines are
//	    the file's, but for those that "…" leaves out
//	<!-- from: docs/terminal/run-80.txt -->
//	    a terminal that was captured, lines as above (docs_terminal_test.go)
//	<!-- from: e2e/world TestIncident_PlainKubectlLosesEveryDetachedVolume -->
//	    a run on a cluster: it has other times and UIDs every time, so that only
//	    the test is looked for, not the lines
//
// What a test writes into a page by itself it also compares there.
func TestDocs_WhatIsShownWasPrinted(t *testing.T) {
	golden, runs, captured := 0, 0, 0
	for _, p := range pages(t) {
		for _, b := range p.blocks() {
			if b.lang != "console" {
				continue
			}
			file, section, _ := strings.Cut(b.from, " ")
			switch {
			case strings.HasSuffix(file, ".txtar"):
				golden++
				for _, wrong := range notIn(t, b, file, section) {
					t.Errorf("%s:%d: %s", p.path, b.line, wrong)
				}
			case strings.HasPrefix(file, capturesDir):
				captured++
				for _, wrong := range missing(b.lines, capture(t, file), file) {
					t.Errorf("%s:%d: %s", p.path, b.line, wrong)
				}
			case strings.HasPrefix(file, "e2e/"), strings.HasPrefix(file, "pkg/"):
				runs++
				if !hasTest(t, file, section) {
					t.Errorf("%s:%d: there is no %s in %s", p.path, b.line, section, file)
				}
			default:
				t.Errorf("%s:%d: what is shown says not where it comes from: %q", p.path, b.line, b.from)
			}
		}
	}
	if golden < 3 || runs < 2 || captured < 4 {
		t.Errorf("%d blocks of scripts, %d of runs and %d of terminals were found", golden, runs, captured)
	}
}

// notIn says which lines of the block are not in the section of the script.
func notIn(t *testing.T, b block, file, section string) []string {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join(repository, file))
	if err != nil {
		return []string{err.Error()}
	}
	var want []string
	for _, f := range a.Files {
		if f.Name == section {
			want = strings.Split(string(f.Data), "\n")
		}
	}
	var out, printed []string
	for _, line := range b.lines {
		command, isCommand := strings.CutPrefix(line, "$ kubectl safe-roll")
		if !isCommand {
			printed = append(printed, line)
			continue
		}
		command, _, _ = strings.Cut(command, " #")
		if !strings.Contains(string(a.Comment)+"\n", " kubectl-safe_roll"+command+"\n") {
			out = append(out, "the script does not run: kubectl safe-roll"+command)
		}
	}
	return append(out, missing(printed, want, section)...)
}

// missing says which of the lines the text does not have in their order and
// place. It may begin anywhere, and "…" leaves lines out.
func missing(lines, text []string, name string) []string {
	gap := true
	for _, line := range lines {
		if strings.TrimSpace(line) == "…" {
			gap = true
			continue
		}
		for gap && len(text) > 0 && text[0] != line {
			text = text[1:]
		}
		if len(text) == 0 || text[0] != line {
			return []string{name + " does not print in its place: " + line}
		}
		text, gap = text[1:], false
	}
	return nil
}

// hasTest reports whether a program or a test of that name is there.
func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	if name == "" {
		_, err := os.Stat(filepath.Join(repository, dir))
		return err == nil
	}
	files, err := filepath.Glob(filepath.Join(repository, dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if regexp.MustCompile(`(?m)^func ` + name + `\w*\(t \*testing\.T\)`).Match(text) {
			return true
		}
	}
	return false
}
