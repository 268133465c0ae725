// SPDX-License-Identifier: Apache-2.0

package view

import (
	"strconv"
	"strings"
	"unicode"
)

// Printable keeps what others wrote into objects from writing to the terminal:
// whatever is neither printed nor a space is quoted, so that a text stays on its
// line and says nothing in our place.
func Printable(text string) string { return Style{}.printable(text) }

// printable does the same, and lets the style's own colours pass.
func (s Style) printable(text string) string {
	if !strings.ContainsFunc(text, unprintable) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case !unprintable(r), r == '\x1b' && s.ours(text[i:]):
			b.WriteRune(r)
		default:
			q := strconv.QuoteRune(r)
			b.WriteString(q[1 : len(q)-1])
		}
	}
	return b.String()
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// ours reports whether the text begins with a colour that paint gives.
func (s Style) ours(text string) bool {
	for _, c := range []string{red, yellow, green, bold, reset} {
		if s.Colour && strings.HasPrefix(text, c) {
			return true
		}
	}
	return false
}
