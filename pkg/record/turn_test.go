// SPDX-License-Identifier: Apache-2.0

package record_test

import (
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

func TestReplay_WhetherTheNodeWasPermittedToGo(t *testing.T) {
	passed := noted(decide.Note{Kind: decide.GatePassed, Gate: decide.GateDelete, Look: &decide.Look{Digest: "x"}})
	other := noted(decide.Note{Kind: decide.GatePassed, Gate: decide.GatePrune, Look: &decide.Look{Digest: "x"}})
	void := func(holds bool) record.Event {
		return noted(decide.Note{Kind: decide.LookVoided, Gate: decide.GateDelete, Holds: holds})
	}
	deed := func(v decide.Verb, c decide.CommandKind) record.Event {
		return intent(decide.Action{Verb: v, Node: node, Command: c})
	}
	waits := func(p decide.Phase) record.Event { return record.Event{Kind: record.Waiting, Phase: p, At: noon} }
	resumed, gone, done := record.Event{Kind: record.Resumed}, noted(decide.Note{Kind: decide.Retired}), outcome(decide.Performed)
	for name, c := range map[string]struct {
		events []record.Event
		want   bool
	}{
		"nobody has asked":                          {nil, false},
		"the gate was passed":                       {[]record.Event{passed}, true},
		"another gate was":                          {[]record.Event{other}, false},
		"and a person took it away in between":      {[]record.Event{passed, waits(decide.Retire), resumed}, true},
		"the machine was switched off before":       {[]record.Event{passed, void(true)}, true},
		"it did not hold any more":                  {[]record.Event{passed, void(false)}, false},
		"an older journal does not tell":            {[]record.Event{passed, void(false), resumed}, false},
		"it was waited for something before it":     {[]record.Event{passed, resumed, waits(decide.Prove)}, false},
		"and behind it again":                       {[]record.Event{passed, waits(decide.Preflight), waits(decide.Retire)}, true},
		"the API server did not answer meanwhile":   {[]record.Event{passed, waits(decide.Verify)}, true},
		"pods came back":                            {[]record.Event{passed, resumed, deed(decide.EvictPods, ""), done}, false},
		"it was in use again":                       {[]record.Event{passed, deed(decide.Uncordon, ""), done}, false},
		"it was cordoned again":                     {[]record.Event{passed, resumed, deed(decide.Cordon, ""), done}, false},
		"our command ended it, and nothing is left": {[]record.Event{passed, deed(decide.RunCommand, decide.RetireCommand), done, void(false)}, true},
		"our command only made another":             {[]record.Event{deed(decide.RunCommand, decide.CreateCommand), done}, false},
	} {
		m := replay(append(append([]record.Event{opened()}, c.events...), gone, waits(decide.Join))...)
		if got := m.Current().MayErase(); got != c.want {
			t.Errorf("%s: may be erased %v, want %v", name, got, c.want)
		}
	}
}
