// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// documents reads every document of a file, JSON and YAML, into the collector.
// Errors name the file and the document, counted from 1.
func documents(name string, r io.Reader, c *collector) error {
	in := bufio.NewReaderSize(r, 64<<10)
	for n := 1; ; {
		start, err := begin(in)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%s: cannot be read: %w", name, err)
		case start == '{':
			rest, err := jsonDocument(in, c)
			if err != nil {
				return fmt.Errorf("%s, document %d: %w", name, n, err)
			}
			in = rest
			n++
			continue
		}
		any, err := yamlDocument(in, c)
		if err != nil {
			return fmt.Errorf("%s, document %d: %w", name, n, err)
		}
		if any {
			n++
		}
	}
}

// begin skips blank lines, a byte order mark, and the space before a brace, and
// returns the first byte of what follows. Other space belongs to YAML.
func begin(in *bufio.Reader) (byte, error) {
	for {
		ahead, err := in.Peek(512)
		if len(ahead) == 0 {
			return 0, err
		}
		text := bytes.TrimLeft(ahead, " \t")
		skip := len(ahead) - len(text)
		switch {
		case bytes.HasPrefix(ahead, []byte("\xEF\xBB\xBF")):
			skip = 3
		case len(text) == 0:
		case text[0] == '\n' || text[0] == '\r':
			skip++
		case text[0] == '{':
			_, err := in.Discard(skip)
			return '{', err
		default:
			return text[0], nil
		}
		if _, err := in.Discard(skip); err != nil {
			return 0, err
		}
	}
}

// jsonDocument reads one JSON object, its items one by one, and returns the
// reader of what follows it.
func jsonDocument(in *bufio.Reader, c *collector) (*bufio.Reader, error) {
	dec := json.NewDecoder(in)
	l := newListing(c)
	rest, err := walk(dec, l)
	if err != nil {
		return nil, malformed(err)
	}
	if err := l.end(rest); err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(io.MultiReader(dec.Buffered(), in), 64<<10), nil
}

// walk reads an object's fields and feeds the elements of the list "items", if
// it has one, to the listing. It returns the other fields as they are.
func walk(dec *json.Decoder, l *listing) (map[string]json.RawMessage, error) {
	if _, err := dec.Token(); err != nil { // the brace that was peeked at
		return nil, err
	}
	rest := map[string]json.RawMessage{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		field, ok := key.(string)
		if !ok {
			return nil, fmt.Errorf("a field's name is %v", key)
		}
		if _, twice := rest[field]; twice {
			return nil, fmt.Errorf("field %q is there twice", field)
		}
		if field == "items" {
			if err := items(dec, l, rest); err != nil {
				return nil, err
			}
			continue
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, err
		}
		rest[field] = raw
		if err := l.early(field, raw); err != nil {
			return nil, err
		}
	}
	_, err := dec.Token()
	return rest, err
}

// items reads the value of "items". Only a list is one; null is an empty one.
func items(dec *json.Decoder, l *listing, rest map[string]json.RawMessage) error {
	start, err := dec.Token()
	if err != nil {
		return err
	}
	if start == nil {
		rest["items"] = json.RawMessage("null")
		return nil
	}
	if start != json.Delim('[') {
		return fmt.Errorf("its items are no list")
	}
	if _, twice := rest["items"]; twice {
		return fmt.Errorf("field %q is there twice", "items")
	}
	rest["items"] = json.RawMessage("[]")
	var raw json.RawMessage
	for dec.More() {
		raw = raw[:0]
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		if err := l.item(raw); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}

// early tells the listing what kind of list it is before its items come, where
// the document says so first.
func (l *listing) early(field string, raw json.RawMessage) error {
	switch field {
	case "kind":
		return json.Unmarshal(raw, &l.kind)
	case "apiVersion":
		return json.Unmarshal(raw, &l.apiVersion)
	default:
		return nil
	}
}

// malformed words the end of a file in the middle of an object.
func malformed(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it ends in the middle of an object: the file was cut off")
	}
	return err
}
