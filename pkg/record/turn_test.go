// SPDX-License-Identifier: Apache-2.0

package record_test

import (
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
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

func TestReplay_WhatEndsAMachineIsBegunUntilItIsCertainThatItWasNot(t *testing.T) {
	run := func(k decide.CommandKind) record.Event {
		return intent(decide.Action{Verb: decide.RunCommand, Node: node, Command: k})
	}
	passed := noted(decide.Note{Kind: decide.GatePassed, Gate: decide.GateDelete, Look: &decide.Look{Digest: "x"}})
	booted := noted(decide.Note{Kind: decide.Rebooted, Boot: "second"})
	other := cluster.NodeRef{Name: node.Name, UID: "another life"}
	for name, c := range map[string]struct {
		events []record.Event
		want   bool
	}{
		"nothing":                    {nil, false},
		"its outcome is open":        {[]record.Event{run(decide.RetireCommand)}, true},
		"it ended well":              {[]record.Event{run(decide.ReplaceCommand), outcome(decide.Performed)}, true},
		"it failed":                  {[]record.Event{run(decide.RetireCommand), outcome(decide.Uncertain)}, true},
		"it was refused":             {[]record.Event{run(decide.RetireCommand), outcome(decide.Refused)}, false},
		"it met a conflict":          {[]record.Event{run(decide.RetireCommand), outcome(decide.Conflict)}, false},
		"failed, and then refused":   {[]record.Event{run(decide.RetireCommand), outcome(decide.Uncertain), run(decide.RetireCommand), outcome(decide.Refused)}, true},
		"the Node was to be deleted": {[]record.Event{intent(decide.Action{Verb: decide.DeleteNode, Node: node}), outcome(decide.Uncertain)}, true},
		"another's was":              {[]record.Event{intent(decide.Action{Verb: decide.DeleteNode, Node: other}), outcome(decide.Uncertain)}, false},
		"it was to be rebooted":      {[]record.Event{run(decide.RebootCommand), outcome(decide.Uncertain)}, true},
		"and was":                    {[]record.Event{run(decide.RebootCommand), outcome(decide.Uncertain), booted}, false},
		"another one is made":        {[]record.Event{run(decide.CreateCommand), outcome(decide.Performed)}, false},
		"it went, and was permitted": {[]record.Event{passed, noted(decide.Note{Kind: decide.Retired})}, true},
		"it went, and was not":       {[]record.Event{noted(decide.Note{Kind: decide.Retired})}, false},
		"it was cordoned":            {[]record.Event{intent(decide.Action{Verb: decide.Cordon, Node: node}), outcome(decide.Performed)}, false},
	} {
		m := replay(append([]record.Event{opened()}, c.events...)...)
		if got := m.Current().Going(); got != c.want {
			t.Errorf("%s: on its way out %v, want %v", name, got, c.want)
		}
	}
}
