// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestJournalFile_IsAppendedToAndMayBeMovedAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	w := copyOf(path)
	for _, line := range []string{"one\n", "two\n"} {
		if _, err := fmt.Fprint(w, line); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprint(w, "three\n"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{path + ".old": "one\ntwo\n", path: "three\n"} {
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", filepath.Base(name), got, err)
		}
	}
	if copyOf("") != nil {
		t.Error("no path, and a writer all the same")
	}
	if _, err := fmt.Fprint(copyOf(t.TempDir()), "x"); err == nil {
		t.Error("a directory was written to")
	}
}
