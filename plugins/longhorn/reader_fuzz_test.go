// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// FuzzReader_VouchesForNothing puts one object of any content among those of a
// healthy volume: it is refused or translated, the facts are the same each
// time, and no replica is claimed to hold data that does not say so itself. One
// that is refused leaves nothing behind but, of a replica, that nothing is
// known of it.
func FuzzReader_VouchesForNothing(f *testing.F) {
	var world struct{ Items []json.RawMessage }
	for _, version := range []string{"1.12", "1.4", "1.8"} {
		text, err := os.ReadFile("testdata/v" + version + ".json")
		if err != nil {
			f.Fatal(err)
		}
		world.Items = nil
		if err := json.Unmarshal(text, &world); err != nil {
			f.Fatal(err)
		}
		for _, item := range world.Items {
			for i, k := range kinds() {
				if k.Name == kindName(item) {
					f.Add(uint8(i), []byte(item))
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, item []byte) {
		r := readerOf(t, world.Items)
		before, _ := r.Storage()
		k := kinds()[int(kind)%len(kinds())]
		if err := r.Put(k, item); err != nil {
			after, _ := r.Storage()
			unread := unreadReplicas(before, after)
			if diff := cmp.Diff(without(before, unread), without(after, unread)); diff != "" {
				t.Fatalf("an object that was refused left something behind:\n%s", diff)
			}
			return
		}
		st, gaps := r.Storage()
		again, gapsAgain := r.Storage()
		if diff := cmp.Diff(st, again) + cmp.Diff(gaps, gapsAgain); diff != "" {
			t.Fatalf("the same objects gave other facts:\n%s", diff)
		}
		for _, v := range st.Volumes {
			for _, x := range v.Replicas {
				holds := x.Claim == cluster.Serving || x.Claim == cluster.Idle
				if holds && (x.HealthyAt.IsZero() || !x.FailedAt.IsZero() || x.Node == "") {
					t.Fatalf("replica %s is claimed to be %v: %+v", x.Name, x.Claim, x)
				}
				if x.Claim == cluster.Serving && v.Engine.Running != yes {
					t.Fatalf("replica %s serves without a running engine", x.Name)
				}
			}
		}
	})
}

// unreadReplicas are the names of those of which nothing is known any more. One
// that now names another volume is in none.
func unreadReplicas(before, after cluster.Storage) map[string]bool {
	out, there := map[string]bool{}, map[string]bool{}
	for _, v := range after.Volumes {
		for _, x := range v.Replicas {
			there[x.Name] = true
			if x.Claim == cluster.ClaimUnknown && x.Node == "" && x.HealthyAt.IsZero() && len(x.Doubts) > 0 {
				out[x.Name] = true
			}
		}
	}
	for _, v := range before.Volumes {
		for _, x := range v.Replicas {
			if !there[x.Name] {
				out[x.Name] = true
			}
		}
	}
	return out
}

// without leaves replicas out, and that an engine serves what is not there.
func without(st cluster.Storage, names map[string]bool) cluster.Storage {
	for i := range st.Volumes {
		v := &st.Volumes[i]
		v.Replicas = slices.DeleteFunc(v.Replicas, func(x cluster.Replica) bool { return names[x.Name] })
		v.Doubts = slices.DeleteFunc(v.Doubts, func(d cluster.Doubt) bool { return d.Code == codeStranger })
		if len(v.Doubts) == 0 {
			v.Doubts = nil
		}
	}
	return st
}

func kindName(item []byte) string {
	var o struct{ Kind string }
	if json.Unmarshal(item, &o) != nil {
		return ""
	}
	return o.Kind
}

func readerOf(t *testing.T, items []json.RawMessage) *Reader {
	t.Helper()
	r := NewReader()
	for _, item := range items {
		for _, k := range kinds() {
			if k.Name == kindName(item) {
				if err := r.Put(k, item); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return r
}
