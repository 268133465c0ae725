// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"errors"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// page is one answer to a list request, without its items.
type page struct {
	version  string
	next     string
	problems int
	items    int
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
	// Names that are there twice are found in each item as it is decoded, and
	// broken letters too: to look for them here would be to look twice.
	dec := jsontext.NewDecoder(body, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if start, err := dec.ReadToken(); err != nil {
		return p, err
	} else if start.Kind() != '{' {
		return p, errNoList
	}
	var items, meta bool
	for dec.PeekKind() != '}' {
		key, err := dec.ReadToken()
		if err != nil {
			return p, err
		}
		switch name := key.String(); {
		case name == "items" && items, name == "metadata" && meta:
			err = errNoList
		case name == "items":
			items = true
			err = p.readItems(dec, put)
		case name == "metadata":
			meta = true
			err = p.metadata(dec)
		default:
			err = dec.SkipValue()
		}
		if err != nil {
			return p, err
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return p, err
	}
	if !items {
		return p, errNoList
	}
	return p, nil
}

func (p *page) metadata(dec *jsontext.Decoder) error {
	var m struct {
		Version string `json:"resourceVersion"`
		Next    string `json:"continue"`
	}
	if err := json.UnmarshalDecode(dec, &m); err != nil {
		return err
	}
	p.version, p.next = m.Version, m.Next
	return nil
}

func (p *page) readItems(dec *jsontext.Decoder, put func([]byte) error) error {
	start, err := dec.ReadToken()
	if err != nil || start.Kind() == 'n' { // null is an empty list
		return err
	}
	if start.Kind() != '[' {
		return errNoList
	}
	for dec.PeekKind() != ']' {
		raw, err := dec.ReadValue() // valid until the next read
		if err != nil {
			return err
		}
		p.items++
		if err := put(raw); err != nil {
			p.problems++
			if p.first == nil {
				p.first = err
			}
		}
	}
	_, err = dec.ReadToken()
	return err
}
