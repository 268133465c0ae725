// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// listing takes one document of a file: an object, or a list whose items come
// one by one, possibly before the list has said what it is a list of.
type listing struct {
	c *collector
	// apiVersion and kind of the document, as soon as they are known.
	apiVersion, kind string
	metadata         struct {
		Continue  string `json:"continue"`
		Remaining *int64 `json:"remainingItemCount"`
	}
	// list: there were items, or an empty list of them.
	list bool
	// waiting are items that do not say what they are.
	waiting [][]byte
	// kinds are the sources of the items so far; said is what items called
	// themselves before the list had said what it is a list of.
	kinds map[int]bool
	said  map[header]bool
	count int
}

func newListing(c *collector) *listing {
	return &listing{c: c, kinds: map[int]bool{}, said: map[header]bool{}}
}

// item takes the next item of the list; raw is valid only during the call.
func (l *listing) item(raw []byte) error {
	l.list = true
	l.count++
	if l.itemKind() == "" {
		var h header
		if err := json.Unmarshal(raw, &h); err != nil {
			return fmt.Errorf("item %d: %w", l.count, err)
		}
		if h.Kind == "" {
			l.waiting = append(l.waiting, append([]byte(nil), raw...))
			return nil
		}
		l.said[header{APIVersion: h.APIVersion, Kind: h.Kind}] = true
	}
	return l.put(raw, l.count)
}

// itemKind is the kind of the items of a typed list; empty where unknown.
func (l *listing) itemKind() string {
	kind, isList := strings.CutSuffix(l.kind, "List")
	if !isList {
		return ""
	}
	return kind
}

func (l *listing) put(raw []byte, number int) error {
	i, err := l.c.put(raw, l.apiVersion, l.itemKind())
	if err != nil {
		return fmt.Errorf("item %d: %w", number, err)
	}
	if i >= 0 {
		l.kinds[i] = true
	}
	return nil
}

// end takes the rest of the document: all of it for an object, all but the
// items for a list.
func (l *listing) end(rest map[string]json.RawMessage) error {
	if err := l.head(rest); err != nil {
		return err
	}
	if l.kind == "" || l.apiVersion == "" {
		return errors.New("it is no object of Kubernetes: it has no kind or no apiVersion")
	}
	if _, ok := rest["items"]; !l.list && !(ok && strings.HasSuffix(l.kind, "List")) {
		return l.object(rest)
	}
	if l.itemKind() == "" && l.kind != "List" {
		return fmt.Errorf("it has items but is a %s, which is no list", l.kind)
	}
	for h := range l.said {
		if l.itemKind() != "" && (h.Kind != l.itemKind() || h.APIVersion != l.apiVersion) {
			return fmt.Errorf("it is a list of %s of %s and holds a %s of %s", l.itemKind(), l.apiVersion, h.Kind, h.APIVersion)
		}
	}
	for n, raw := range l.waiting {
		if err := l.put(raw, n+1); err != nil {
			return err
		}
	}
	if l.kind != "List" {
		if i := l.c.find(l.apiVersion, l.itemKind()); i >= 0 {
			l.kinds[i] = true
		}
	}
	cut := l.metadata.Continue != "" || l.metadata.Remaining != nil && *l.metadata.Remaining > 0
	for i := range l.kinds {
		l.c.given[i] = true
		l.c.cut[i] = l.c.cut[i] || cut
	}
	return nil
}

// head reads what the document says of itself.
func (l *listing) head(rest map[string]json.RawMessage) error {
	for field, to := range map[string]any{"apiVersion": &l.apiVersion, "kind": &l.kind} {
		if raw, ok := rest[field]; ok {
			if err := json.Unmarshal(raw, to); err != nil {
				return fmt.Errorf("its %s is no word: %w", field, err)
			}
		}
	}
	if raw, ok := rest["metadata"]; ok {
		if err := json.Unmarshal(raw, &l.metadata); err != nil {
			return fmt.Errorf("its metadata cannot be read: %w", err)
		}
	}
	return nil
}

// object takes a document that is a single object.
func (l *listing) object(rest map[string]json.RawMessage) error {
	raw, err := json.Marshal(rest)
	if err != nil {
		return err
	}
	i, err := l.c.put(raw, "", "")
	if err != nil {
		return err
	}
	if i >= 0 {
		l.c.given[i] = true
	}
	return nil
}
