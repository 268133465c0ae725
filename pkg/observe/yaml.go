// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"
)

// yamlDocument reads the lines up to the next separator as one document. It
// reports whether there was anything in it.
//
// The items of a list as kubectl writes it are converted one by one: a line
// that begins, at the list's own depth, with a dash begins the next item, and
// nothing within an item can be so little indented. Anything else is converted
// as a whole.
func yamlDocument(in *bufio.Reader, c *collector) (bool, error) {
	y := &yamlReader{listing: newListing(c)}
	for {
		line, err := readLine(in)
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return true, fmt.Errorf("cannot be read: %w", err)
		}
		if separator(line) {
			break
		}
		if err := y.line(line); err != nil {
			return true, err
		}
		if last {
			break
		}
	}
	return y.end()
}

// readLine returns the next line with its end, however long it is.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// separator reports whether the line ends a document.
func separator(line []byte) bool {
	text := bytes.TrimRight(line, " \t\r\n")
	return bytes.Equal(text, []byte("---")) || bytes.Equal(text, []byte("...")) || bytes.HasPrefix(line, []byte("--- "))
}

// yamlReader splits a document into its items and the rest.
type yamlReader struct {
	listing *listing
	// rest are all lines outside of items; chunk those of the item at hand.
	rest, chunk bytes.Buffer
	// inside: the lines belong to items, whose dashes have that indentation.
	inside bool
	indent int
}

func (y *yamlReader) line(line []byte) error {
	text := bytes.TrimRight(line, " \t\r\n")
	if y.inside {
		if len(text) == 0 {
			y.chunk.Write(line)
			return nil
		}
		depth := len(text) - len(bytes.TrimLeft(text, " "))
		dash := text[depth] == '-' && (len(text) == depth+1 || text[depth+1] == ' ')
		switch {
		case dash && (y.indent < 0 || depth == y.indent):
			y.indent = depth
			if err := y.flush(); err != nil {
				return err
			}
			y.chunk.Write(line)
			return nil
		case y.indent >= 0 && depth > y.indent || text[depth] == '#':
			y.chunk.Write(line)
			return nil
		}
		if err := y.flush(); err != nil {
			return err
		}
		y.inside = false
	}
	if bytes.Equal(text, []byte("items:")) {
		y.inside, y.indent, y.listing.list = true, -1, true
		return nil
	}
	y.rest.Write(line)
	return nil
}

// flush converts the item at hand: a sequence of one.
func (y *yamlReader) flush() error {
	if len(bytes.TrimSpace(y.chunk.Bytes())) == 0 {
		y.chunk.Reset()
		return nil
	}
	text, err := yaml.YAMLToJSONStrict(y.chunk.Bytes())
	if err != nil {
		return fmt.Errorf("item %d: %w", y.listing.count+1, err)
	}
	y.chunk.Reset()
	var one []json.RawMessage
	if err := json.Unmarshal(text, &one); err != nil {
		return fmt.Errorf("item %d: %w", y.listing.count+1, err)
	}
	for _, item := range one {
		if err := y.listing.item(item); err != nil {
			return err
		}
	}
	return nil
}

// end converts the rest of the document.
func (y *yamlReader) end() (bool, error) {
	if y.inside {
		if err := y.flush(); err != nil {
			return true, err
		}
	}
	text, err := yaml.YAMLToJSONStrict(y.rest.Bytes())
	if err != nil {
		return true, err
	}
	if string(bytes.TrimSpace(text)) == "null" && !y.listing.list {
		return false, nil // comments, or nothing
	}
	if len(text) == 0 || text[0] != '{' {
		return true, errors.New("it is no object of Kubernetes")
	}
	rest, err := walk(json.NewDecoder(bytes.NewReader(text)), y.listing)
	if err != nil {
		return true, malformed(err)
	}
	return true, y.listing.end(rest)
}
