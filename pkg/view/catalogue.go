// SPDX-License-Identifier: Apache-2.0

package view

import (
	"io"
	"maps"
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// Doc documents one code.
type Doc struct {
	Code string
	// Means is one sentence; Remedy says what to do, and what not to do.
	Means  string
	Remedy string
	// Risk spells the flag that accepts findings of the code; empty for none.
	Risk string
	// Do and Not add to the remedy what it takes with the storage at hand; See
	// are what that rests on.
	Do, Not, See []string
}

// Catalogue is what every code means, by code.
type Catalogue map[string]Doc

// Catalogued merges lists of documents; of two with the same code the first
// stays.
func Catalogued(lists ...[]Doc) Catalogue {
	c := Catalogue{}
	for _, l := range lists {
		for _, d := range l {
			if _, ok := c[d.Code]; !ok {
				c[d.Code] = d
			}
		}
	}
	return c
}

// Sorted returns every code in order.
func (c Catalogue) Sorted() []string { return slices.Sorted(maps.Keys(c)) }

// Accepts documents that findings of the code may be accepted, as that risk.
func (c Catalogue) Accepts(code string, risk policy.Risk) {
	if d, ok := c[code]; ok {
		d.Risk = flagOf(risk)
		c[code] = d
	}
}

// Guide adds advice to a code that is documented.
func (c Catalogue) Guide(code string, do, not, see []string) {
	if d, ok := c[code]; ok {
		d.Do, d.Not, d.See = append(d.Do, do...), append(d.Not, not...), append(d.See, see...)
		c[code] = d
	}
}

// Explain writes what a code means, what to do, what not to do, and where more
// is written.
func (d Doc) Explain(to io.Writer, style Style) error {
	p := &printer{to: to, style: style}
	p.line(style.paint(bold, d.Code))
	p.para("  ", d.Means)
	do := d.Do
	if d.Remedy != "" {
		do = append([]string{d.Remedy}, do...)
	}
	p.section("What to do", do)
	p.section("What not to do", d.Not)
	p.section("Which flag accepts it", []string{or(d.Risk, "None.")})
	p.section("See", d.See)
	return p.done()
}

// List writes every code with its meaning.
func (c Catalogue) List(to io.Writer, style Style) error {
	p := &printer{to: to, style: style}
	rows := [][]string{{"CODE", "MEANS"}}
	for _, code := range c.Sorted() {
		rows = append(rows, []string{code, c[code].Means})
	}
	p.table(rows)
	return p.done()
}
