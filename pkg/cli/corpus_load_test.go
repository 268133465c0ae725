// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"sigs.k8s.io/yaml"
)

const corpusDir = "testdata/corpus"

// corpusCase is one file of the corpus: a dump of a cluster and the right
// answers about it. The comment says what it is and why; its sections are
//
//	base          files of corpus/base, one laid upon the other
//	objects.yaml  what this case adds or changes: each document is merged into
//	              the object of its kind and name, as a merge patch; conditions
//	              by their type
//	removed       "apiVersion Kind name", one a line: objects that are not there,
//	              or "apiVersion KindList": no list of that kind was given
//	raw           documents that are given as they stand, after all others
//	verify        further arguments of verify
//	want.yaml     the right answers
type corpusCase struct {
	name, says string
	args       []string
	objects    *dump
	raw        []byte
	want       corpusWant
}

// corpusWant is what the definition says of a case, whatever the tool prints.
type corpusWant struct {
	// Verdict of the whole answer, and the command's exit code.
	Verdict string `json:"verdict"`
	Exit    int    `json:"exit"`
	// Good is, by volume, how many of the wanted replicas are good: "2/3".
	Good map[string]string `json:"good"`
	// Findings are codes that must be said.
	Findings []string `json:"findings"`
	// Drain and Delete are the answers about the nodes that are asked about.
	Drain  map[string]string `json:"drain"`
	Delete map[string]string `json:"delete"`
	// Says must occur in what people read.
	Says []string `json:"says"`
	// Error must occur on the error stream, of a case that is an error.
	Error string `json:"error"`
}

// kindKey is a kind as the corpus and the checks name it.
type kindKey struct{ apiVersion, kind string }

// dump is what kubectl wrote down of a cluster: one list of each kind.
type dump struct {
	order []kindKey
	lists map[kindKey][]map[string]any
	// heads are the metadata of the lists.
	heads map[kindKey]map[string]any
}

func newDump() *dump {
	return &dump{lists: map[kindKey][]map[string]any{}, heads: map[kindKey]map[string]any{}}
}

// corpusFiles lists the cases' files.
func corpusFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(corpusDir, "*", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no case in %s: %v", corpusDir, err)
	}
	return files
}

func loadCase(t testing.TB, file string) *corpusCase {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := &corpusCase{objects: newDump(), says: string(a.Comment)}
	c.name = strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(file), corpusDir+"/"), ".txtar")
	for _, f := range a.Files {
		if err := c.section(f); err != nil {
			t.Fatalf("%s, %s: %v", file, f.Name, err)
		}
	}
	return c
}

func (c *corpusCase) section(f txtar.File) error {
	switch f.Name {
	case "base":
		for _, name := range strings.Fields(string(f.Data)) {
			text, err := os.ReadFile(filepath.Join(corpusDir, "base", name+".yaml"))
			if err != nil {
				return err
			}
			if err := c.objects.merge(text); err != nil {
				return fmt.Errorf("base %s: %w", name, err)
			}
		}
		return nil
	case "objects.yaml":
		return c.objects.merge(f.Data)
	case "removed":
		return c.objects.remove(strings.Split(strings.TrimSpace(string(f.Data)), "\n"))
	case "raw":
		c.raw = f.Data
		return nil
	case "verify":
		c.args = strings.Fields(string(f.Data))
		return nil
	case "want.yaml":
		return yaml.UnmarshalStrict(f.Data, &c.want)
	default:
		return fmt.Errorf("there is no such section")
	}
}

// merge lays the documents upon what is there.
func (d *dump) merge(text []byte) error {
	for _, doc := range bytes.Split(text, []byte("\n---\n")) {
		var o map[string]any
		if err := yaml.Unmarshal(doc, &o); err != nil {
			return err
		}
		kind, _ := o["kind"].(string)
		k := kindKey{word(o, "apiVersion"), strings.TrimSuffix(kind, "List")}
		if k.kind == "" || k.apiVersion == "" {
			return fmt.Errorf("a document has no kind or apiVersion:\n%s", doc)
		}
		if k.kind == kind {
			d.put(k, o)
			continue
		}
		d.list(k)
		if head, ok := o["metadata"].(map[string]any); ok {
			d.heads[k] = head
		}
		items, _ := o["items"].([]any)
		for _, i := range items {
			if item, ok := i.(map[string]any); ok {
				item["apiVersion"], item["kind"] = k.apiVersion, k.kind
				d.put(k, item)
			}
		}
	}
	return nil
}

// list makes sure that there is a list of the kind.
func (d *dump) list(k kindKey) {
	if _, ok := d.lists[k]; !ok {
		d.lists[k] = []map[string]any{}
		d.order = append(d.order, k)
	}
}

func (d *dump) put(k kindKey, o map[string]any) {
	d.list(k)
	if old := d.get(k, word(o, "metadata", "name")); old != nil {
		mergeInto(old, o)
		return
	}
	d.lists[k] = append(d.lists[k], o)
}

func (d *dump) get(k kindKey, name string) map[string]any {
	for _, o := range d.lists[k] {
		if word(o, "metadata", "name") == name {
			return o
		}
	}
	return nil
}

func (d *dump) remove(lines []string) error {
	for _, line := range lines {
		parts := strings.Fields(line)
		if len(parts) < 2 {
			return fmt.Errorf("%q: want apiVersion, Kind and name", line)
		}
		k := kindKey{parts[0], strings.TrimSuffix(parts[1], "List")}
		if _, ok := d.lists[k]; !ok {
			return fmt.Errorf("%q: there is no such list", line)
		}
		if len(parts) == 2 {
			delete(d.lists, k)
			d.order = slices.DeleteFunc(d.order, func(o kindKey) bool { return o == k })
			continue
		}
		n := len(d.lists[k])
		d.lists[k] = slices.DeleteFunc(d.lists[k], func(o map[string]any) bool { return word(o, "metadata", "name") == parts[2] })
		if len(d.lists[k]) == n {
			return fmt.Errorf("%q: there is no such object", line)
		}
	}
	return nil
}

// text is the dump as kubectl get --raw writes it: one typed list a kind.
func (d *dump) text() []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	for _, k := range d.order {
		list := map[string]any{"apiVersion": k.apiVersion, "kind": k.kind + "List", "items": d.lists[k]}
		if head := d.heads[k]; head != nil {
			list["metadata"] = head
		}
		if err := enc.Encode(list); err != nil {
			panic(err) // maps that came from YAML
		}
	}
	return out.Bytes()
}

// mergeInto is a merge patch: objects field by field, null removes, lists are
// replaced, but for lists of conditions, which are merged by type.
func mergeInto(to, from map[string]any) {
	for name, v := range from {
		switch v := v.(type) {
		case nil:
			delete(to, name)
		case map[string]any:
			if old, ok := to[name].(map[string]any); ok {
				mergeInto(old, v)
				continue
			}
			to[name] = v
		case []any:
			old, _ := to[name].([]any)
			to[name] = mergeList(old, v)
		default:
			to[name] = v
		}
	}
}

func mergeList(old, list []any) []any {
	for _, item := range list {
		c, ok := item.(map[string]any)
		if !ok || c["type"] == nil {
			return list
		}
	}
	for _, item := range list {
		c := item.(map[string]any)
		i := slices.IndexFunc(old, func(o any) bool { return word(o, "type") == c["type"] })
		if i < 0 {
			old = append(old, c)
			continue
		}
		mergeInto(old[i].(map[string]any), c)
	}
	if old == nil {
		return list
	}
	return old
}

// word returns the string at the path; empty where there is none.
func word(o any, path ...string) string {
	s, _ := at(o, path...).(string)
	return s
}
