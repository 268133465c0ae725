// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

func TestReadCRDs_TheVersionIsThatOfTheModule(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Version}}", longhornModule).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(out)); got != longhornVersion {
		t.Errorf("go.mod has %s %s, the stand-in installs the definitions of %s", longhornModule, got, longhornVersion)
	}
	crds, err := definitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, c := range crds {
		found[c.Spec.Names.Plural] = true
		if c.Spec.Group != "longhorn.io" || c.Spec.Conversion.Webhook != nil || strings.Contains(encoded(c), "{{") {
			t.Errorf("%s: group %s, conversion %v", c.Name, c.Spec.Group, c.Spec.Conversion)
		}
	}
	for _, k := range model.Kinds() {
		if !found[string(k)] {
			t.Errorf("%s is missing", k)
		}
	}
}

func TestDifference_MakesAfterOfBefore(t *testing.T) {
	for _, c := range []struct{ before, after, want string }{
		{`{"a":1}`, `{"a":1}`, `{}`},
		{`{"a":1,"b":{"c":2,"d":3}}`, `{"a":1,"b":{"c":2,"d":4}}`, `{"b":{"d":4}}`},
		{`{"a":1,"b":{"c":2}}`, `{"b":{}}`, `{"a":null,"b":{"c":null}}`},
		{`{"l":[1,2]}`, `{"l":[1],"n":{"x":1}}`, `{"l":[1],"n":{"x":1}}`},
		{`{"a":{"x":1}}`, `{"a":"s"}`, `{"a":"s"}`},
	} {
		if got := difference(decoded(c.before), decoded(c.after)); !reflect.DeepEqual(got, decoded(c.want)) {
			t.Errorf("from %s to %s: %s, want %s", c.before, c.after, encoded(got), c.want)
		}
	}
}

func TestDisks_BytesAndIdentityAreInTheFolder(t *testing.T) {
	dirs := []string{t.TempDir(), t.TempDir()}
	d := &disks{size: 1000, seen: map[string]model.Disk{}, sizes: map[string]int64{}, machines: map[string]hollow.Node{
		"a": {Name: "a", DiskDir: dirs[0]}, "b": {Name: "b", DiskDir: dirs[1]},
	}}
	if got, ok := d.Mounted("a", "/"); !ok || got.UUID != "" {
		t.Errorf("a new disk says %+v, %t", got, ok)
	}
	if err := d.Label("a", "/", "u-1"); err != nil {
		t.Fatal(err)
	}
	from, to := model.Place{Node: "a", Name: "v-1"}, model.Place{Node: "b", Name: "v-2"}
	if err := d.Create(from, model.Directory{Size: 10, Revision: 1}); err != nil {
		t.Fatal(err)
	}
	if err := d.write([]model.Place{from}, []byte("data")); err != nil {
		t.Fatal(err)
	}
	if err := d.Copy(from, to); err == nil {
		t.Error("copied into a directory that does not exist")
	}
	if err := d.Create(to, model.Directory{Size: 10, Rebuilding: true}); err != nil {
		t.Fatal(err)
	}
	if s, ok := d.Stat(to); !ok || !s.Rebuilding || s.Used != 0 {
		t.Errorf("before the copy: %+v, %t", s, ok)
	}
	if err := d.Copy(from, to); err != nil {
		t.Fatal(err)
	}
	if s, _ := d.Stat(to); s.Rebuilding || s.Used != 4 || s.Revision != 2 {
		t.Errorf("after the copy: %+v", s)
	}
	if raw, err := d.read(to); err != nil || string(raw) != "data" {
		t.Errorf("read %q, %v", raw, err)
	}
	// The disk moves, its identity and its bytes with it.
	d.machines = map[string]hollow.Node{"c": {Name: "c", DiskDir: dirs[0]}}
	if got, _ := d.Mounted("c", "/"); got.UUID != "u-1" {
		t.Errorf("the moved disk says %+v", got)
	}
	if _, ok := d.Stat(from); ok {
		t.Error("a machine that is gone answered")
	}
	if _, ok := d.Stat(model.Place{Node: "c", Name: "v-1"}); !ok {
		t.Error("the bytes did not move with the disk")
	}
}
