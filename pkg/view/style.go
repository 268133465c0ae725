// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Style is how text is laid out. The zero value is plain and never breaks a
// line, which is right for a pipe.
type Style struct {
	// Colour marks verdicts; nothing is said by colour alone.
	Colour bool
	// Width is the terminal's; 0 for none.
	Width int
	// Terminal: lines may be written over.
	Terminal bool
}

const (
	red    = "\x1b[1;31m"
	yellow = "\x1b[1;33m"
	green  = "\x1b[1;32m"
	bold   = "\x1b[1m"
	reset  = "\x1b[0m"
)

func (s Style) paint(colour, text string) string {
	if !s.Colour {
		return text
	}
	return colour + text + reset
}

func (s Style) verdict(v cluster.Verdict) string {
	switch v {
	case cluster.Safe:
		return s.paint(green, "Safe")
	case cluster.Unsafe:
		return s.paint(red, "Unsafe")
	default:
		return s.paint(yellow, "Unknown")
	}
}

// minWidth is the narrowest text that is still broken into lines.
const minWidth = 40

// wrap indents a text, and breaks it between words where there is a width.
func (s Style) wrap(indent, text string) string {
	if s.Width < minWidth {
		return indent + s.printable(text)
	}
	return s.fill(indent, indent, text)
}

// hang breaks a text like wrap, and indents all but its first line below the
// time that it begins with.
func (s Style) hang(text string) string {
	if s.Width < minWidth {
		return s.printable(text)
	}
	return s.fill("", strings.Repeat(" ", 10), text)
}

// fill breaks a text between words; one indent is for the first line, the
// other for the rest.
func (s Style) fill(first, indent, text string) string {
	var b strings.Builder
	line := first
	empty := true
	for word := range strings.SplitSeq(s.printable(text), " ") {
		if !empty && visible(line)+1+visible(word) > s.Width {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line, empty = indent, true
		}
		if empty && word == "" && line == indent {
			continue // a break takes the place of a space
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	return b.String() + line
}

// visible is how many columns a text takes: escape sequences take none.
func visible(s string) int {
	n, escaped := 0, false
	for _, r := range s {
		switch {
		case r == '\x1b':
			escaped = true
		case escaped:
			escaped = r != 'm'
		default:
			n++
		}
	}
	return n
}

// printer keeps the first error, so that every line need not check it.
type printer struct {
	to    io.Writer
	style Style
	err   error
}

// line writes one line, whatever the text.
func (p *printer) line(text string) { p.raw(p.style.printable(text)) }

// raw writes what is laid out already.
func (p *printer) raw(text string) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.to, strings.TrimRight(text, " "))
	}
}

func (p *printer) linef(format string, args ...any) { p.line(fmt.Sprintf(format, args...)) }

// para writes a wrapped paragraph.
func (p *printer) para(indent, text string) { p.raw(p.style.wrap(indent, text)) }

// table aligns rows; the first is the head. Where the terminal is narrower, the
// last column goes on below itself.
func (p *printer) table(rows [][]string) {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		for i, cell := range r {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, p.style.printable(cell))
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil && p.err == nil {
		p.err = err
	}
	last := lastColumn(rows)
	for line := range strings.Lines(b.String()) {
		line = strings.TrimRight(line, " \n")
		if p.style.Width-last >= minColumn && utf8.RuneCountInString(line) > p.style.Width {
			line = p.style.fill("", strings.Repeat(" ", last), line)
		}
		p.raw(line)
	}
}

// minColumn is the narrowest last column that is still broken into lines.
const minColumn = 16

// lastColumn is where the last column of a table begins.
func lastColumn(rows [][]string) int {
	at := 0
	for i := range len(rows[0]) - 1 {
		widest := 0
		for _, r := range rows {
			if i < len(r) {
				widest = max(widest, utf8.RuneCountInString(r[i]))
			}
		}
		at += widest + 2
	}
	return at
}

func (p *printer) done() error {
	if p.err != nil {
		return fmt.Errorf("the answer could not be written: %w", p.err)
	}
	return nil
}

// evidence is a line of facts as they were read.
func evidence(fs []cluster.Fact) string {
	parts := make([]string, 0, len(fs))
	for _, f := range fs {
		value := f.Value
		if value == "" {
			value = "(empty)"
		}
		parts = append(parts, f.Name+": "+value)
	}
	return strings.Join(parts, "; ")
}
