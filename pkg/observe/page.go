// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"encoding/json"
	"errors"
	"io"
)

// page is one answer to a list request, without its items.
type page struct {
	version  string
	next     string
	problems int
	// first is the first of the problems.
	first error
}

// errNoList is returned for an answer that is no list.
var errNoList = errors.New("the answer is no list")

// readPage decodes a list item by item as it comes in. What put refuses is
// counted and the rest is read on; an error means that the page itself is
// broken.
func readPage(body io.Reader, put func([]byte) error) (page, error) {
	var p page
	dec := json.NewDecoder(body)
	if start, err := dec.Token(); err != nil {
		return p, err
	} else if start != json.Delim('{') {
		return p, errNoList
	}
	items := false
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return p, err
		}
		switch key {
		case "items":
			items = true
			err = p.items(dec, put)
		case "metadata":
			err = p.metadata(dec)
		default:
			var skipped json.RawMessage
			err = dec.Decode(&skipped)
		}
		if err != nil {
			return p, err
		}
	}
	if _, err := dec.Token(); err != nil {
		return p, err
	}
	if !items {
		return p, errNoList
	}
	return p, nil
}

func (p *page) metadata(dec *json.Decoder) error {
	var m struct {
		Version string `json:"resourceVersion"`
		Next    string `json:"continue"`
	}
	if err := dec.Decode(&m); err != nil {
		return err
	}
	p.version, p.next = m.Version, m.Next
	return nil
}

func (p *page) items(dec *json.Decoder, put func([]byte) error) error {
	start, err := dec.Token()
	if err != nil || start == nil { // null is an empty list
		return err
	}
	if start != json.Delim('[') {
		return errNoList
	}
	var raw json.RawMessage
	for dec.More() {
		raw = raw[:0]
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		if err := put(raw); err != nil {
			p.problems++
			if p.first == nil {
				p.first = err
			}
		}
	}
	_, err = dec.Token()
	return err
}
