// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin/narrow"
)

// meta is the metadata that is kept of every object.
type meta struct {
	Name      string      `json:"name" keep:"own"`
	Namespace string      `json:"namespace"`
	UID       cluster.UID `json:"uid" keep:"own"`
	Created   stamp       `json:"creationTimestamp"`
	Deleted   *stamp      `json:"deletionTimestamp"`
}

// key identifies an object: its UID, or its name where a file has none.
func (m meta) key() cluster.UID {
	if m.UID == "" {
		return cluster.UID("name:" + m.Name)
	}
	return m.UID
}

// Called is its name.
func (m meta) Called() string { return m.Name }

// decode decodes an item of the named kind.
func decode[Spec, Status any](kind string, item []byte) (*narrow.Object[meta, Spec, Status], error) {
	return narrow.Decode[meta, Spec, Status](kind, item)
}

// stamp is a time as Kubernetes and Longhorn write it; empty and null are the
// zero time.
type stamp time.Time

// UnmarshalJSON accepts RFC 3339, "" and null.
func (s *stamp) UnmarshalJSON(b []byte) error {
	var text *string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	*s = stamp{}
	if text == nil || *text == "" {
		return nil
	}
	t, err := time.Parse(time.RFC3339, *text)
	if err != nil {
		return fmt.Errorf("%q is no time", *text)
	}
	*s = stamp(t.UTC())
	return nil
}

func (s stamp) time() time.Time { return time.Time(s) }

// size is a number of bytes. Longhorn writes some as strings and some as
// numbers, and the same field differently in different versions.
type size int64

// UnmarshalJSON accepts a number, a number in a string, "" and null.
func (s *size) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	*s = 0
	if text == "" || text == "null" {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("%s is no number of bytes", b)
	}
	*s = size(n)
	return nil
}

// given notes whether a text was given, and keeps nothing of it.
type given bool

// UnmarshalJSON accepts a string and null.
func (g *given) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	*g = text != ""
	return nil
}

// filled notes whether a map or list held anything, and keeps nothing of it.
type filled bool

// UnmarshalJSON sees only whether there is an element.
func (f *filled) UnmarshalJSON(b []byte) error {
	text := strings.TrimSpace(string(b[:min(len(b), 16)]))
	*f = filled(text != "null" && text != "{}" && text != "[]")
	return nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
