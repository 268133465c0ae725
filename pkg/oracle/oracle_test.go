// SPDX-License-Identifier: Apache-2.0

package oracle_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

var (
	noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	one  = cluster.NodeRef{Name: "worker-1", UID: "u1"}
	two  = cluster.NodeRef{Name: "worker-2", UID: "u2"}
)

// journal numbers the events and gives each a second of its own.
func journal(es ...record.Event) []record.Event {
	p := decide.Plan{Run: "r", Goal: decide.UntilReplaced, Policy: policy.Default()}
	es = append([]record.Event{{Kind: record.Started, Plan: &p}}, es...)
	for i := range es {
		es[i].Run, es[i].Epoch, es[i].Seq = "r", max(1, es[i].Epoch), int64(i)+1
		es[i].At = noon.Add(time.Duration(i) * time.Second)
	}
	return es
}

func did(a decide.Action) []record.Event {
	return []record.Event{
		{Kind: record.Intent, Action: &a},
		{Kind: record.Done, Action: &a, Outcome: &decide.Outcome{Result: decide.Performed}},
	}
}

func noted(n decide.Note) record.Event { return record.Event{Kind: record.Noted, Note: &n} }

// look is a note of a gate, so long after noon.
func look(k decide.NoteKind, g decide.Gate, after time.Duration, digest string) record.Event {
	at := noon.Add(after)
	return noted(decide.Note{Kind: k, Node: one, Gate: g, Look: &decide.Look{Began: at, Ended: at, Digest: digest}})
}

func passed(g decide.Gate) []record.Event {
	return []record.Event{look(decide.LookTaken, g, 0, "d"), look(decide.GatePassed, g, time.Minute, "d")}
}

// clean is the journal of a whole turn.
func clean() []record.Event {
	opened := noted(decide.Note{Kind: decide.TurnOpened, Node: one, Turn: &decide.OpenTurn{Seen: []cluster.UID{"u1", "u2"}}})
	remove := decide.Action{Verb: decide.DeleteNode, Node: one}
	return journal(slices.Concat(
		[]record.Event{opened},
		did(decide.Action{Verb: decide.Cordon, Node: one}),
		did(decide.Action{Verb: decide.EvictPods, Node: one, Pods: []cluster.PodRef{{Name: "p", UID: "p"}}}),
		[]record.Event{noted(decide.Note{Kind: decide.Drained, Node: one})},
		passed(decide.GateDelete), did(remove),
		[]record.Event{
			noted(decide.Note{Kind: decide.Retired, Node: one}),
			noted(decide.Note{Kind: decide.Joined, Node: cluster.NodeRef{Name: "worker-1", UID: "new"}}),
			noted(decide.Note{Kind: decide.TurnClosed, Node: one}),
			{Kind: record.Finished},
		})...)
}

// at is the first event of that kind and verb.
func at(es []record.Event, k record.Kind, v decide.Verb) *record.Event {
	for i := range es {
		if es[i].Kind == k && (es[i].Action == nil || es[i].Action.Verb == v) {
			return &es[i]
		}
	}
	return nil
}

func without(es []record.Event, drop func(record.Event) bool) []record.Event {
	return journal(slices.DeleteFunc(es[1:], drop)...)
}

func TestCheck_ACleanJournalBreaksNothing(t *testing.T) {
	r := oracle.Check(clean(), nil)
	if len(r.Violations) > 0 {
		t.Error(r.Violations)
	}
	var not []oracle.Invariant
	for _, n := range r.NotJudged {
		not = append(not, n.Invariant)
	}
	for _, i := range []oracle.Invariant{oracle.I2, oracle.I3, oracle.I8, oracle.I10} {
		if !slices.Contains(not, i) {
			t.Errorf("%s passes for judged: %v", i, not)
		}
	}
}

func placed(a decide.Action, r decide.Result) []record.Event {
	es := did(a)
	es[1].Outcome.Result = r
	return es
}

func TestCheck_APlacementMayBePutBackWhereATryMayHaveChangedIt(t *testing.T) {
	bar := decide.Action{
		Verb: decide.Place, Node: one, StorageNode: decide.ObjectRef{Name: "worker-1", UID: "s1"},
		Was: cluster.Placement{Accept: true}, To: cluster.Placement{Evacuate: true},
	}
	back, _ := decide.Inverse(bar)
	undo := did(back)
	undo[0].Phase = decide.Undo
	for name, c := range map[string]struct {
		tries []decide.Result
		ours  bool
	}{
		"done":                          {[]decide.Result{decide.Performed}, true},
		"done, and tried again in vain": {[]decide.Result{decide.Performed, decide.Conflict, decide.Conflict}, true},
		"of unknown fate, and in vain":  {[]decide.Result{decide.Uncertain, decide.Conflict}, true},
		"in vain":                       {[]decide.Result{decide.Conflict, decide.Refused}, false},
	} {
		es := clean()[1:2]
		for _, r := range c.tries {
			es = append(es, placed(bar, r)...)
		}
		r := oracle.Check(journal(append(es, undo...)...), nil)
		broken := slices.ContainsFunc(r.Violations, func(v oracle.Violation) bool { return v.Invariant == oracle.I6 })
		if broken == c.ours {
			t.Errorf("%s: %v", name, r.Violations)
		}
	}
}

func TestCheck_NamesWhatAJournalBreaks(t *testing.T) {
	kind := func(k decide.NoteKind) func(record.Event) bool {
		return func(e record.Event) bool { return e.Note != nil && e.Note.Kind == k }
	}
	for name, c := range map[string]struct {
		want  oracle.Invariant
		spoil func([]record.Event) []record.Event
	}{
		"a second turn": {oracle.I1, func(es []record.Event) []record.Event {
			return journal(append(es[1:2:2], append(es[1:2:2], es[2:]...)...)...)
		}},
		"a deed on another node": {oracle.I1, func(es []record.Event) []record.Event {
			e := at(es, record.Intent, decide.Cordon)
			a := *e.Action
			a.Node = two
			e.Action, es[3].Action = &a, &a
			return es
		}},
		"deleted without the second look": {oracle.I2, func(es []record.Event) []record.Event { return without(es, kind(decide.GatePassed)) }},
		"passed without the first look":   {oracle.I2, func(es []record.Event) []record.Event { return without(es, kind(decide.LookTaken)) }},
		"looks that are too close": {oracle.I2, func(es []record.Event) []record.Event {
			for i := range es {
				if kind(decide.GatePassed)(es[i]) {
					es[i] = look(decide.GatePassed, decide.GateDelete, time.Second, "d")
				}
			}
			return journal(es[1:]...)
		}},
		"looks that differ": {oracle.I2, func(es []record.Event) []record.Event {
			for i := range es {
				if kind(decide.GatePassed)(es[i]) {
					es[i] = look(decide.GatePassed, decide.GateDelete, time.Minute, "e")
				}
			}
			return journal(es[1:]...)
		}},
		"a gate that outlives a restart": {oracle.I2, func(es []record.Event) []record.Event {
			i := slices.IndexFunc(es, kind(decide.GatePassed))
			return journal(slices.Insert(es[1:], i, record.Event{Kind: record.Resumed})...)
		}},
		"an outcome without an intent": {oracle.I4, func(es []record.Event) []record.Event {
			return without(es, func(e record.Event) bool { return e.Kind == record.Intent && e.Action.Verb == decide.Cordon })
		}},
		"a deed before the outcome of another": {oracle.I4, func(es []record.Event) []record.Event {
			return without(es, func(e record.Event) bool { return e.Kind == record.Done && e.Action.Verb == decide.Cordon })
		}},
		"a hole":           {oracle.I4, func(es []record.Event) []record.Event { return slices.Delete(es, 4, 5) }},
		"an older process": {oracle.I4, func(es []record.Event) []record.Event { es[2].Epoch = 9; return es }},
		"no UID": {oracle.I5, func(es []record.Event) []record.Event {
			at(es, record.Intent, decide.Cordon).Action.Node.UID = ""
			return es
		}},
		"a pod without a UID": {oracle.I5, func(es []record.Event) []record.Event {
			at(es, record.Intent, decide.EvictPods).Action.Pods[0].UID = ""
			return es
		}},
		"an uncordon of what was not cordoned": {oracle.I6, func(es []record.Event) []record.Event {
			return journal(append(es[1:2:2], did(decide.Action{Verb: decide.Uncordon, Node: one})...)...)
		}},
		"a wait without an end": {oracle.I7, func(es []record.Event) []record.Event {
			for i := 6; i < len(es); i++ {
				es[i].At = es[i].At.Add(48 * time.Hour)
			}
			return es
		}},
		"a replacement that was there before": {oracle.I9, func(es []record.Event) []record.Event {
			for i := range es {
				if kind(decide.Joined)(es[i]) {
					es[i].Note.Node.UID = "u2"
				}
			}
			return es
		}},
		"proof from before the drain": {oracle.I9, func(es []record.Event) []record.Event {
			return journal(slices.Insert(es[1:], 1, noted(decide.Note{Kind: decide.Proved, Node: one}))...)
		}},
	} {
		t.Run(name, func(t *testing.T) { breaks(t, oracle.Check(c.spoil(clean()), nil), c.want) })
	}
}

func breaks(t *testing.T, r oracle.Report, want oracle.Invariant) {
	t.Helper()
	if !slices.ContainsFunc(r.Violations, func(v oracle.Violation) bool { return v.Invariant == want }) {
		t.Errorf("not seen: %v", r.Violations)
	}
}

// world is a truth in which nothing is wrong: every volume has two copies
// elsewhere.
func world(es []record.Event) *oracle.Truth {
	before := func() *oracle.Moment {
		return &oracle.Moment{
			Nodes:   []oracle.Node{{Ref: one}, {Ref: two}},
			Volumes: []oracle.Volume{{Name: "v", Want: 3, Need: 1, Written: true, Copies: []cluster.NodeRef{one, two, {Name: "w3", UID: "u3"}}}},
		}
	}
	deed := func(v decide.Verb) oracle.Deed {
		e := at(es, record.Intent, v)
		raw, err := json.Marshal(e.Action)
		if err != nil {
			panic(err)
		}
		return oracle.Deed{At: e.At.Add(time.Millisecond), Verb: string(v), Node: one, UID: "u1", Action: raw, Before: before()}
	}
	return &oracle.Truth{
		Deeds: []oracle.Deed{deed(decide.Cordon), deed(decide.DeleteNode)},
		End:   &oracle.Moment{},
	}
}

func TestCheck_NamesWhatTheTruthShows(t *testing.T) {
	es := clean()
	if r := oracle.Check(es, world(es)); len(r.Violations) > 0 {
		t.Fatal(r.Violations)
	}
	for name, c := range map[string]struct {
		want oracle.Invariant
		edit func(*oracle.Truth)
	}{
		"another machine is down":    {oracle.I1, func(w *oracle.Truth) { w.Deeds[0].Before.Nodes[1].DownSince = noon.Add(-time.Hour) }},
		"another is out by our hand": {oracle.I1, func(w *oracle.Truth) { w.Deeds[0].Before.Nodes[1].CordonedBy = oracle.Ours }},
		"below the floor":            {oracle.I2, func(w *oracle.Truth) { w.Deeds[0].Before.Volumes[0].Copies = []cluster.NodeRef{one, two} }},
		"what is believed in lies on the machine": {oracle.I2, func(w *oracle.Truth) {
			v := &w.Deeds[0].Before.Volumes[0]
			v.Copies, v.Concealed = []cluster.NodeRef{two}, []cluster.NodeRef{one}
		}},
		"a loss of our doing":                   {oracle.I2, func(w *oracle.Truth) { w.Losses = []oracle.Loss{{Volume: "v", By: oracle.Ours}} }},
		"a loss of the storage's":               {oracle.I2, func(w *oracle.Truth) { w.Losses = []oracle.Loss{{Volume: "v", By: oracle.Storage}} }},
		"the last copy":                         {oracle.I3, func(w *oracle.Truth) { w.Deeds[1].Before.Volumes[0].Copies = []cluster.NodeRef{one} }},
		"a deed that nobody announced":          {oracle.I4, func(w *oracle.Truth) { w.Deeds[0].At = noon }},
		"a verb that nobody announced":          {oracle.I4, func(w *oracle.Truth) { w.Deeds[1].Action, w.Deeds[1].Verb = nil, "uncordon" }},
		"another deed than was announced":       {oracle.I4, func(w *oracle.Truth) { w.Deeds[0].Action = json.RawMessage(`{"verb":"cordon"}`) }},
		"a command that still ran":              {oracle.I4, func(w *oracle.Truth) { w.Deeds[1].Twice = true }},
		"a deed on the machine that came since": {oracle.I5, func(w *oracle.Truth) { w.Deeds[1].UID = "u9" }},
		"a deed on whoever bears the name":      {oracle.I5, func(w *oracle.Truth) { w.Deeds[0].UID = "" }},
		"a volume that is kept awake":           {oracle.I6, func(w *oracle.Truth) { w.End.Volumes = []oracle.Volume{{Name: "v", Held: true}} }},
		"a cordon that stays":                   {oracle.I6, func(w *oracle.Truth) { w.End.Nodes = []oracle.Node{{Ref: two, CordonedBy: oracle.Ours}} }},
		"a bar that stays":                      {oracle.I6, func(w *oracle.Truth) { w.End.Nodes = []oracle.Node{{Ref: two, BarredBy: oracle.Ours}} }},
	} {
		t.Run(name, func(t *testing.T) {
			es := clean()
			w := world(es)
			c.edit(w)
			breaks(t, oracle.Check(es, w), c.want)
		})
	}
}
