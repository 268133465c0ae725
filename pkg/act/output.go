// SPDX-License-Identifier: Apache-2.0

package act

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

const (
	// longest is the length in bytes at which a line is cut in two.
	longest = 16 << 10
	// lastWords is how many lines an error quotes.
	lastWords = 5
)

// output passes a command's output on line by line, so that lines of the two
// streams do not mix, and keeps the last ones.
type output struct {
	mu     sync.Mutex
	prefix string
	out    io.Writer
	err    io.Writer
	last   []string
}

func newOutput(out, err io.Writer, prefix string) *output {
	o := &output{prefix: prefix, out: out, err: err}
	if out == nil {
		o.out = io.Discard
	}
	if err == nil {
		o.err = io.Discard
	}
	return o
}

func (o *output) stdout() *lines { return &lines{to: o, w: o.out} }
func (o *output) stderr() *lines { return &lines{to: o, w: o.err} }

// tail returns the last lines as the end of a message.
func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return indent(o.last)
}

func (o *output) line(w io.Writer, l []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l = bytes.TrimRight(l, "\r\n")
	// What cannot be shown must not stop the command: it would die of SIGPIPE.
	_, _ = io.WriteString(w, o.prefix+string(l)+"\n")
	if s := strings.TrimSpace(string(l)); s != "" {
		o.last = append(o.last, s)
		o.last = o.last[max(0, len(o.last)-lastWords):]
	}
}

// lines is one stream of an output.
type lines struct {
	to   *output
	w    io.Writer
	part []byte
}

// Write passes on every line that is complete. It never fails.
func (l *lines) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			l.part = append(l.part, p...)
			break
		}
		l.to.line(l.w, append(l.part, p[:end]...))
		l.part, p = l.part[:0], p[end+1:]
	}
	for len(l.part) > longest {
		l.to.line(l.w, l.part[:longest])
		l.part = append(l.part[:0], l.part[longest:]...)
	}
	return n, nil
}

// flush passes on a last line without an end.
func (l *lines) flush() {
	if len(l.part) > 0 {
		l.to.line(l.w, l.part)
		l.part = nil
	}
}
