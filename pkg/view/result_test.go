// SPDX-License-Identifier: Apache-2.0

package view

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// rolled is a turn that took ten minutes.
func rolled() decide.Turn {
	return decide.Turn{
		Node: ref("worker-1"), OpenedAt: at(), DrainedAt: at().Add(2 * time.Minute), RetiredAt: at().Add(3 * time.Minute),
		Joined: cluster.NodeRef{Name: "worker-1", UID: "new-worker-1"}, ClosedAt: at().Add(10 * time.Minute),
	}
}

func TestResult_SaysPerNodeWhatWasDoneAndHowLongItTook(t *testing.T) {
	var b bytes.Buffer
	r := Result{
		Done: decide.Done{Says: "every node was replaced"}, Plan: *plan(),
		Memory: decide.Memory{Turns: []decide.Turn{rolled()}}, Judgement: world(), Took: 11 * time.Minute,
	}
	if err := r.Text(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "result.txt", b.Bytes())
}

// A node that was rebooted is in use again: the drain was taken back, and its time
// is told all the same. One that somebody uncordoned is drained no more.
func TestResult_SaysWhenARebootedNodeWasDrained(t *testing.T) {
	said := func(booted time.Time) string {
		m := rolled()
		m.DrainedAt, m.EmptiedAt, m.RetiredAt, m.Joined, m.BootedAt = time.Time{}, m.DrainedAt, time.Time{}, cluster.NodeRef{}, booted
		p := *plan()
		p.Goal = decide.UntilRebooted
		var b bytes.Buffer
		r := Result{Done: decide.Done{Says: "every node was rebooted"}, Plan: p, Memory: decide.Memory{Turns: []decide.Turn{m}}}
		if err := r.Text(&b, Style{}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if out := said(at().Add(3 * time.Minute)); !strings.Contains(out, "2m       3m    10m") {
		t.Errorf("rebooted:\n%s", out)
	}
	if out := said(time.Time{}); strings.Contains(out, "2m ") {
		t.Errorf("taken back:\n%s", out)
	}
}

func TestChanged_SaysWhatWasSetAside(t *testing.T) {
	back, _ := decide.Inverse(decide.Action{Verb: decide.SetAside, Why: "volume v sleeps; its storage shall rebuild it"})
	if got := changed(back); got != "volume v sleeps; its storage shall rebuild it" {
		t.Error(got)
	}
}

func TestRefusal_SaysWhatWhyEvidenceAndRemedy(t *testing.T) {
	var b bytes.Buffer
	r := Refusal{What: "drain worker-3", Catalogue: docs(), Findings: []assess.Finding{{
		Code: "volume/last-copy", Severity: assess.Danger, Message: "Volume vol-short has its last copy on node worker-3.",
		Subject: assess.Subject{Kind: "Volume", Name: "vol-short"}, Evidence: []cluster.Fact{{Name: "replicas.goodElsewhere", Value: "0"}},
	}}}
	if err := r.Text(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "refusal.txt", b.Bytes())
	if r.Exit() != 3 {
		t.Errorf("exit code %d, want 3", r.Exit())
	}
}

func TestHalted_SaysWhatIsStillChanged(t *testing.T) {
	var b bytes.Buffer
	h := Halted{
		Halt: decide.Halt{Phase: decide.Join, Exit: decide.ExitLimit, Reason: "no progress for 1h0m0s", Missing: []string{"a node that takes the place of worker-1"}, Remedy: "add a node"},
		Left: []decide.Action{{Verb: decide.Uncordon, Node: ref("worker-1")}, {
			Verb: decide.Place, StorageNode: decide.ObjectRef{Name: "worker-1"},
			Was: cluster.Placement{Evacuate: true}, To: cluster.Placement{Accept: true},
		}},
	}
	if err := h.Text(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "halted.txt", b.Bytes())
}

func TestStatus_StateIsToldByTheLastEventAndTheLock(t *testing.T) {
	opened := record.Event{Kind: record.Noted, At: at(), Note: &decide.Note{
		Kind: decide.TurnOpened, Node: ref("worker-1"), Turn: &decide.OpenTurn{}, Says: "turn of worker-1",
	}}
	history := func(more ...record.Event) record.History {
		return record.History{Events: append([]record.Event{{Kind: record.Started, At: at(), Plan: plan()}, opened}, more...)}
	}
	now := at().Add(time.Minute)
	held := record.Holder{Identity: "me", Expires: now.Add(time.Second)}
	for want, s := range map[string]Status{
		stateNone:     {Now: now},
		stateRunning:  {History: history(), Holder: held, Now: now},
		stateStopped:  {History: history(), Now: now},
		stateHalted:   {History: history(record.Event{Kind: record.Halted, Exit: 5, Text: "no progress"}), Now: now},
		stateFinished: {History: history(record.Event{Kind: record.Finished}), Now: now},
	} {
		o := s.Object()
		if o.State != want {
			t.Errorf("state %s, want %s", o.State, want)
		}
		var b bytes.Buffer
		if err := s.Text(&b, Style{}); err != nil {
			t.Fatal(err)
		}
		if want != stateNone && !strings.Contains(b.String(), want+": run r1") {
			t.Errorf("%s: the text does not say so:\n%s", want, b.String())
		}
	}
	if o := (Status{History: history(), Now: now}).Object(); len(o.Turns) != 2 || o.Turns[0].State != "Open" || o.Turns[1].State != "Waiting" {
		t.Errorf("turns %+v", o.Turns)
	}
}

func TestBroken_SaysWhatIsLeftAndHowToGoOn(t *testing.T) {
	var b strings.Builder
	cordoned := decide.Action{Verb: decide.Uncordon, Node: cluster.NodeRef{Name: "worker-1", UID: "u"}}
	if err := (Broken{Again: "kubectl safe-roll run", Left: []decide.Action{cordoned}}).Text(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"node worker-1 is cordoned", "kubectl safe-roll run", "kubectl safe-roll abort"} {
		if !strings.Contains(b.String(), part) {
			t.Errorf("not said: %s\n%s", part, b.String())
		}
	}
}

// Where the journal is gone nobody else will put anything back.
func TestBroken_SaysHowToPutBackByHandWhereTheJournalWasDeleted(t *testing.T) {
	var b strings.Builder
	left := []decide.Action{
		{Verb: decide.Uncordon, Node: cluster.NodeRef{Name: "worker-1", UID: "u"}},
		{Verb: decide.Place, StorageNode: decide.ObjectRef{Name: "worker-1"}, To: cluster.Placement{Accept: true}},
		{Verb: decide.Sleep, Volume: decide.ObjectRef{Name: "v"}, Hold: "safe-roll-r1"},
		{Verb: decide.PutBack, Knob: decide.ObjectRef{Name: "wait"}, From: "0", Into: "600", Why: "put back: wait is 0"},
	}
	if err := (Broken{Again: "kubectl safe-roll run", Left: left, Deleted: true}).Text(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	said := strings.Join(strings.Fields(b.String()), " ")
	for _, part := range []string{
		"node worker-1 is cordoned: kubectl uncordon worker-1", "accept replicas: true, and to be evacuated: false",
		"take the hold safe-roll-r1 off", `set wait from "0" to "600"`, "Where they say that no roll is in flight, put it back by hand",
	} {
		if !strings.Contains(said, part) {
			t.Errorf("not said: %s\n%s", part, b.String())
		}
	}
}
