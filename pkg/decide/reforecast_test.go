// SPDX-License-Identifier: Apache-2.0

package decide_test

import (
	"reflect"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

func (f *fixture) reforecast(d decide.Decision, r room) decide.Decision {
	return decide.Reforecast(d, f.plan, f.judge(), map[string]forecast.Placer{driver: r})
}

func opening() decide.Decision {
	return decide.Remember{Note: decide.Note{Kind: decide.TurnOpened, Node: ref(1)}}
}

// A turn opens only while its plan still holds: the cluster may have changed
// since the plan was made, by the turns before it or by another hand.
func TestReforecast_ATurnOpensOnlyWhereItCanStillEnd(t *testing.T) {
	f := three(policy.Evict, 1, 2)
	if d := f.reforecast(opening(), true); !reflect.DeepEqual(d, opening()) {
		t.Errorf("%+v", d)
	}
	if w := wantWait(t, f.reforecast(opening(), false), decide.Preflight); len(w.Left) != 1 || w.Limit <= 0 {
		t.Errorf("%+v", w)
	}
	f.plan.Settings = "others"
	h := wantHalt(t, f.reforecast(opening(), false), decide.ExitUnsafe)
	if !has(h.Findings, decide.CodeChanged) || h.Remedy == "" {
		t.Errorf("%+v", h)
	}
	// A turn that is not of this plan is not its business.
	if d := f.reforecast(decide.Remember{Note: decide.Note{Kind: decide.TurnOpened, Node: ref(2)}}, false); !reflect.DeepEqual(d.(decide.Remember).Note.Node, ref(2)) {
		t.Errorf("%+v", d)
	}
}

func TestReforecast_WhileReplicasMoveASettingThatMakesItWorseHalts(t *testing.T) {
	f := three(policy.Evict, 1, 2)
	wait := decide.Wait{Phase: decide.Evacuate, For: "replicas"}
	f.storage().Settings = []cluster.Fact{{Name: "soft", Value: "true"}, {Name: "patience", Value: "600"}}
	f.storage().HoldBack = &cluster.Knob{Name: "patience"}
	f.plan, _ = f.propose(true, func(r *decide.Request) { r.Policy.Strategy = policy.Evict })
	f.storage().Nodes[0].Placement.Evacuate = true
	if d := f.reforecast(wait, false); !reflect.DeepEqual(d, wait) {
		t.Errorf("nothing was changed: %+v", d)
	}
	f.storage().Settings[1].Value = "0" // what only holds rebuilds back
	if d := f.reforecast(wait, false); !reflect.DeepEqual(d, wait) {
		t.Errorf("only the patience was changed: %+v", d)
	}
	f.storage().Settings[0].Value = "false"
	if d := f.reforecast(wait, true); !reflect.DeepEqual(d, wait) {
		t.Errorf("it still fits: %+v", d)
	}
	wantHalt(t, f.reforecast(wait, false), decide.ExitUnsafe)
	wait.Phase = decide.Drain
	if d := f.reforecast(wait, false); !reflect.DeepEqual(d, wait) {
		t.Errorf("nothing is moving any more: %+v", d)
	}
}
