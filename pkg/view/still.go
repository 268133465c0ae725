// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/briandowns/spinner"
)

// still is the one line at the bottom of a terminal that moves. Lines that
// stay are written above it.
type still struct {
	spin *spinner.Spinner
	out  io.Writer
	// mu guards what the frames read. It is held for nothing else: a frame
	// holds the spinner's lock, and so does whoever writes above.
	mu    sync.Mutex
	place place
	wait  waiting
}

// newStill starts the line.
func newStill(out io.Writer, style Style) *still {
	opt := spinner.WithWriter(out)
	if f, ok := out.(*os.File); ok {
		opt = spinner.WithWriterFile(f)
	}
	// The cursor stays: a program that is killed could not bring it back.
	s := &still{out: out, spin: spinner.New(frames(), 150*time.Millisecond, opt, spinner.WithHiddenCursor(false))}
	s.spin.PreUpdate = func(sp *spinner.Spinner) { sp.Suffix = " " + cut(s.text(), style.Width-4) }
	s.spin.Start()
	return s
}

// tell says what the line shows from now on.
func (s *still) tell(l place, w waiting) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.place, s.wait = l, w
}

func (s *still) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.place.String() + s.wait.glance(time.Now())
}

func frames() []string { return []string{"-", "\\", "|", "/"} }

// above writes a line that stays.
func (s *still) above(line string) {
	s.spin.Lock()
	defer s.spin.Unlock()
	fmt.Fprintf(s.out, "\r\x1b[K%s\n", line)
}

func (s *still) close() { s.spin.Stop() }

// cut shortens a text to so many bytes, so that the line never wraps: what
// wraps cannot be written over. Bytes and not columns, because the spinner
// counts them so, and would erase a line above where it thinks that one wraps.
func cut(text string, size int) string {
	text = Printable(text)
	if size < 1 || len(text) <= size {
		return text
	}
	end := max(size-3, 0)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "..."
}
