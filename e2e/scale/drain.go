// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"io"
	"regexp"
)

// edgeBytes of a list's beginning and end hold its metadata: Kubernetes' own
// kinds write them before the items, custom resources after.
const edgeBytes = 4 << 10

// edges keeps the beginning and the end of what is written to it.
type edges struct{ head, tail []byte }

func (e *edges) Write(b []byte) (int, error) {
	if room := edgeBytes - len(e.head); room > 0 {
		e.head = append(e.head, b[:min(room, len(b))]...)
	}
	if len(b) >= edgeBytes {
		e.tail = append(e.tail[:0], b[len(b)-edgeBytes:]...)
	} else {
		e.tail = append(e.tail, b...)
		e.tail = e.tail[max(0, len(e.tail)-edgeBytes):]
	}
	return len(b), nil
}

// drain reads a list to its end and returns the token of the next page, empty
// for none.
func drain(body io.Reader) (string, error) {
	var e edges
	if _, err := io.Copy(&e, body); err != nil {
		return "", err
	}
	token := regexp.MustCompile(`"continue":"([^"]+)"`)
	for _, edge := range [][]byte{e.tail, e.head} {
		if m := token.FindSubmatch(edge); m != nil {
			return string(m[1]), nil
		}
	}
	return "", nil
}
