// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// printNotes prints what is new in the version. A release of which the change log
// knows nothing is none.
func printNotes(version string) error {
	text, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		return err
	}
	section, err := notesOf(string(text), version)
	if err != nil {
		return err
	}
	_, err = fmt.Println(section)
	return err
}

func notesOf(changelog, version string) (string, error) {
	var out []string
	in := false
	for line := range strings.SplitSeq(changelog, "\n") {
		if heading, ok := strings.CutPrefix(line, "## ["); ok {
			name, _, _ := strings.Cut(heading, "]")
			in = name == strings.TrimPrefix(version, "v")
			continue
		}
		if in {
			out = append(out, line)
		}
	}
	section := strings.TrimSpace(strings.Join(out, "\n"))
	if section == "" {
		return "", fmt.Errorf("CHANGELOG.md has no section for %s: give [Unreleased] its number and date", version)
	}
	return section, nil
}

// otherGo warns where the archives will not have the bytes that others get.
func otherGo(mod string) string {
	text, err := os.ReadFile(mod)
	if err != nil {
		return err.Error()
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if want, ok := strings.CutPrefix(line, "toolchain "); ok && want != runtime.Version() {
			return fmt.Sprintf("this is %s and %s pins %s, so the archives are not byte for byte those of a release; GOTOOLCHAIN=%s makes them so",
				runtime.Version(), mod, want, want)
		}
	}
	return ""
}
