// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cli"
	"github.com/safe-roll/kubectl-safe-roll/plugins"
)

// objects are the lists of a fixture, by kind, as they are written.
type objects map[string][]any

// at is one object, by kind and name.
func (o objects) at(kind, name string) object {
	for _, x := range o[kind] {
		if x.(map[string]any)["metadata"].(map[string]any)["name"] == name {
			return x.(map[string]any)
		}
	}
	panic("the fixture has no " + kind + " " + name)
}

type object map[string]any

// set puts a value at a dotted path; missing levels are made.
func (o object) set(path string, value any) object {
	m := map[string]any(o)
	keys := strings.Split(path, ".")
	for _, k := range keys[:len(keys)-1] {
		next, ok := m[k].(map[string]any)
		if !ok {
			next = map[string]any{}
			m[k] = next
		}
		m = next
	}
	m[keys[len(keys)-1]] = value
	return o
}

// drop takes one object away; like adds a copy of one under another name.
func (o objects) drop(kind, name string) {
	var kept []any
	for _, x := range o[kind] {
		if x.(map[string]any)["metadata"].(map[string]any)["name"] != name {
			kept = append(kept, x)
		}
	}
	o[kind] = kept
}

func (o objects) like(kind, name, as string) object {
	raw, err := json.Marshal(o.at(kind, name))
	if err != nil {
		panic(err)
	}
	var out object
	if err := json.Unmarshal(raw, &out); err != nil {
		panic(err)
	}
	out.set("metadata.name", as).set("metadata.uid", "uid-of-"+as)
	o[kind] = append(o[kind], map[string]any(out))
	return out
}

// changed writes the fixture with a change to a folder of its own.
func changed(t *testing.T, change func(objects)) string {
	t.Helper()
	all, files := objects{}, map[string][]string{}
	heads := map[string]map[string]any{}
	for _, file := range []string{"core.yaml", "storage.yaml"} {
		text, err := os.ReadFile(filepath.Join("testdata/whole", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range bytes.Split(text, []byte("\n---\n")) {
			var list map[string]any
			if err := yaml.Unmarshal(doc, &list); err != nil {
				t.Fatal(err)
			}
			kind := strings.TrimSuffix(list["kind"].(string), "List")
			if list["apiVersion"] == "longhorn.io/v1beta2" {
				kind = "lh" + kind
			}
			all[kind], _ = list["items"].([]any)
			heads[kind], files[file] = list, append(files[file], kind)
		}
	}
	change(all)
	dir := t.TempDir()
	for file, kinds := range files {
		var docs []string
		for _, kind := range kinds {
			heads[kind]["items"] = all[kind]
			if all[kind] == nil {
				heads[kind]["items"] = []any{}
			}
			raw, err := yaml.Marshal(heads[kind])
			if err != nil {
				t.Fatal(err)
			}
			docs = append(docs, strings.TrimSpace(string(raw)))
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(strings.Join(docs, "\n---\n")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// ran runs one command line and returns what it printed and its exit code.
func ran(args ...string) (string, int) {
	var out bytes.Buffer
	code := cli.Run(context.Background(), cli.App{
		Streams: genericiooptions.IOStreams{In: &bytes.Buffer{}, Out: &out, ErrOut: &out},
		Program: "kubectl-safe_roll", Version: "v0.0.0-test", Storages: plugins.All(),
	}, args)
	return out.String(), code
}

// TestHopeless_RefusedBeforeAnyChangeAndItsTwinIsNot has one cause after the
// other for which a roll could never end. The cluster has three workers;
// vol-alice lies on worker-1 and worker-3 and sleeps, so worker-2 is the only
// place for what leaves worker-1.
func TestHopeless_RefusedBeforeAnyChangeAndItsTwinIsNot(t *testing.T) {
	for name, c := range hopeless() {
		t.Run(name, func(t *testing.T) {
			node := c.node
			if node == "" {
				node = "worker-1"
			}
			bad := changed(t, c.never)
			said, code := ran("plan", node, "-f", bad)
			if code != 3 && code != 4 || !strings.Contains(said, c.says) {
				t.Errorf("plan: exit %d, want a refusal that says %q\n%s", code, c.says, said)
			}
			if strings.Contains(said, "way out: none") || !strings.Contains(said, "way out: ") && !strings.Contains(said, "\nWhat to do\n  ") {
				t.Errorf("plan names no way out:\n%s", said)
			}
			s := &server{t: t}
			if err := s.load(bad); err != nil {
				t.Fatal(err)
			}
			h := httptest.NewServer(s)
			defer h.Close()
			said, code = ran("run", node, "--yes", "--delete-node", "-s", h.URL)
			if code != 3 && code != 4 || !strings.Contains(said, c.says) {
				t.Errorf("run: exit %d, want a refusal that says %q\n%s", code, c.says, said)
			}
			if said, code := ran("plan", node, "-f", changed(t, c.just)); code != 0 {
				t.Errorf("its twin is refused, exit %d\n%s", code, said)
			}
		})
	}
}
