// SPDX-License-Identifier: Apache-2.0

package view

import (
	_ "embed" // the page
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

//go:embed report.html
var reportPage string

// HTML writes the report as one page that needs nothing else.
func (r Report) HTML(to io.Writer) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"day": moment, "sentence": sentence, "capital": capital, "orelse": or, "many": decide.Many, "result": resultWord,
		"took":  func(from, to time.Time) string { return short(to.Sub(from)) },
		"since": since, "group": phaseGroup, "facts": pageFacts, "unjudged": unjudged, "lastsaid": lastSaid, "remedies": remedyLines,
	}).Parse(reportPage)
	if err != nil {
		return fmt.Errorf("the page: %w", err)
	}
	if err := t.Execute(to, newPage(r.Object())); err != nil {
		return fmt.Errorf("the report could not be written: %w", err)
	}
	return nil
}

// How wide a character of a label and the margins of a bar are, in percent of a
// track that is seven hundred pixels wide.
const (
	labelWidth  = 1.0
	labelMargin = 1.2
)

// capital makes a line begin like a sentence.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

func pageFacts(fs []v1alpha1.Fact) string {
	parts := make([]string, 0, len(fs))
	for _, f := range fs {
		parts = append(parts, f.Name+": "+or(f.Value, "(empty)"))
	}
	return strings.Join(parts, "; ")
}

// page is a report laid out: all places are percents of the time line.
type page struct {
	v1alpha1.Report
	Title string
	Took  string
	Lines []string
	Cards []card
	Ticks []tick
	// Edges are where turns begin, on a chart's plane.
	Edges  []float64
	Rows   []lane
	Charts []chart
	Legend []legend
	// Reasons are the findings, one a code, as the text has them.
	Reasons []why
	// Head and Table are the turns, as the text has them.
	Head  []string
	Table []turnRow
	// Longest are the waits, the longest first.
	Longest []v1alpha1.Waited
}

type turnRow struct {
	Cells []string
	Why   string
}

type why struct {
	Severity, Says string
	Evidence       []v1alpha1.Fact
}

type card struct{ Name, Value, Note, Tone string }

// tick is a mark on the time line.
type tick struct {
	Left        float64
	Label, Time string
}

// lane is one turn on the time line; the first is what belongs to none.
type lane struct {
	Name, Note string
	Bars       []bar
}

type bar struct {
	Left, Width float64
	// Fits: the label can be read in it.
	Fits         bool
	Group, Label string
	Title        string
}

type legend struct{ Group, Label string }

func newPage(o v1alpha1.Report) page {
	line := axis{from: *o.Begun, to: *o.Ended}
	p := page{Report: o, Took: short(o.Ended.Sub(*o.Begun)), Lines: headlines(o), Ticks: line.ticks()}
	p.Title = title(o)
	p.Cards = cards(o)
	p.Rows = rows(o, line)
	p.Head, p.Table = turnTable(o)
	p.Reasons = reasonsOf(o.Findings)
	for _, h := range o.Redundancy {
		p.Charts = append(p.Charts, line.chart(h))
	}
	for _, t := range o.Turns {
		if t.OpenedAt != nil {
			p.Edges = append(p.Edges, line.at(*t.OpenedAt)*planeWidth/100)
		}
	}
	p.Legend = []legend{
		{"look", "looking, settling"}, {"move", "moving replicas away"}, {"drain", "draining, proving"},
		{"machine", "machine goes and comes"}, {"rebuild", "rebuilding"}, {"undo", "putting back"}, {"stopped", "nobody rolled"},
	}
	p.Longest = byLength(o.Waits)
	return p
}

func reasonsOf(fs []v1alpha1.Finding) []why {
	severity := map[string]string{}
	for _, f := range fs {
		severity[f.Code] = or(severity[f.Code], f.Severity)
	}
	var out []why
	for _, same := range byCode(unsaid(fs)) {
		out = append(out, why{Severity: severity[same[0].Code], Says: gathered(same), Evidence: facts(same[0].Evidence)})
	}
	return out
}

// turnTable are the rows of the text, whose columns are those of what the
// machines went for.
func turnTable(o v1alpha1.Report) (head []string, rows []turnRow) {
	text := turnRows(plainTurns(o.Turns), decide.Goal(o.Goal), since)
	for _, h := range append(text[0], "why this strategy") {
		head = append(head, capital(strings.ToLower(strings.TrimSpace(h))))
	}
	for i, t := range o.Turns {
		cells := text[i+1]
		cells[0] = strings.TrimSpace(cells[0])
		rows = append(rows, turnRow{Cells: cells, Why: t.Why})
	}
	return head, rows
}

func title(o v1alpha1.Report) string {
	closed := 0
	for _, t := range o.Turns {
		if t.ClosedAt != nil {
			closed++
		}
	}
	switch goal := decide.Goal(o.Goal); {
	case goal.StaysOpen():
		return "Drain of " + o.Turns[0].Node
	case goal.Reboots():
		return fmt.Sprintf("%d of %s rebooted", closed, decide.Many(len(o.Turns), "node"))
	}
	return fmt.Sprintf("%d of %s replaced", closed, decide.Many(len(o.Turns), "node"))
}

func cards(o v1alpha1.Report) []card {
	out := []card{
		{Name: "took", Value: short(o.Ended.Sub(*o.Begun)), Note: decide.Many(len(o.Authors), "start") + " of the program"},
		{Name: "changes", Value: fmt.Sprint(len(o.Deeds)), Note: failedDeeds(o.Deeds)},
	}
	for _, h := range o.Redundancy {
		c := card{Name: className(h), Value: fmt.Sprintf("%d of %d", h.Lowest, h.Want), Note: "never fewer good replicas", Tone: "good"}
		switch {
		case h.Lowest < h.Floor && foundSo(h):
			c.Tone, c.Note = "bad", fmt.Sprintf("fewest good replicas, at the first look; the floor is %d", h.Floor)
		case h.Lowest < h.Floor:
			c.Tone, c.Note = "bad", fmt.Sprintf("fewest good replicas; the floor is %d", h.Floor)
		case h.Lowest < h.Want:
			c.Tone, c.Note = "fair", fmt.Sprintf("fewest good replicas; the floor of %d held", h.Floor)
		}
		out = append(out, c)
	}
	return out
}

func failedDeeds(ds []v1alpha1.Deed) string {
	n := 0
	for _, d := range ds {
		if d.Outcome != "performed" {
			n++
		}
	}
	if n == 0 {
		return "all of them performed"
	}
	return fmt.Sprintf("%d of them refused, in conflict or uncertain at first", n)
}

func rows(o v1alpha1.Report, line axis) []lane {
	out := []lane{{Name: "between turns"}}
	for i, t := range o.Turns {
		note := t.Strategy
		if t.Replacement != "" && t.Replacement != t.Node {
			note += ", now " + t.Replacement
		}
		out = append(out, lane{Name: fmt.Sprintf("%d  %s", i+1, t.Node), Note: note})
	}
	for _, s := range o.Spans {
		if s.Turn >= len(out) {
			continue // a journal of a later version
		}
		took := short(s.To.Sub(s.From))
		out[s.Turn].Bars = append(out[s.Turn].Bars, bar{
			Left: line.at(s.From), Width: max(line.at(s.To)-line.at(s.From), 0.15), Group: phaseGroup(s.Phase), Label: s.Phase,
			Fits:  line.at(s.To)-line.at(s.From) > labelMargin+labelWidth*float64(len(s.Phase)),
			Title: s.Phase + ", " + took + " (" + s.From.Format("15:04:05") + " to " + s.To.Format("15:04:05") + ")",
		})
	}
	return out
}
