// SPDX-License-Identifier: Apache-2.0

package view

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

func ref(name string) cluster.NodeRef {
	return cluster.NodeRef{Name: name, UID: cluster.UID("uid-" + name)}
}

func plan() *decide.Plan {
	return &decide.Plan{Run: "r1", Goal: decide.UntilReplaced, Turns: []decide.PlannedTurn{
		{Node: ref("worker-1"), Strategy: policy.Evict, Why: "all 4 replicas on it fit elsewhere"},
		{Node: ref("worker-2"), Strategy: policy.Refill, Why: "1 of 4 replicas on it fit nowhere else"},
	}}
}

// waiting tells a wait in the first turn, with so many volumes left.
func waitingFor(p *Progress, left ...string) {
	mem := &decide.Memory{Turns: []decide.Turn{{Node: ref("worker-1")}}}
	p.Watch(roll.Report{Kind: roll.ReportDecided, Plan: plan(), Memory: mem, Decision: decide.Wait{
		Phase: decide.Rebuild, For: "volumes to be rebuilt", Left: left, Progress: strings.Join(left, ","),
		Limit: 30 * time.Minute, LimitName: "rebuild limit",
	}})
}

func progressed(f func(*Progress)) []string {
	var b bytes.Buffer
	p := NewProgress(&b, Style{})
	f(p)
	p.Close()
	return strings.Split(strings.TrimSpace(b.String()), "\n")
}

func TestProgress_ALineSaysTurnPhaseWhatIsWaitedForAndWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := progressed(func(p *Progress) {
			waitingFor(p, "vol-1", "vol-2", "vol-3", "vol-4")
			time.Sleep(1500 * time.Millisecond)
		})
		want := "1/2 worker-1 · rebuild  waiting for volumes to be rebuilt: vol-1; vol-2; vol-3; and 1 more"
		if len(got) != 1 || !strings.HasSuffix(got[0], want) {
			t.Errorf("got %q, want one line that ends with %q", got, want)
		}
	})
}

func TestProgress_TheSameWaitIsNotToldAtEveryTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := progressed(func(p *Progress) {
			for range 20 {
				waitingFor(p, "vol-1")
				time.Sleep(time.Second)
			}
		})
		if len(got) != 1 {
			t.Errorf("%d lines for one wait of 20 s: %q", len(got), got)
		}
	})
}

func TestProgress_AWaitThatIsOverAtOnceIsNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := progressed(func(p *Progress) {
			waitingFor(p, "vol-1")
			time.Sleep(500 * time.Millisecond)
			p.Watch(roll.Report{Kind: roll.ReportNoted, Text: "done"})
			p.Watch(roll.Report{Kind: roll.ReportActing, Action: &decide.Action{Why: "sleep"}})
			time.Sleep(5 * time.Second)
		})
		if len(got) != 2 {
			t.Errorf("lines %q, want the two that say what was done", got)
		}
	})
}

func TestProgress_SilenceIsNeverLongerThanAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := progressed(func(p *Progress) {
			p.Watch(roll.Report{Kind: roll.ReportActing, Action: &decide.Action{Verb: decide.RunCommand, Why: "run the create command for worker-1"}})
			time.Sleep(5 * time.Minute)
		})
		if len(got) < 6 {
			t.Fatalf("%d lines in five minutes: %q", len(got), got)
		}
		if !strings.Contains(got[1], "still: run the create command for worker-1 (") {
			t.Errorf("the second line does not say what still goes on: %q", got[1])
		}
	})
}

func TestProgress_CommandOutputIsToldLineByLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := progressed(func(p *Progress) {
			w := p.Lines()
			for _, part := range []string{"machine 1", " is off\nmachine 1 is on\nhalf"} {
				if _, err := w.Write([]byte(part)); err != nil {
					t.Error(err)
				}
			}
		})
		if len(got) != 2 || !strings.HasSuffix(got[0], "| machine 1 is off") {
			t.Errorf("got %q", got)
		}
	})
}

func TestEvents_OneObjectALineAndAWaitOnce(t *testing.T) {
	var b bytes.Buffer
	e := NewEvents(&b, docs())
	wait := decide.Wait{Phase: decide.Drain, For: "2 pods to end", Left: []string{"pod a/b"}, Progress: "1"}
	e.Watch(roll.Report{Kind: roll.ReportStarted, Plan: plan()})
	for range 3 {
		e.Watch(roll.Report{Kind: roll.ReportDecided, Plan: plan(), Memory: &decide.Memory{}, Decision: wait})
	}
	halt := decide.Halt{Phase: decide.Drain, Exit: 3, Reason: "no", Findings: []assess.Finding{{Code: "a/b", Severity: assess.Danger}}}
	e.Watch(roll.Report{Kind: roll.ReportDecided, Plan: plan(), Memory: &decide.Memory{}, Decision: halt})
	e.Watch(roll.Report{Kind: roll.ReportHalted, Plan: plan(), Memory: &decide.Memory{}, Decision: halt})
	var types []string
	for line := range bytes.Lines(b.Bytes()) {
		var ev v1alpha1.Event
		if err := json.Unmarshal(line, &ev); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if ev.Run != "r1" || ev.Kind != v1alpha1.KindEvent {
			t.Errorf("no envelope: %s", line)
		}
		types = append(types, ev.Type)
	}
	if got := strings.Join(types, " "); got != "started waiting halted" {
		t.Errorf("events %q", got)
	}
	if e.Err() != nil {
		t.Error(e.Err())
	}
}

func TestStill_TheLineThatMovesNeverWraps(t *testing.T) {
	text := strings.Repeat("·wait", 30)
	for size := range 60 {
		if got := cut(text, size); size > 3 && len(got) > size {
			t.Errorf("%d bytes, want at most %d: %q", len(got), size, got)
		}
	}
	if got := cut("short", 60); got != "short" {
		t.Errorf("got %q", got)
	}
}
