// SPDX-License-Identifier: Apache-2.0

package view

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// afterSeconds is an event so many seconds after the beginning.
func afterSeconds(n int, e record.Event) record.Event {
	e.At = at().Add(time.Duration(n) * time.Second)
	return e
}

func sawCopies(least, lowest int) *record.Seen {
	return &record.Seen{Storages: []string{"driver.longhorn.io v1.8.1"}, Classes: []record.Class{
		{Want: 3, Volumes: 7, Whole: 6, Least: least, Might: least, Lowest: lowest},
	}}
}

// diary is a roll that died in the middle of a deed, was resumed by somebody
// else, and halted.
func diary() record.History {
	evict := decide.Action{Verb: decide.EvictPods, Node: ref("worker-1"), Why: "evict 2 pods from worker-1"}
	opened := decide.Note{Kind: decide.TurnOpened, Node: ref("worker-1"), Turn: &decide.OpenTurn{}, Says: "the turn of worker-1 begins"}
	h := record.History{Events: []record.Event{
		afterSeconds(0, record.Event{Kind: record.Started, Plan: plan(), By: &record.Author{Who: "ada@laptop", Program: "v0.1.0", Server: "v1.35.0"}}),
		afterSeconds(1, record.Event{Kind: record.Noted, Phase: decide.Verify, Note: &opened, Text: opened.Says, Seen: sawCopies(3, 3)}),
		afterSeconds(2, record.Event{Kind: record.Waiting, Phase: decide.Evacuate, Text: "3 replicas to move away", Left: []string{"volume a"}}),
		afterSeconds(40, record.Event{Kind: record.Looked, Phase: decide.Evacuate, Seen: sawCopies(3, 1)}),
		afterSeconds(62, record.Event{Kind: record.Intent, Phase: decide.Drain, Action: &evict, Text: evict.Why}),
		afterSeconds(300, record.Event{Kind: record.Done, Action: &evict, Outcome: &decide.Outcome{Result: decide.Uncertain, Detail: "the program ended before the outcome was known"}}),
		afterSeconds(300, record.Event{Kind: record.Resumed, By: &record.Author{Who: "bob@desk", Program: "v0.1.0"}}),
		afterSeconds(301, record.Event{Kind: record.Intent, Phase: decide.Drain, Action: &evict, Text: evict.Why}),
		afterSeconds(302, record.Event{Kind: record.Done, Phase: decide.Drain, Action: &evict, Outcome: &decide.Outcome{Result: decide.Performed, Detail: "2 of 2 pods asked to go"}}),
		afterSeconds(330, record.Event{
			Kind: record.Halted, Phase: decide.Drain, Exit: 3, Text: "node worker-2 is out", Remedy: "bring it back",
			Findings: []record.Finding{{
				Code: "node/other-out", Severity: "Unsafe", Message: "Node worker-2 is <not> live.",
				Evidence: []cluster.Fact{{Name: "node.ready", Value: "False"}},
			}},
		}),
	}}
	return h
}

func TestReport_TellsARollThatDiedAndHalted(t *testing.T) {
	var b bytes.Buffer
	r := Report{History: diary(), Now: at().Add(time.Hour)}
	if err := r.Text(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.txt", b.Bytes())
}

func TestReport_GathersWhatIsOfOneKind(t *testing.T) {
	h := diary()
	last := &h.Events[len(h.Events)-1]
	again := last.Findings[0]
	again.Subject.Name, again.Message = "worker-3", "Node worker-3 is not live."
	last.Findings = append(last.Findings, again)
	for name, write := range map[string]func(Report, *bytes.Buffer) error{
		"text": func(r Report, b *bytes.Buffer) error { return r.Text(b, Style{}) },
		"page": func(r Report, b *bytes.Buffer) error { return r.HTML(b) },
	} {
		var b bytes.Buffer
		if err := write(Report{History: h, Now: at()}, &b); err != nil {
			t.Fatal(err)
		}
		if s := b.String(); !strings.Contains(s, "[node/other-out] Likewise worker-3.") || strings.Contains(s, again.Message) {
			t.Errorf("%s: %s", name, s)
		}
	}
}

func TestReport_TimeInWhichNobodyRolledIsInNoPhase(t *testing.T) {
	got := spans(diary().Events)
	var said []string
	for _, s := range got {
		said = append(said, s.Node+" "+s.Phase+" "+s.To.Sub(s.From).String())
	}
	want := []string{" preflight 1s", "worker-1 verify 1s", "worker-1 evacuate 1m0s", "worker-1 stopped 3m58s", "worker-1 preflight 1s", "worker-1 drain 29s"}
	if d := cmp.Diff(want, said); d != "" {
		t.Error(d)
	}
}

func TestReport_ALookDoesNotEndAWait(t *testing.T) {
	got := waits(diary().Events)
	if len(got) != 1 || got[0].To.Sub(got[0].From) != time.Minute {
		t.Errorf("%+v", got)
	}
}

func TestReport_ADeedOfUnknownOutcomeSaysSo(t *testing.T) {
	h := diary()
	h.Events = h.Events[:5]
	if got := deeds(h.Events); len(got) != 1 || got[0].Outcome != "" {
		t.Errorf("%+v", got)
	}
	if got := deeds(diary().Events); got[0].Outcome != "uncertain" || got[1].Outcome != "performed" {
		t.Errorf("%+v", got)
	}
}

func TestChart_ADipBetweenTwoPointsIsDrawn(t *testing.T) {
	o := Report{History: diary(), Now: at()}.Object()
	c := axis{from: *o.Begun, to: *o.Ended}.chart(o.Redundancy[0])
	if c.Lowest != 1 || c.Tone != "bad" || !strings.Contains(c.Says, "below the floor of 2") {
		t.Errorf("%+v", c)
	}
	// To one replica and back to three, on a plane where three lie higher.
	if !strings.Contains(c.Line, "V71.0V13.0") {
		t.Errorf("the line is %s", c.Line)
	}
}

// What a roll found broken, and healed, it did not break.
func TestReport_SaysWhatItFoundSo(t *testing.T) {
	h := diary()
	h.Events[1].Seen = sawCopies(1, 1)
	h.Events[3].Seen = sawCopies(3, 3)
	var text, page bytes.Buffer
	r := Report{History: h, Now: at()}
	if err := errors.Join(r.Text(&text, Style{}), r.HTML(&page)); err != nil {
		t.Fatal(err)
	}
	if want := "1 at the first look, below the floor of 2; 3 at the last"; !strings.Contains(text.String(), want) || !strings.Contains(page.String(), want) {
		t.Errorf("no %q in\n%s", want, text.String())
	}
}

func TestChart_AClassWithoutVolumesHasNoLine(t *testing.T) {
	h := diary()
	h.Events[4].Seen = &record.Seen{} // every volume was woken
	got := Report{History: h, Now: at()}.Object().Redundancy[0].Points
	if last := got[len(got)-1]; last.Volumes != 0 {
		t.Errorf("%+v", got)
	}
	line, area := stair{axis: axis{from: at(), to: at().Add(time.Minute)}, height: func(n int) float64 { return float64(n) }}.
		draw(got[:1:1], func(p v1alpha1.Point) (low, now int) { return p.Lowest, p.Least })
	if line == "" || !strings.HasSuffix(area, "Z") {
		t.Errorf("%q, %q", line, area)
	}
}

func TestAxis_MarksRoundTimes(t *testing.T) {
	for _, d := range []time.Duration{0, time.Second, 9 * time.Minute, 26 * time.Hour, 40 * 24 * time.Hour} {
		ticks := axis{from: at(), to: at().Add(d)}.ticks()
		if len(ticks) == 0 || len(ticks) > mostTicks+1 || ticks[0].Left != 0 {
			t.Errorf("%s: %+v", d, ticks)
		}
	}
}

func TestHTML_IsOnePageThatNeedsNothingElse(t *testing.T) {
	var b bytes.Buffer
	if err := (Report{History: diary(), Now: at()}).HTML(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.html", b.Bytes())
	for _, outside := range []string{"http:", "https:", "<script", "<link", "<img", "url(", "@import", "ZgotmplZ"} {
		if strings.Contains(b.String(), outside) {
			t.Errorf("the page has %s", outside)
		}
	}
	if !strings.Contains(b.String(), "Node worker-2 is &lt;not&gt; live.") {
		t.Error("text is not escaped")
	}
}

// A reboot replaces nothing: the page has the columns of the text.
func TestHTML_ARebootIsNotToldAsAReplacement(t *testing.T) {
	h := diary()
	h.Events[0].Plan.Goal = decide.UntilRebooted
	var b bytes.Buffer
	if err := (Report{History: h, Now: at()}).HTML(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "<th>Back</th>") || strings.Contains(b.String(), "Replaced by") {
		t.Error("the table is not that of a reboot")
	}
}

func TestReport_OfARollThatWasLeftSaysSo(t *testing.T) {
	h := diary()
	h.Events = h.Events[:len(h.Events)-1]
	var b bytes.Buffer
	if err := (Report{History: h, Now: at().Add(time.Hour)}).Text(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "nobody goes on with it now; the last that it said: evict 2 pods from worker-1.") {
		t.Errorf("%s", b.String())
	}
}
