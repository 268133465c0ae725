// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// inRoot runs the test where the licence lies.
func inRoot(t *testing.T) {
	t.Helper()
	t.Chdir("../..")
}

func TestPack_TheSameProgramGivesTheSameBytes(t *testing.T) {
	inRoot(t)
	program := filepath.Join(t.TempDir(), "program")
	var sums []string
	for _, when := range []time.Time{time.Now(), time.Now().Add(-time.Hour)} {
		if err := os.WriteFile(program, []byte("a program"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(program, when, when); err != nil {
			t.Fatal(err)
		}
		a, err := pack(platform{"linux", "amd64"}, filepath.Join(t.TempDir(), "a.tar.gz"), program)
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, a.sum)
	}
	if sums[0] != sums[1] {
		t.Errorf("%v: the times of files are in the archive", sums)
	}
}

func TestManifest_NamesEveryPlatformWithItsChecksum(t *testing.T) {
	path := filepath.Join(t.TempDir(), "manifest.yaml")
	var made []archive
	for _, p := range platforms() {
		made = append(made, archive{platform: p, path: "dist/" + p.os + p.arch + ".tar.gz", sum: strings.Repeat("ab", 32)})
	}
	if err := writeManifest(path, "v1.2.3", made); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range platforms() {
		for _, want := range []string{"os: " + p.os, "arch: " + p.arch, "bin: " + p.program()} {
			if !bytes.Contains(text, []byte(want)) {
				t.Errorf("%v: no %q", p, want)
			}
		}
	}
	if bytes.Contains(text, []byte("${")) {
		t.Error("a placeholder is left: krew takes none")
	}
}

func TestNotes_AreTheVersionsSection(t *testing.T) {
	const log = "# Changelog\n\n## [Unreleased]\n\n- later\n\n## [0.2.0] - 2026-12-01\n\n### Added\n\n- this\n\n## [0.1.0] - 2026-11-01\n\n- before\n"
	for version, want := range map[string]string{"v0.2.0": "### Added\n\n- this", "v0.1.0": "- before", "v0.3.0": "", "v0.2.0-rc.1": ""} {
		got, err := notesOf(log, version)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%s: %q, %v", version, got, err)
		}
	}
}

func TestOtherGo_WarnsWhereTheBytesWillDiffer(t *testing.T) {
	mod := filepath.Join(t.TempDir(), "go.mod")
	for text, warns := range map[string]bool{
		"go 1.26.0\n": false, "go 1.26.0\n\ntoolchain " + runtime.Version() + "\n": false, "go 1.26.0\n\ntoolchain go1.2.3\n": true,
	} {
		if err := os.WriteFile(mod, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := otherGo(mod); (got != "") != warns {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// TestWorkflows_NameEveryActionByItsCommit: a tag can be moved under our feet.
func TestWorkflows_NameEveryActionByItsCommit(t *testing.T) {
	inRoot(t)
	files, err := filepath.Glob(".github/workflows/*.yml")
	if err != nil || len(files) < 2 {
		t.Fatalf("%v, %v", files, err)
	}
	pinned := regexp.MustCompile(`^[a-z0-9-]+/[a-z0-9-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(string(text), "\n") {
			_, action, ok := strings.Cut(line, "uses: ")
			if ok && !pinned.MatchString(action) {
				t.Errorf("%s: %s", f, line)
			}
		}
		if !bytes.Contains(text, []byte("\npermissions:\n  contents: read\n")) {
			t.Errorf("%s begins with more rights than to read", f)
		}
	}
}

func TestSBOM_ListsTheModulesOfTheProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sbom.json")
	self, err := os.Executable() // a program that was built from Go modules, too
	if err != nil {
		t.Fatal(err)
	}
	if err := writeSBOM(self, "v1.2.3", path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var b bom
	if err := json.Unmarshal(text, &b); err != nil {
		t.Fatal(err)
	}
	if b.Format != "CycloneDX" || b.Metadata.Component.Version != "v1.2.3" || len(b.Components) == 0 || b.Components[0].Name != "stdlib" {
		t.Errorf("%+v", b)
	}
	if err := writeSBOM(os.DevNull, "v1", path); err == nil {
		t.Error("what is no program has a list of modules")
	}
}
