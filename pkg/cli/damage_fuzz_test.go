// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// FuzzDamage_NeverMakesAClusterSafe damages cases of the corpus that are not
// safe: facts are lost, and words are garbled. Whatever is lost, verify must
// neither panic nor call the cluster safe.
func FuzzDamage_NeverMakesAClusterSafe(f *testing.F) {
	var texts [][]byte
	var names []string
	for _, file := range corpusFiles(f) {
		c := loadCase(f, file)
		if c.want.Verdict == "Safe" || len(c.args) > 0 || len(c.raw) > 0 || knownWrong()[c.name] != "" {
			continue
		}
		text, err := json.Marshal(c.objects.plain())
		if err != nil {
			f.Fatal(err)
		}
		texts, names = append(texts, text), append(names, c.name)
	}
	for i := range 64 {
		f.Add(uint16(i*2), uint32(i*i*7919), uint32(i*104729), i%3 == 0)
	}
	f.Fuzz(func(t *testing.T, which uint16, first, second uint32, garble bool) {
		i := int(which) % len(texts)
		c := &corpusCase{name: names[i], objects: unplain(t, texts[i])}
		done := c.objects.damage(first, garble)
		done += "; " + c.objects.damage(second, !garble)
		if code, out, _ := c.run("json"); code == 0 {
			t.Fatalf("%s is called safe after damage: %s\n%s", c.name, done, out)
		}
	})
}

// plainList is a dump's list in a shape that JSON keeps.
type plainList struct {
	APIVersion, Kind string
	Head             map[string]any
	Items            []map[string]any
}

func (d *dump) plain() []plainList {
	var out []plainList
	for _, k := range d.order {
		out = append(out, plainList{k.apiVersion, k.kind, d.heads[k], d.lists[k]})
	}
	return out
}

// unplain makes a dump of its own from the text.
func unplain(t *testing.T, text []byte) *dump {
	var lists []plainList
	if err := json.Unmarshal(text, &lists); err != nil {
		t.Fatal(err)
	}
	d := newDump()
	for _, l := range lists {
		k := kindKey{l.APIVersion, l.Kind}
		d.list(k)
		d.lists[k] = l.Items
		if l.Head != nil {
			d.heads[k] = l.Head
		}
	}
	return d
}

// place is one fact of a dump: a field of an object, or the object itself.
type place struct {
	kind   kindKey
	object int
	// in holds the field; nil where the place is the object.
	in    map[string]any
	field string
	path  string
}

// damage garbles or drops one fact and says which. A fact that is good news by
// its absence is not dropped.
func (d *dump) damage(at uint32, garble bool) string {
	places := d.places()
	p := places[int(at)%len(places)]
	switch {
	case p.in == nil && garble:
		return "nothing"
	case p.in == nil:
		if !mayVanish(d, p) {
			return "nothing"
		}
		d.lists[p.kind] = slices.Delete(d.lists[p.kind], p.object, p.object+1)
		return "dropped " + p.path
	case p.field == "driver", p.field == "csi":
		return "nothing" // another driver's volume, and that of none, is another's business
	case garble && strings.Contains(p.path, ".currentReplicaAddressMap."):
		return "nothing" // two that were one are two
	case garble && p.kind.kind == "Setting":
		return "nothing" // settings help, and need not be read
	case garble:
		p.in[p.field] = garbled(p.in[p.field])
		return fmt.Sprintf("garbled %s to %v", p.path, p.in[p.field])
	case badNews(p.field), d.stranger(p):
		return "nothing"
	}
	delete(p.in, p.field)
	return "dropped " + p.path
}

// places lists the facts in a fixed order.
func (d *dump) places() []place {
	var out []place
	for _, k := range d.order {
		for i, o := range d.lists[k] {
			path := k.kind + " " + word(o, "metadata", "name")
			out = append(out, place{kind: k, object: i, path: path})
			out = fields(out, place{kind: k, object: i, in: o, path: path})
		}
	}
	return out
}

func fields(out []place, p place) []place {
	for _, name := range slices.Sorted(maps.Keys(p.in)) {
		here := place{kind: p.kind, object: p.object, in: p.in, field: name, path: p.path + "." + name}
		out = append(out, here)
		switch v := p.in[name].(type) {
		case map[string]any:
			here.in = v
			out = fields(out, here)
		case []any:
			for i, item := range v {
				if m, ok := item.(map[string]any); ok {
					out = fields(out, place{kind: p.kind, object: p.object, in: m, path: fmt.Sprintf("%s[%d]", here.path, i)})
				}
			}
		}
	}
	return out
}

// garbled is a value that means nothing, of the same shape where that can be.
func garbled(v any) any {
	switch v := v.(type) {
	case string:
		return v + "~damaged"
	case float64:
		return v + 0.5
	case bool:
		return "maybe"
	default:
		return "damaged"
	}
}

// badNews reports whether the fact, where it says something bad, is the only
// one that does, so that an object without it is a good one: versions of
// Longhorn differ in which of them they write. Losing it cannot be noticed.
func badNews(field string) bool {
	return strings.HasPrefix(field, "tcp://") || slices.Contains([]string{
		"metadata", "spec", "status", "value", "namespace", "conditions", "type", "state", // what holds it, or names it
		"deletionTimestamp", "failedAt", "lastFailedAt", "rebuildRetryCount", "evictionRequested",
		"robustness", "backingImage", "dataEngine", "backendStoreDriver", "cloneMode", "cloneStatus",
		"migrationNodeID", "currentMigrationNodeID", "switchoverState", "restoreRequired",
		"expansionRequired", "isExpanding", "volumeSize", "currentSize", "purgeStatus", "restoreStatus", "isPurging",
		"isRestoring", "error", "rebuildStatus", "isRebuilding", "image", "currentImage", "replicaModeMap",
		"Standby", "isStandby",
	}, field)
}

// stranger reports whether the fact is that an engine serves what is no
// replica: an engine that does not say so serves none.
func (d *dump) stranger(p place) bool {
	return strings.HasSuffix(p.path, ".replicaModeMap."+p.field) && d.get(kindKey{lhAPI, "Replica"}, p.field) == nil
}

// mayVanish reports whether the loss of the object itself must be noticed: it
// is one that another one refers to.
func mayVanish(d *dump, p place) bool {
	switch p.kind {
	case kindKey{"v1", "Node"}, kindKey{lhAPI, "Node"}, kindKey{lhAPI, "Volume"},
		kindKey{"coordination.k8s.io/v1", "Lease"}:
		return true
	case kindKey{lhAPI, "Replica"}:
		return d.get(kindKey{lhAPI, "Volume"}, word(d.lists[p.kind][p.object], "spec", "volumeName")) != nil
	default:
		return false
	}
}
