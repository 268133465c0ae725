// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// given reads one file of that content.
func given(t *testing.T, content string) (*cluster.Snapshot, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dump.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return Files(Input{Paths: []string{path}, Storages: []plugin.Storage{boxes{}}})
}

// counts says how many nodes and volumes were read, and the gap of each kind.
func counts(s *cluster.Snapshot) (nodes, volumes int, gaps map[string]cluster.GapReason) {
	gaps = map[string]cluster.GapReason{}
	for _, g := range s.Gaps {
		gaps[g.Kind] = g.Reason
	}
	return len(s.Nodes), len(s.Storages[0].Volumes), gaps
}

const (
	yamlNode = "apiVersion: v1\nkind: Node\nmetadata:\n  name: %s\n  uid: u-%s\n"
	yamlBox  = "apiVersion: box.example/v1\nkind: Box\nmetadata:\n  name: %s\n  uid: u-%s\ncopies: 2\n"
)

func two(template, a, b string) string {
	return fmt.Sprintf(template, a, a) + "---\n" + fmt.Sprintf(template, b, b)
}

// items indents objects as the items of a list.
func listed(depth int, objects ...string) string {
	var b strings.Builder
	for _, o := range objects {
		pad := strings.Repeat(" ", depth)
		for i, line := range strings.Split(strings.TrimSuffix(o, "\n"), "\n") {
			if i == 0 {
				fmt.Fprintf(&b, "%s- %s\n", pad, line)
			} else {
				fmt.Fprintf(&b, "%s  %s\n", pad, line)
			}
		}
	}
	return b.String()
}

func TestFiles_EverySpellingOfKubectlIsRead(t *testing.T) {
	n1, n2 := fmt.Sprintf(yamlNode, "a", "a"), fmt.Sprintf(yamlNode, "b", "b")
	json1 := `{"apiVersion":"v1","kind":"Node","metadata":{"name":"a","uid":"u-a"}}`
	json2 := `{"apiVersion":"v1","kind":"Node","metadata":{"name":"b","uid":"u-b"}}`
	bare1, bare2 := `{"metadata":{"name":"a","uid":"u-a"}}`, `{"metadata":{"name":"b","uid":"u-b"}}`
	for name, content := range map[string]string{
		"documents":                        n1 + "---\n" + n2,
		"documents, separators and blanks": "\n---\n# a comment\n---\n" + n1 + "\n\n--- \n" + n2 + "---\n\n",
		"documents that end":               n1 + "...\n" + n2,
		"a byte order mark":                "\xEF\xBB\xBF" + n1 + "---\n" + n2,
		"lines that end as on Windows":     strings.ReplaceAll(n1+"---\n"+n2, "\n", "\r\n"),
		"a List, items first":              "apiVersion: v1\nitems:\n" + listed(0, n1, n2) + "kind: List\nmetadata:\n  resourceVersion: \"\"\n",
		"a List, items last":               "apiVersion: v1\nkind: List\nitems:\n" + listed(0, n1, n2),
		"a List, deeper":                   "apiVersion: v1\nkind: List\nitems:\n# two of them\n" + listed(2, n1, "# in between\n"+n2),
		"a List in flow style":             "apiVersion: v1\nkind: List\nitems: [" + json1 + ", " + json2 + "]\n",
		"a NodeList, kind last":            "apiVersion: v1\nitems:\n- metadata: {name: a, uid: u-a}\n- metadata:\n    name: b\n    uid: u-b\nkind: NodeList\n",
		"JSON objects":                     json1 + "\n" + json2,
		"JSON and YAML":                    json1 + "\n---\n" + n2 + "---\n",
		"YAML and JSON":                    n1 + "---\n" + json2,
		"a JSON List":                      `{"apiVersion":"v1","items":[` + json1 + "," + json2 + `],"kind":"List","metadata":{"resourceVersion":""}}`,
		"a JSON NodeList, as the API":      `{"kind":"NodeList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[` + bare1 + "," + bare2 + `]}`,
		"a JSON NodeList, items first":     `{"items":[` + bare1 + "," + bare2 + `],"kind":"NodeList","apiVersion":"v1"}`,
		"JSON, indented":                   "  \n\t{\n  \"apiVersion\": \"v1\",\n \"kind\": \"List\", \"items\": [\n" + json1 + " ,\n" + json2 + "\n]\n}\n",
		"one after the other":              `{"kind":"NodeList","apiVersion":"v1","items":[` + bare1 + "]}" + json2,
		"the same twice":                   n1 + "---\n" + n2 + "---\n" + n1,
	} {
		s, err := given(t, content)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		nodes, _, gaps := counts(s)
		if _, gap := gaps["nodes"]; nodes != 2 || gap {
			t.Errorf("%s: %d nodes, gaps %v; want two nodes and no gap", name, nodes, gaps)
		}
		if s.Source != cluster.SourceFiles || s.Look.Fresh {
			t.Errorf("%s: source %d, look %+v", name, s.Source, s.Look)
		}
	}
}

func TestFiles_WhichKindsCountAsRead(t *testing.T) {
	none := cluster.GapReason(255)
	for name, c := range map[string]struct {
		content string
		nodes   cluster.GapReason
		boxes   cluster.GapReason
	}{
		"an empty file":             {"", cluster.GapNotGiven, cluster.GapNotGiven},
		"comments":                  {"# nothing\n---\n# here\n", cluster.GapNotGiven, cluster.GapNotGiven},
		"other kinds":               {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {items: a}\n", cluster.GapNotGiven, cluster.GapNotGiven},
		"another group's Node":      {"apiVersion: other.example/v1\nkind: Node\nmetadata: {name: x}\n", cluster.GapNotGiven, cluster.GapNotGiven},
		"objects one by one":        {two(yamlNode, "a", "b"), none, cluster.GapNotGiven},
		"an empty typed list":       {"apiVersion: v1\nkind: NodeList\nitems: []\n", none, cluster.GapNotGiven},
		"an empty typed list, null": {"apiVersion: v1\nkind: NodeList\nitems:\n", none, cluster.GapNotGiven},
		"an empty list in JSON":     {`{"kind":"BoxList","apiVersion":"box.example/v1","items":[]}`, cluster.GapNotGiven, none},
		"null items in JSON":        {`{"kind":"BoxList","apiVersion":"box.example/v1","items":null}`, cluster.GapNotGiven, none},
		"an empty plain List":       {"apiVersion: v1\nkind: List\nitems: []\n", cluster.GapNotGiven, cluster.GapNotGiven},
		"a plain List of one kind":  {"apiVersion: v1\nkind: List\nitems:\n" + listed(0, fmt.Sprintf(yamlBox, "x", "x")), cluster.GapNotGiven, none},
		"a plain List of both":      {"apiVersion: v1\nkind: List\nitems:\n" + listed(0, fmt.Sprintf(yamlBox, "x", "x"), fmt.Sprintf(yamlNode, "node", "node")), none, none},
		"a list cut off":            {`{"kind":"NodeList","apiVersion":"v1","metadata":{"continue":"abc"},"items":[]}`, cluster.GapTruncated, cluster.GapNotGiven},
		"a list with some left":     {"apiVersion: v1\nitems:\n" + listed(0, fmt.Sprintf(yamlNode, "node", "node")) + "kind: List\nmetadata:\n  remainingItemCount: 3\n", cluster.GapTruncated, cluster.GapNotGiven},
		"a list with none left":     {"apiVersion: v1\nkind: NodeList\nmetadata:\n  remainingItemCount: 0\nitems: []\n", none, cluster.GapNotGiven},
		"both pages of a list": {`{"kind":"NodeList","apiVersion":"v1","metadata":{"continue":"abc"},"items":[]}` +
			`{"kind":"NodeList","apiVersion":"v1","metadata":{},"items":[]}`, cluster.GapTruncated, cluster.GapNotGiven},
		"an object of another version": {"apiVersion: box.example/v0\nkind: Box\nmetadata: {name: x, uid: x}\n", cluster.GapNotGiven, cluster.GapFailed},
		"a list of another version":    {"apiVersion: box.example/v0\nkind: BoxList\nitems: []\n", cluster.GapNotGiven, cluster.GapFailed},
		"two moments of one object": {two(yamlNode, "a", "b") + "---\napiVersion: v1\nkind: Node\nmetadata: {name: a, uid: u-a}\nspec: {unschedulable: true}\n",
			cluster.GapMixed, cluster.GapNotGiven},
	} {
		s, err := given(t, c.content)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, _, gaps := counts(s)
		for kind, want := range map[string]cluster.GapReason{"nodes": c.nodes, "boxes.box.example": c.boxes} {
			got, gap := gaps[kind]
			if gap != (want != none) || gap && got != want {
				t.Errorf("%s: gap of %s: %d (there: %t), want %d", name, kind, got, gap, want)
			}
		}
	}
}

func TestFiles_GapsSayWhatTheyAreNeededFor(t *testing.T) {
	s, err := given(t, "")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][2]bool{ // needed, for draining
		"nodes": {true, false}, "persistentvolumes": {true, false}, "boxes.box.example": {true, false},
		"pods": {false, true}, "poddisruptionbudgets.policy": {false, true},
		"volumeattachments.storage.k8s.io": {}, "leases.coordination.k8s.io": {}, "daemonsets.apps": {}, "lids.box.example": {},
	}
	got := map[string][2]bool{}
	for _, g := range s.Gaps {
		got[g.Kind] = [2]bool{g.Needed, g.ForDrain}
		if g.Detail == "" {
			t.Errorf("the gap of %s has no words", g.Kind)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
}

func TestFiles_WhatIsNoObjectIsAnErrorThatNamesFileAndDocument(t *testing.T) {
	noise := make([]byte, 4096)
	for i, r := 0, rand.New(rand.NewPCG(1, 2)); i < len(noise); i++ {
		noise[i] = byte(r.Uint32())
	}
	good := fmt.Sprintf(yamlNode, "a", "a")
	for name, c := range map[string]struct{ content, says string }{
		"random bytes":               {string(noise), "document 1"},
		"random bytes after a brace": {"{" + string(noise), "document 1"},
		"text":                       {"hello world\n", "no object of Kubernetes"},
		"a list of YAML":             {"- a\n- b\n", "no object of Kubernetes"},
		"a number":                   {"17\n", "no object of Kubernetes"},
		"a JSON list":                {"[{}]", "no object of Kubernetes"},
		"no kind":                    {"metadata: {name: x}\n", "no kind"},
		"no kind in JSON":            {`{"metadata":{"name":"x"}}`, "no kind"},
		"an empty JSON object":       {`{}`, "no kind"},
		"broken YAML":                {"apiVersion: v1\n kind: Node\n", "document 1"},
		"the second is broken":       {good + "---\nkind: [\n", "document 2"},
		"JSON cut off":               {`{"kind":"NodeList","apiVersion":"v1","items":[{"metadata":{"na`, "cut off"},
		"a YAML list cut off":        {"apiVersion: v1\nitems:\n" + listed(0, good), "no kind"},
		"JSON and rubbish":           {`{"kind":"Node","apiVersion":"v1","metadata":{"name":"x"}} rubbish`, "document 2"},
		"a field twice":              {"apiVersion: v1\nkind: Node\nkind: Node\nmetadata: {name: x}\n", "kind"},
		"a field twice in JSON":      {`{"kind":"Node","kind":"Node","apiVersion":"v1"}`, "twice"},
		"items twice in JSON":        {`{"kind":"NodeList","items":[],"items":[],"apiVersion":"v1"}`, "twice"},
		"items that are no list":     {`{"kind":"NodeList","items":{},"apiVersion":"v1"}`, "no list"},
		"an item without a kind":     {`{"kind":"List","apiVersion":"v1","items":[{"metadata":{"name":"x"}}]}`, "item 1"},
		"an item that is a number":   {`{"kind":"NodeList","apiVersion":"v1","items":[1]}`, "item 1"},
		"a null item":                {"apiVersion: v1\nkind: NodeList\nitems:\n- null\n", "item 1"},
		"a node without a name":      {"apiVersion: v1\nkind: Node\nmetadata: {}\n", "has no name"},
		"a pod among nodes":          {`{"kind":"NodeList","apiVersion":"v1","items":[{"kind":"Node","apiVersion":"v1","metadata":{"name":"x"},"spec":{"taints":1}}]}`, "item 1"},
		"a box that cannot be read":  {"apiVersion: box.example/v1\nkind: Box\nmetadata: {name: x}\ncopies: many\n", "copies"},
		"kind is a number":           {`{"kind":5,"apiVersion":"v1"}`, "document 1"},
		"metadata is a number":       {`{"kind":"NodeList","apiVersion":"v1","metadata":5,"items":[]}`, "metadata"},
		"a list that is none":        {`{"kind":"Node","apiVersion":"v1","items":[]}`, "no name"},
	} {
		s, err := given(t, c.content)
		if err == nil {
			t.Errorf("%s: no error, %d nodes, gaps %+v", name, len(s.Nodes), s.Gaps)
			continue
		}
		if !strings.Contains(err.Error(), "dump.yaml, document ") || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %q names not file, document and %q", name, err, c.says)
		}
	}
}

func TestFiles_PathsAreFilesDirectoriesAndStdin(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.yaml", fmt.Sprintf(yamlNode, "a", "a"))
	write("b.JSON", `{"kind":"Node","apiVersion":"v1","metadata":{"name":"b","uid":"b"}}`)
	write("notes.txt", "not an object")
	write("below/c.yml", fmt.Sprintf(yamlNode, "c", "c"))
	write("empty/notes.txt", "")
	write("d.txt", fmt.Sprintf(yamlNode, "d", "d"))
	at := func(p string) string { return filepath.Join(dir, p) }
	for name, c := range map[string]struct {
		in   Input
		want string // names of nodes, or words of the error
	}{
		"a directory":          {Input{Paths: []string{dir}}, "a b"},
		"a directory, all":     {Input{Paths: []string{dir}, Recursive: true}, "a b c"},
		"files":                {Input{Paths: []string{at("a.yaml"), at("below/c.yml")}}, "a c"},
		"a file by its name":   {Input{Paths: []string{at("d.txt")}}, "d"},
		"stdin":                {Input{Paths: []string{"-"}, Stdin: strings.NewReader(fmt.Sprintf(yamlNode, "s", "s"))}, "s"},
		"stdin and a file":     {Input{Paths: []string{"-", at("a.yaml")}, Stdin: strings.NewReader("")}, "a"},
		"no stdin":             {Input{Paths: []string{"-"}}, "error: no standard input"},
		"broken stdin":         {Input{Paths: []string{"-"}, Stdin: strings.NewReader("hello")}, "error: standard input, document 1"},
		"stdin that fails":     {Input{Paths: []string{"-"}, Stdin: failing{}}, "error: standard input: cannot be read"},
		"nothing":              {Input{}, "error: no file was named"},
		"an absent file":       {Input{Paths: []string{at("absent.yaml")}}, "error: absent.yaml"},
		"an empty directory":   {Input{Paths: []string{at("empty")}}, "error: holds no file"},
		"a directory of notes": {Input{Paths: []string{at("empty"), at("a.yaml")}}, "error: holds no file"},
	} {
		s, err := Files(c.in)
		if words, wantErr := strings.CutPrefix(c.want, "error: "); wantErr {
			if err == nil || !strings.Contains(err.Error(), words) {
				t.Errorf("%s: error %v, want %q", name, err, words)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var names []string
		for _, n := range s.Nodes {
			names = append(names, n.Ref.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%s: nodes %q, want %q", name, got, c.want)
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

// A list of YAML must not be held in memory as a whole: its items are
// converted one by one. A line of an item's text may look like anything.
func TestFiles_AListOfYAMLIsReadItemByItem(t *testing.T) {
	tricky := "apiVersion: v1\nkind: Node\nmetadata:\n  name: tricky\n  uid: t\n  annotations:\n    text: |\n      items:\n      - a\n      ---\n      kind: Pod\n    more: \"a\n      - b\"\n    list:\n    - x\n"
	tricky = strings.Replace(tricky, "    list:\n    - x\n", "", 1) + "spec:\n  taints:\n  - key: a\n    effect: NoExecute\n  - {key: b, effect: NoSchedule}\n"
	s, err := given(t, "apiVersion: v1\nitems:\n"+listed(0, tricky, fmt.Sprintf(yamlNode, "z", "z"))+"kind: List\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Nodes) != 2 || len(s.Nodes[0].Taints) != 2 {
		t.Errorf("nodes %+v, want tricky with two taints, and z", s.Nodes)
	}
}

func TestFiles_AListOfOneKindHoldsNoOther(t *testing.T) {
	for text, odd := range map[string]string{
		`{"kind": "NodeList", "apiVersion": "v1", "items": [{"kind": "Nodx", "apiVersion": "v1", "metadata": {"name": "a"}}]}`: "Nodx",
		`{"apiVersion": "v1", "items": [{"kind": "Nodx", "apiVersion": "v1", "metadata": {"name": "a"}}], "kind": "NodeList"}`: "Nodx",
		`{"kind": "NodeList", "apiVersion": "v1", "items": [{"kind": "Node", "apiVersion": "v2", "metadata": {"name": "a"}}]}`: "v2",
		`{"apiVersion": "v1", "items": [{"kind": "Node", "apiVersion": "v2", "metadata": {"name": "a"}}], "kind": "NodeList"}`: "v2",
	} {
		if _, err := given(t, text); err == nil || !strings.Contains(err.Error(), odd) {
			t.Errorf("an item that calls itself something else was passed over: %v\n%s", err, text)
		}
	}
}
