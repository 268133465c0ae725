// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the linter's rules from the table")

func TestHouse_TheLinterReadsTheSameTable(t *testing.T) {
	path := filepath.Join(repository(t), ".golangci.yml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), rulesBegin)
	rules, after, closed := strings.Cut(rest, rulesEnd)
	if !found || !closed {
		t.Fatal(".golangci.yml has lost the two lines between which the rules are")
	}
	want := depguardRules()
	if rules == want {
		return
	}
	if !*update {
		t.Fatal("the rules in .golangci.yml differ from the table in layers.go; run: make update")
	}
	if err := os.WriteFile(path, []byte(before+rulesBegin+want+rulesEnd+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
