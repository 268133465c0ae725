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
	// lastWords is how many lines of each stream an error quotes.
	lastWords = 5
)

// output passes a command's output on line by line, so that lines of the two
// streams do not mix, and keeps the last ones of each.
type output struct {
	mu     sync.Mutex
	prefix string
	out    *lines
	err    *lines
}

// newOutput writes to both, or drops what has no writer. Where both are the
// same the streams are one, which keeps their order.
func newOutput(out, err io.Writer, prefix string) *output {
	o := &output{prefix: prefix}
	o.out = &lines{to: o, w: out}
	o.err = o.out
	if !same(out, err) {
		o.err = &lines{to: o, w: err}
	}
	return o
}

// same compares two writers, whatever they are made of.
func same(a, b io.Writer) (equal bool) {
	defer func() {
		if recover() != nil {
			equal = false // of a kind that cannot be compared
		}
	}()
	return a == b
}

// end passes on what has no end of line, and returns the last lines as the end
// of a message: first what was said on stderr.
func (o *output) end() string {
	o.err.flush()
	o.out.flush()
	last := o.err.last
	if o.out != o.err {
		last = append(last, o.out.last...)
	}
	if len(last) == 0 {
		return " (it said nothing)"
	}
	return "; its last words:\n  " + strings.Join(last, "\n  ")
}

// lines is one stream of an output.
type lines struct {
	to   *output
	w    io.Writer
	part []byte
	last []string
}

func (l *lines) line(text []byte) {
	text = bytes.TrimRight(text, "\r\n")
	l.to.mu.Lock()
	defer l.to.mu.Unlock()
	if l.w != nil {
		// What cannot be shown must not stop the command: it would die of SIGPIPE.
		_, _ = io.WriteString(l.w, l.to.prefix+string(text)+"\n")
	}
	if s := strings.TrimSpace(string(text)); s != "" {
		l.last = append(l.last, s)
		l.last = l.last[max(0, len(l.last)-lastWords):]
	}
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
		l.line(append(l.part, p[:end]...))
		l.part, p = l.part[:0], p[end+1:]
	}
	for len(l.part) > longest {
		l.line(l.part[:longest])
		l.part = append(l.part[:0], l.part[longest:]...)
	}
	return n, nil
}

// flush passes on a last line without an end.
func (l *lines) flush() {
	if len(l.part) > 0 {
		l.line(l.part)
		l.part = nil
	}
}
