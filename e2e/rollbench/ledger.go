// SPDX-License-Identifier: Apache-2.0

package rollbench

import (
	"slices"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// timeline is a roll as it was seen from outside: what the tool printed, and the
// news that it was handed.
type timeline struct {
	began, ended time.Time
	// interval is what policy puts between two looks.
	interval time.Duration
	events   []v1alpha1.Event
	news     []news
}

// span is a part of the roll in which the tool did nothing but wait.
type span struct{ from, to time.Time }

// Ledger divides the time of a roll.
//
// From one deed, or note, of the tool to the next there are two cases. If it never
// said that it waits, the time between is its own. If it did, the world's part
// ends with the news that the tool waited for, and the rest is its own: its
// reaction. That news is the last one that it was handed about anything that it
// had named as missing. Where it named nothing that news tells of, only the time
// until it last said what it waits for is the world's. Of two looks, the time that
// policy puts between them is the world's. So are the operator's commands; every
// other deed, the journal and the lock included, is the tool's own.
type Ledger struct {
	Total time.Duration
	// Imposed is the world's part, by what was waited for.
	Imposed map[string]time.Duration
	// Own is the tool's part, by what it did.
	Own map[string]time.Duration
	// Reactions are from news to the decision that it made possible.
	Reactions []time.Duration
	waits     []span
}

// What the tool's own time goes to, and what is imposed beside the phases' waits.
const (
	ownLooking  = "looking, judging and writing down"
	ownDeeds    = "requests of deeds"
	ownReacting = "reacting to news"
	commands    = "the operator's commands"
	twoLooks    = "policy: between two looks"
)

// Waits is all that was imposed.
func (l Ledger) Waits() time.Duration { return total(l.Imposed) }

// Ratio is the whole over what was imposed.
func (l Ledger) Ratio() float64 { return l.Total.Seconds() / l.Waits().Seconds() }

func total(of map[string]time.Duration) time.Duration {
	var sum time.Duration
	for _, d := range of {
		sum += d
	}
	return sum
}

// divide reads a timeline.
func divide(t timeline) Ledger {
	t.began, t.ended = t.began.Round(0), t.ended.Round(0) // by the clock that the tool's lines tell
	d := &divider{timeline: t, last: t.began, Ledger: Ledger{
		Total: t.ended.Sub(t.began), Imposed: map[string]time.Duration{}, Own: map[string]time.Duration{},
	}}
	for i := range t.events {
		d.event(&t.events[i])
	}
	d.own(ownLooking, t.ended)
	return d.Ledger
}

type divider struct {
	timeline
	Ledger
	last   time.Time // up to where time is divided
	wait   *v1alpha1.Event
	since  time.Time // when it first said that it waits
	second bool      // for a second look
	deed   string
}

func (d *divider) event(e *v1alpha1.Event) {
	switch e.Type {
	case "waiting":
		if d.wait == nil {
			d.since = e.At
		}
		d.wait = e
		d.second = d.second || strings.HasPrefix(e.Says, "a second look")
		return
	case "acted":
		if d.deed == string(decide.RunCommand) {
			d.impose(commands, e.At)
		} else {
			d.own(ownDeeds, e.At)
		}
	case "acting":
		d.deed = e.Verb
		d.decided(e)
	default:
		d.decided(e)
	}
	d.wait, d.second = nil, false
}

// decided divides what went before a decision.
func (d *divider) decided(e *v1alpha1.Event) {
	switch {
	case d.wait == nil || strings.HasPrefix(d.wait.Says, "a consistent look"):
		d.own(ownLooking, e.At)
	case d.second:
		d.impose(twoLooks, sooner(d.last.Add(d.interval), e.At))
		d.own(ownLooking, e.At)
	default:
		news := d.enabling(e)
		d.impose(d.wait.Phase, news)
		d.Reactions = append(d.Reactions, e.At.Sub(news))
		d.own(ownReacting, e.At)
	}
}

func sooner(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (d *divider) impose(what string, until time.Time) {
	if until.After(d.last) {
		d.Imposed[what] += until.Sub(d.last)
		if d.wait != nil {
			d.waits = append(d.waits, span{d.since, until})
		}
		d.last = until
	}
}

func (d *divider) own(what string, until time.Time) {
	if until.After(d.last) {
		d.Own[what] += until.Sub(d.last)
		d.last = until
	}
}

// enabling is when the news came that ended a wait.
func (d *divider) enabling(e *v1alpha1.Event) time.Time {
	missing := words(append([]string{d.wait.Says}, d.wait.Left...))
	delete(missing, e.Node)
	about := func(n news) bool {
		// Another pod of the name elsewhere is not the one that was to end.
		return (n.kind != "pods" || n.node == e.Node) && n.named(missing)
	}
	// Of the machine itself nothing is news but what is said when nothing else is
	// missing: its heartbeat comes all the time.
	ofNode := func(n news) bool { return n.node == e.Node || n.name == e.Node && n.kind != "leases" }
	for _, is := range []func(news) bool{about, ofNode} {
		from, _ := slices.BinarySearchFunc(d.news, e.At, func(n news, at time.Time) int { return n.at.Compare(at) })
		for _, n := range slices.Backward(d.news[:from]) {
			if n.at.Before(d.last) {
				break
			}
			if is(n) {
				return n.at
			}
		}
	}
	return d.wait.At
}

// named reports whether it is about one of the names, or about a part of it, whose
// name begins with it.
func (n news) named(names map[string]bool) bool {
	for name := n.name; ; {
		if names[name] {
			return true
		}
		end := strings.LastIndexByte(name, '-')
		if end < 0 {
			return false
		}
		name = name[:end]
	}
}

// words are what could be names.
func words(lines []string) map[string]bool {
	out := map[string]bool{}
	for _, line := range lines {
		for _, w := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" ,:;/()'\"", r) }) {
			out[w] = true
		}
	}
	return out
}
