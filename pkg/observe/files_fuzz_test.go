// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// FuzzFiles_ReadsOrRefuses gives the reader whatever there is: it ends with an
// error or with a snapshot, the same one each time, and what it could not
// understand is a Gap.
func FuzzFiles_ReadsOrRefuses(f *testing.F) {
	for _, text := range []string{
		"", "---\n", "apiVersion: v1\nkind: List\nitems: []\n", "{}", "[]", "\ufeff{\"kind\":\"NodeList\",\"apiVersion\":\"v1\",\"items\":null}",
		"apiVersion: v1\nkind: NodeList\nitems:\n- metadata: {name: a}\n\n# end\n- metadata: {name: b}\nmetadata: {continue: x}\n",
		"apiVersion: v1\nitems:\n" + listed(2, fmt.Sprintf(yamlBox, "x", "x")) + "kind: List\nmetadata:\n  continue: x\n",
		`{"kind":"NodeList","apiVersion":"v1","items":[{"metadata":{"name":"a"}}]}{}`,
		"{\"items\":[{\"metadata\":{\"name\":\"a\"}}],\"kind\":\"NodeList\",\"apiVersion\":\"v1\"}\n---\na: &a [*a]\n",
		two(yamlNode, "a", "b"), two(yamlBox, "a", "b"),
		listed(0, "metadata: {name: a}", "metadata: {name: a, resourceVersion: \"2\"}"),
	} {
		f.Add([]byte(text))
	}
	files, err := filepath.Glob("../cli/testdata/whole/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no example: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := stdin(text)
		again, errAgain := stdin(text)
		if (err == nil) != (errAgain == nil) || !cmp.Equal(s, again) {
			t.Fatalf("read twice, it differs: %v, %v\n%s", err, errAgain, cmp.Diff(s, again))
		}
		if (s == nil) == (err == nil) {
			t.Fatalf("snapshot %v and error %v", s, err)
		}
		if err != nil {
			return
		}
		if s.Source != cluster.SourceFiles {
			t.Fatal("what was read from a file claims to be of the present")
		}
		missing := map[string]bool{}
		for _, g := range s.Gaps {
			missing[g.Kind] = true
			if g.Kind == "nodes" && g.Reason == cluster.GapNotGiven && len(s.Nodes) > 0 {
				t.Fatal("nodes were read, but count as not given")
			}
		}
		if len(s.Nodes) == 0 && !missing["nodes"] && !bytes.Contains(text, []byte("NodeList")) {
			t.Fatal("no node was read, nothing says that there is a list of them, and that is no gap")
		}
	})
}

func stdin(text []byte) (*cluster.Snapshot, error) {
	return Files(Input{Paths: []string{"-"}, Stdin: bytes.NewReader(text), Storages: []plugin.Storage{boxes{}}})
}
