// SPDX-License-Identifier: Apache-2.0

package record_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

var (
	noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	node = cluster.NodeRef{Name: "worker-1", UID: "u1"}
)

func intent(a decide.Action) record.Event {
	return record.Event{Kind: record.Intent, Action: &a, At: noon}
}

func outcome(r decide.Result) record.Event {
	return record.Event{Kind: record.Done, Outcome: &decide.Outcome{Result: r, Detail: "said"}, At: noon}
}

func noted(n decide.Note) record.Event {
	n.Node = node
	return record.Event{Kind: record.Noted, Note: &n, At: noon}
}

func opened() record.Event {
	return noted(decide.Note{Kind: decide.TurnOpened, Turn: &decide.OpenTurn{}})
}

func replay(es ...record.Event) decide.Memory {
	_, m := record.Replay(record.History{Events: append([]record.Event{{Kind: record.Started, Plan: &decide.Plan{}}}, es...)})
	return m
}

func TestReplay_UndoRegister(t *testing.T) {
	place := decide.Action{
		Verb: decide.Place, Node: node, Driver: "d", StorageNode: decide.ObjectRef{Name: "worker-1", UID: "s1"},
		Was: cluster.Placement{Accept: true}, To: cluster.Placement{Evacuate: true},
	}
	back := place
	back.Was, back.To = place.To, place.Was
	cordon := decide.Action{Verb: decide.Cordon, Node: node}
	forget := decide.Action{Verb: decide.Forget, Node: node, Driver: "d", StorageNode: place.StorageNode}
	wake := decide.Action{Verb: decide.Wake, Node: node, Volume: decide.ObjectRef{Name: "v", UID: "v1"}, Hold: "h", HoldNode: "b"}
	asleep := decide.Action{Verb: decide.Sleep, Node: cluster.NodeRef{Name: "other"}, Volume: wake.Volume, Hold: "h"}
	for _, c := range []struct {
		name   string
		events []record.Event
		want   []decide.Verb
	}{
		{"an intent alone must be undone: it may have happened", []record.Event{intent(place)}, []decide.Verb{decide.Place}},
		{"what was refused changed nothing", []record.Event{intent(place), outcome(decide.Refused)}, nil},
		{"what met a conflict changed nothing", []record.Event{intent(place), outcome(decide.Conflict)}, nil},
		{"an uncertain outcome must be undone", []record.Event{intent(place), outcome(decide.Uncertain)}, []decide.Verb{decide.Place}},
		{"the way back empties it", []record.Event{intent(place), outcome(decide.Performed), intent(back), outcome(decide.Performed)}, nil},
		{"a way back that met a conflict is tried again", []record.Event{intent(place), outcome(decide.Performed), intent(back), outcome(decide.Conflict)}, []decide.Verb{decide.Place}},
		{"so is one that met two", []record.Event{intent(place), outcome(decide.Performed), intent(back), outcome(decide.Conflict), intent(back), outcome(decide.Conflict)}, []decide.Verb{decide.Place}},
		{"one that met three is over", []record.Event{
			intent(place), outcome(decide.Performed), intent(back), outcome(decide.Conflict), intent(back), outcome(decide.Conflict), intent(back), outcome(decide.Conflict),
		}, nil},
		{"what was refused before is no conflict", []record.Event{
			intent(place), outcome(decide.Performed), intent(back), outcome(decide.Refused), intent(back), outcome(decide.Uncertain), intent(back), outcome(decide.Conflict),
		}, []decide.Verb{decide.Place}},
		{"a way back that is done after two conflicts has no way back of its own", []record.Event{
			intent(place), outcome(decide.Performed), intent(back), outcome(decide.Conflict), intent(back), outcome(decide.Conflict), intent(back), outcome(decide.Performed),
		}, nil},
		{"a way back that is uncertain is tried again", []record.Event{intent(place), outcome(decide.Performed), intent(back), outcome(decide.Uncertain)}, []decide.Verb{decide.Place}},
		{"the latest comes first", []record.Event{intent(place), outcome(decide.Performed), intent(wake), outcome(decide.Performed)}, []decide.Verb{decide.Sleep, decide.Place}},
		{"tried again after a crash, it is put back once",
			[]record.Event{intent(wake), outcome(decide.Uncertain), intent(wake), outcome(decide.Performed), intent(asleep), outcome(decide.Performed)}, nil},
		{"what landed late and is met again was ours", []record.Event{intent(place), outcome(decide.Uncertain), intent(place), outcome(decide.Conflict)}, []decide.Verb{decide.Place}},
		{"what was done and is tried again by old facts was ours", []record.Event{intent(place), outcome(decide.Performed), intent(place), outcome(decide.Conflict)}, []decide.Verb{decide.Place}},
		{"a hold may be taken back in another turn", []record.Event{intent(wake), outcome(decide.Performed), intent(asleep), outcome(decide.Performed)}, nil},
		{"a machine that is gone needs nothing put back, a hold does",
			[]record.Event{opened(), intent(place), outcome(decide.Performed), intent(wake), outcome(decide.Performed), noted(decide.Note{Kind: decide.Retired, Gone: true})},
			[]decide.Verb{decide.Sleep}},
		{"what a storage keeps of it does, and does where a journal does not tell",
			[]record.Event{opened(), intent(cordon), outcome(decide.Performed), intent(place), outcome(decide.Performed), noted(decide.Note{Kind: decide.Retired})},
			[]decide.Verb{decide.Place}},
		{"until that is deleted", []record.Event{opened(), intent(place), outcome(decide.Performed), noted(decide.Note{Kind: decide.Retired}), intent(forget), outcome(decide.Performed)}, nil},
		{"or a replacement takes replicas", []record.Event{opened(), intent(place), outcome(decide.Performed), noted(decide.Note{Kind: decide.Retired}), noted(decide.Note{Kind: decide.Joined})}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []decide.Verb
			for _, a := range replay(c.events...).Undo {
				got = append(got, a.Verb)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestReplay_LooksDoNotSurviveARestart(t *testing.T) {
	taken := noted(decide.Note{Kind: decide.LookTaken, Gate: decide.GateDelete, Look: &decide.Look{Digest: "x"}})
	passed := noted(decide.Note{Kind: decide.GatePassed, Gate: decide.GateSettle, Look: &decide.Look{Digest: "x"}})
	m := replay(opened(), taken, passed)
	if len(m.Looks) != 1 || len(m.Passed) != 1 {
		t.Fatalf("looks %v, passed %v", m.Looks, m.Passed)
	}
	m = replay(opened(), taken, passed, record.Event{Kind: record.Resumed})
	if len(m.Looks) != 0 || len(m.Passed) != 0 {
		t.Errorf("after a restart: looks %v, passed %v", m.Looks, m.Passed)
	}
}

func TestReplay_ClosingATurnForgetsItsLooks(t *testing.T) {
	passed := noted(decide.Note{Kind: decide.GatePassed, Gate: decide.GateSettle, Look: &decide.Look{Digest: "x"}})
	m := replay(opened(), passed, noted(decide.Note{Kind: decide.TurnClosed}))
	if len(m.Passed) != 0 {
		t.Error("the next turn would settle on the look of the last one")
	}
	if m.Current() != nil {
		t.Error("the turn is still open")
	}
}

func TestReplay_ACommandCountsOnlyWhenItEndedWell(t *testing.T) {
	run := decide.Action{Verb: decide.RunCommand, Node: node, Command: decide.CreateCommand}
	if m := replay(opened(), intent(run), outcome(decide.Uncertain)); len(m.Current().Ran) != 0 {
		t.Error("a command of unknown outcome counts as run")
	}
	if m := replay(opened(), intent(run), outcome(decide.Performed)); m.Current().Ran[decide.CreateCommand].IsZero() {
		t.Error("a command that ended well does not count")
	}
}

func TestReplay_CordonedAtIsTheIntentOrTheOpening(t *testing.T) {
	c := decide.Action{Verb: decide.Cordon, Node: node}
	if m := replay(opened(), intent(c)); !m.Current().CordonedAt.Equal(noon) {
		t.Error("a crash after the cordon loses when it was")
	}
	was := noted(decide.Note{Kind: decide.TurnOpened, Turn: &decide.OpenTurn{Cordoned: true}})
	if m := replay(was); !m.Current().CordonedAt.Equal(noon) {
		t.Error("a node that was cordoned before has no time")
	}
}

func at(minutes int, e record.Event) record.Event {
	e.At = noon.Add(time.Duration(minutes) * time.Minute)
	return e
}

func TestReplay_ANodeThatWasInUseAgainHasNoCreditOfTheDrainBefore(t *testing.T) {
	deed := func(v decide.Verb) decide.Action { return decide.Action{Verb: v, Node: node} }
	drained := []record.Event{
		opened(), intent(deed(decide.Cordon)), outcome(decide.Performed), at(1, noted(decide.Note{Kind: decide.Drained})),
		at(2, noted(decide.Note{Kind: decide.Proved, Replicas: []cluster.UID{"r"}})),
	}
	put := func(es ...record.Event) *decide.Turn {
		m := replay(append(append([]record.Event{}, drained...), es...)...)
		return m.Current()
	}
	if u := put(); u.CordonedAt.IsZero() || u.DrainedAt.IsZero() || u.Proved["r"].Before(u.DrainedAt) {
		t.Fatalf("without any of that: %+v", u)
	}
	// A halt puts the cordon back, and the same command goes on days later.
	u := put(at(3, intent(deed(decide.Uncordon))), at(3, outcome(decide.Performed)))
	if !u.CordonedAt.IsZero() || !u.DrainedAt.IsZero() {
		t.Errorf("uncordoned: %+v", u)
	}
	u = put(at(3, intent(deed(decide.Uncordon))), at(9, intent(deed(decide.Cordon))), at(9, outcome(decide.Performed)))
	if !u.CordonedAt.Equal(noon.Add(9*time.Minute)) || !u.DrainedAt.IsZero() {
		t.Errorf("cordoned again: %+v", u)
	}
	u = put(at(9, intent(deed(decide.EvictPods))), at(9, outcome(decide.Performed)), at(10, noted(decide.Note{Kind: decide.Drained})))
	if !u.CordonedAt.Equal(noon) || !u.Proved["r"].Before(u.DrainedAt) {
		t.Errorf("pods had come back: %+v", u)
	}
	other := decide.Action{Verb: decide.Cordon, Node: cluster.NodeRef{Name: node.Name, UID: "another life"}}
	if u := put(at(9, intent(other))); u.DrainedAt.IsZero() {
		t.Errorf("another machine's cordon: %+v", u)
	}
}

func TestReplay_WhatWasProvenAfterTheDrainCountsWhateverTheClocksSay(t *testing.T) {
	m := replay(opened(), at(5, noted(decide.Note{Kind: decide.Drained})),
		at(1, noted(decide.Note{Kind: decide.Proved, Replicas: []cluster.UID{"r"}}))) // a machine that is behind
	if u := m.Current(); u.Proved["r"].Before(u.DrainedAt) {
		t.Error("it would be written down again and again")
	}
}

func TestReplay_WhatTheServerAskedForIsRemembered(t *testing.T) {
	a := decide.Action{Verb: decide.Cordon, Node: node}
	refused := outcome(decide.Refused)
	refused.Outcome.After = time.Minute
	if m := replay(intent(a), refused); m.Asked != time.Minute {
		t.Errorf("asked for %s", m.Asked)
	}
	if m := replay(intent(a), refused, intent(a), outcome(decide.Performed)); m.Asked != 0 {
		t.Errorf("still asked for %s", m.Asked)
	}
}

func TestReplay_AnUnknownOutcomeMakesTheNextTryWait(t *testing.T) {
	place := decide.Action{Verb: decide.Place, Node: node}
	m := replay(intent(place), outcome(decide.Uncertain), intent(place), outcome(decide.Uncertain))
	if m.Refusals != 2 || m.RefusedAt.IsZero() || m.Refusal == "" {
		t.Errorf("%+v", m)
	}
}

func TestOver(t *testing.T) {
	started := record.Event{Kind: record.Started, Plan: &decide.Plan{Goal: decide.UntilReplaced}}
	drain := record.Event{Kind: record.Started, Plan: &decide.Plan{Goal: decide.UntilDeletable}}
	for _, c := range []struct {
		name   string
		events []record.Event
		want   bool
	}{
		{"an empty journal", nil, true},
		{"a fulfilled run", []record.Event{started, opened(), {Kind: record.Finished}}, true},
		{"a drain leaves its turn open", []record.Event{drain, opened(), {Kind: record.Finished}}, false},
		{"a drain whose node was replaced is over however it ended",
			[]record.Event{drain, opened(), noted(decide.Note{Kind: decide.TurnClosed}), {Kind: record.Halted}}, true},
		{"a run between two nodes", []record.Event{started, opened(), noted(decide.Note{Kind: decide.TurnClosed}), {Kind: record.Halted}}, false},
		{"an aborted roll", []record.Event{drain, opened(), {Kind: record.Aborted}}, true},
		{"refused before anything was touched", []record.Event{started, {Kind: record.Halted}}, true},
		{"interrupted while it healed", []record.Event{started, intent(decide.Action{Verb: decide.Prune}), outcome(decide.Performed), {Kind: record.Interrupted}}, false},
		{"interrupted in a turn", []record.Event{started, opened(), {Kind: record.Interrupted}}, false},
		{"died between intent and outcome", []record.Event{started, intent(decide.Action{Verb: decide.Sleep})}, false},
	} {
		if got := (record.History{Events: c.events}).Over(); got != c.want {
			t.Errorf("%s: over = %v", c.name, got)
		}
	}
}

func TestReplay_ABootIsRememberedAndWhatIsProvenAfterItComesAfterIt(t *testing.T) {
	m := replay(opened(),
		at(9, noted(decide.Note{Kind: decide.Rebooted, Node: node, Boot: "b2"})),
		at(1, noted(decide.Note{Kind: decide.Proved, Node: node, Replicas: []cluster.UID{"r"}})))
	turn := m.Current()
	if turn == nil || turn.Boot != "b2" || turn.BootedAt.IsZero() || !turn.RetiredAt.IsZero() {
		t.Fatalf("%+v", turn)
	}
	if turn.Proved["r"].Before(turn.BootedAt) { // by a clock that was set back
		t.Error("what was proven after the boot passes for older")
	}
}

func TestReplay_ADeedEndsTheLooksFromBeforeIt(t *testing.T) {
	look := func(k decide.NoteKind, g decide.Gate) record.Event {
		return noted(decide.Note{Kind: k, Gate: g, Look: &decide.Look{Digest: "x"}})
	}
	for _, c := range []struct {
		verb decide.Verb
		keep map[decide.Gate]bool
	}{
		{decide.Cordon, nil}, // somebody had put the node to use again
		{decide.EvictPods, nil},
		{decide.Place, nil},
		{decide.Wake, nil},
		{decide.Sleep, nil},
		{decide.Prune, map[decide.Gate]bool{decide.GatePrune: true}},
		{decide.DeleteNode, map[decide.Gate]bool{decide.GateDelete: true}},
		{decide.RunCommand, map[decide.Gate]bool{decide.GateDelete: true, decide.GateReboot: true}},
	} {
		m := replay(opened(), look(decide.GatePassed, decide.GateDelete), look(decide.GatePassed, decide.GatePrune), look(decide.GatePassed, decide.GateReboot),
			look(decide.LookTaken, decide.GateSettle), intent(decide.Action{Verb: c.verb, Node: node}))
		for _, g := range []decide.Gate{decide.GateDelete, decide.GatePrune, decide.GateReboot} {
			if _, ok := m.Passed[g]; ok != c.keep[g] {
				t.Errorf("%s: the gate %q stays passed: %v", c.verb, g, ok)
			}
		}
		if len(m.Looks) != 0 {
			t.Errorf("%s: a first look from before it still counts", c.verb)
		}
	}
}

func TestOver_NotWhileWhatMustNotStayIsNotPutBack(t *testing.T) {
	aside := decide.Action{Verb: decide.SetAside, Driver: "d", Knob: decide.ObjectRef{Name: "wait", UID: "k"}, From: "600", Into: "0"}
	back, _ := decide.Inverse(aside)
	h := record.History{Events: []record.Event{
		{Kind: record.Started, Plan: &decide.Plan{Goal: decide.UntilReplaced}},
		intent(aside), outcome(decide.Performed), intent(back), outcome(decide.Refused), {Kind: record.Finished},
	}}
	if h.Over() {
		t.Error("a setting is not as it was, and nobody goes on")
	}
	h.Events = append(h.Events, intent(back), outcome(decide.Performed), record.Event{Kind: record.Finished})
	if !h.Over() {
		t.Error("nothing is left to be done")
	}
}

func TestReplay_ACommandWhoseEndNobodySawIsAstray(t *testing.T) {
	run := decide.Action{Verb: decide.RunCommand, Node: node, Command: decide.CreateCommand}
	unseen := outcome(decide.Uncertain)
	unseen.Outcome.Unseen = true
	begun := intent(run)
	begun.At = noon.Add(-time.Hour)
	for name, c := range map[string]struct {
		events []record.Event
		want   decide.CommandKind
	}{
		"not seen to end":            {[]record.Event{begun, unseen}, decide.CreateCommand},
		"seen to fail":               {[]record.Event{begun, outcome(decide.Uncertain)}, ""},
		"run again, and seen to end": {[]record.Event{begun, unseen, intent(run), outcome(decide.Performed)}, ""},
		"somebody says that it has":  {[]record.Event{begun, unseen, noted(decide.Note{Kind: decide.CommandEnded})}, ""},
		"another deed":               {[]record.Event{intent(decide.Action{Verb: decide.DeleteNode, Node: node}), unseen}, ""},
	} {
		m := replay(append([]record.Event{opened()}, c.events...)...)
		switch turn := m.Current(); {
		case turn.Astray != c.want:
			t.Errorf("%s: astray %q, want %q", name, turn.Astray, c.want)
		case c.want != "" && !turn.AstrayAt.Equal(begun.At):
			t.Errorf("%s: since %s, want %s", name, turn.AstrayAt, begun.At)
		}
	}
}
