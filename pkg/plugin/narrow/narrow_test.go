// SPDX-License-Identifier: Apache-2.0

package narrow_test

import (
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin/narrow"
)

type meta struct {
	Name string `json:"name"`
}

func (m meta) Called() string { return m.Name }

type spec struct {
	X int `json:"x"`
}

func TestDecode_RefusesWhatItCannotBeSureOf(t *testing.T) {
	for item, ok := range map[string]bool{
		`{"kind":"Node","metadata":{"name":"a"},"spec":{"x":1},"more":[]}`: true,
		`{"metadata":{"name":"a"}}`:                                        true,
		`{"kind":"Pod","metadata":{"name":"a"}}`:                           false,
		`{"kind":"Node","metadata":{}}`:                                    false,
		`{"kind":"Node"}`:                                                  false,
		`{"metadata":{"name":"a"},"spec":{"x":"one"}}`:                     false,
		`{"metadata":{"name":"a","name":"b"}}`:                             false,
		`{"metadata":{"name":"a"}`:                                         false,
		"{\"metadata\":{\"name\":\"\xff\"}}":                               false,
		`[]`:                                                               false,
		`null`:                                                             false,
		`{"metadata":{"name":"a"}} {"metadata":"more"}`:                    false,
	} {
		o, err := narrow.Decode[meta, spec, struct{}]("Node", []byte(item))
		if (err == nil) != ok {
			t.Errorf("%s: %v, %v", item, o, err)
		}
	}
}

func TestConditions_AnyOtherWordIsUnknown(t *testing.T) {
	cs := narrow.Conditions{
		{Type: "Ready", Status: "True", Changed: "2026-01-02T03:04:05Z"},
		{Type: "Mounted", Status: "False", Reason: "Gone", Changed: "yesterday"},
		{Type: "Odd", Status: "true", Changed: "2026-01-01T00:00:00Z"},
	}
	for name, want := range map[string]cluster.Answer{"Ready": cluster.Yes, "Mounted": cluster.No, "Odd": cluster.Unknown, "None": cluster.Unknown} {
		if got, _ := cs.Of(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if _, reason := cs.Of("Mounted"); reason != "Gone" {
		t.Errorf("reason %q", reason)
	}
	if want := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC); !cs.Newest().Equal(want) {
		t.Errorf("newest %v, want %v", cs.Newest(), want)
	}
}
