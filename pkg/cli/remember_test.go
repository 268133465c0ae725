// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

func TestRemembering_TheMachinesThatTheJournalSawGo(t *testing.T) {
	h, err := readJournal("testdata/journals/clean.jsonl", nil)
	if err != nil {
		t.Fatal(err)
	}
	before := &cluster.Snapshot{}
	s := remembering(before, h, nil)
	if len(s.Retired) == 0 || len(s.Gaps) != 0 || len(before.Retired) != 0 {
		t.Fatalf("retired %v, gaps %v; before %v", s.Retired, s.Gaps, before.Retired)
	}
	for _, r := range s.Retired {
		if r.Node.Name == "" || r.Node.UID == "" || r.At.IsZero() {
			t.Errorf("%+v", r)
		}
	}
	if s := remembering(before, record.History{}, nil); len(s.Retired) != 0 || len(s.Gaps) != 0 {
		t.Errorf("without a roll: retired %v, gaps %v", s.Retired, s.Gaps)
	}
}

func TestRemembering_AJournalThatWasNotReadIsAGapThatOnlyLowersTheEvidence(t *testing.T) {
	before := &cluster.Snapshot{Gaps: make([]cluster.Gap, 0, 4)}
	for _, c := range []struct {
		err  error
		want cluster.GapReason
	}{
		{apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "safe-roll", nil), cluster.GapForbidden},
		{errors.New("no answer"), cluster.GapFailed},
	} {
		s := remembering(before, record.History{}, c.err)
		if len(s.Gaps) != 1 || s.Gaps[0].Reason != c.want || s.Gaps[0].Needed || s.Gaps[0].ForDrain || s.Gaps[0].OfStorage {
			t.Errorf("%v: %+v", c.err, s.Gaps)
		}
	}
}
