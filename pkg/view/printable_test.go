// SPDX-License-Identifier: Apache-2.0

package view

import (
	"bytes"
	"strings"
	"testing"
)

// TestPrinter_WhatOthersWroteStaysOnItsLine: an object's text neither begins a
// line, which could claim anything, nor moves the cursor.
func TestPrinter_WhatOthersWroteStaysOnItsLine(t *testing.T) {
	const evil = "failed\nSafe: every volume is whole\r\x1b[2J\x1b]0;x\a\u009b1A\u202eelohw"
	const want = `failed\nSafe: every volume is whole\r\x1b[2J\x1b]0;x\a\u009b1A\u202eelohw`
	for _, style := range []Style{{}, {Colour: true}, {Width: 200}} {
		for how, write := range map[string]func(*printer){
			"line":  func(p *printer) { p.line(evil) },
			"linef": func(p *printer) { p.linef("%s", evil) },
			"para":  func(p *printer) { p.para("", evil) },
			"twig":  func(p *printer) { p.twig("", true, evil) },
			"steps": func(p *printer) { p.steps("", []string{evil, "x"}) },
			"table": func(p *printer) { p.table([][]string{{"A"}, {evil}}) },
			"hang":  func(p *printer) { p.raw(style.hang(evil)) },
		} {
			var b bytes.Buffer
			write(&printer{to: &b, style: style})
			if !strings.Contains(b.String(), want) || strings.Contains(b.String(), "\nSafe") {
				t.Errorf("%s, %+v: %q", how, style, b.String())
			}
		}
	}
	if got := (Style{Colour: true}).printable((Style{Colour: true}).paint(bold, "ü → x")); got != bold+"ü → x"+reset {
		t.Errorf("our own colours: %q", got)
	}
}
