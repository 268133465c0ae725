// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// capturesDir is where "make terminal" keeps what it captured.
const capturesDir = "docs/terminal/"

// capture are the lines of a capture.
func capture(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, path))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// captures are the names of all of them.
func captures(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(repository, capturesDir, "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range files {
		out = append(out, capturesDir+filepath.Base(f))
	}
	if len(out) < 6 {
		t.Fatalf("only %d captures were found", len(out))
	}
	return out
}

// TestCaptures_FitTheirTerminals: nothing of the line that moves is left, no
// line is wider than the terminal, and none counts one of many things.
func TestCaptures_FitTheirTerminals(t *testing.T) {
	wide := regexp.MustCompile(`-(\d+)\.txt$`)
	one := regexp.MustCompile(`\b1 (volume|replica|pod|node|turn|change|finding|start)s\b`)
	for _, file := range captures(t) {
		width := 1 << 10
		if m := wide.FindStringSubmatch(file); m != nil {
			width, _ = strconv.Atoi(m[1])
		}
		moves := strings.Contains(file, "/moving-")
		for i, line := range capture(t, file) {
			switch {
			case utf8.RuneCountInString(line) > width:
				t.Errorf("%s:%d is wider than the terminal: %s", file, i+1, line)
			case strings.ContainsFunc(line, unicode.IsControl):
				t.Errorf("%s:%d holds control characters: %q", file, i+1, line)
			case one.MatchString(line):
				t.Errorf("%s:%d counts one of many: %s", file, i+1, line)
			case !moves && regexp.MustCompile(`^[-\\|/] `).MatchString(line):
				t.Errorf("%s:%d is left of the line that moves: %s", file, i+1, line)
			}
		}
	}
}

// TestCaptures_AreNeverSilentForLong holds the lines that stay against their
// times where no line moves: none is more than a minute after the one before.
func TestCaptures_AreNeverSilentForLong(t *testing.T) {
	stamp := regexp.MustCompile(`^\d\d:\d\d:\d\d  `)
	for _, file := range []string{capturesDir + "run-piped.txt", capturesDir + "status-80.txt"} {
		var before time.Time
		n := 0
		for i, line := range capture(t, file) {
			if !stamp.MatchString(line) {
				continue
			}
			at, err := time.Parse(time.TimeOnly, line[:8])
			if err != nil {
				t.Errorf("%s:%d: %v", file, i+1, err)
			}
			if at.Before(before) { // past midnight
				at = at.Add(24 * time.Hour)
			}
			if n++; n > 1 && at.Sub(before) > time.Minute {
				t.Errorf("%s:%d: nothing was said for %s", file, i+1, at.Sub(before))
			}
			before = at
		}
		if n < 30 {
			t.Errorf("%s: only %d lines have a time", file, n)
		}
	}
}
