// SPDX-License-Identifier: Apache-2.0

package oracle_test

import (
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

func TestCheck_OthersDoingsAreNotOurs(t *testing.T) {
	es := clean()
	w := world(es)
	w.Losses = []oracle.Loss{{Volume: "v", By: oracle.Theirs}, {Volume: "v", By: oracle.Storage, Damaged: true}, {Volume: "v", By: oracle.Ours, Concealed: 1}}
	w.Deeds[0].Before.Nodes[1].DownSince = w.Deeds[0].At.Add(-30 * time.Second) // nobody can know yet
	w.Deeds[0].Before.Volumes[0].Copies = []cluster.NodeRef{one, two}
	w.Deeds[0].Before.Volumes[0].Concealed = []cluster.NodeRef{{Name: "w3", UID: "u3"}}
	if r := oracle.Check(es, w); len(r.Violations) > 0 {
		t.Error(r.Violations)
	}
}

func TestCheck_WhatIsNoJournalIsNotJudged(t *testing.T) {
	for _, es := range [][]record.Event{nil, clean()[1:]} {
		r := oracle.Check(es, nil)
		if len(r.Violations) > 0 || len(r.NotJudged) != 1 || !strings.Contains(r.NotJudged[0].Why, "begin") {
			t.Errorf("%+v", r)
		}
	}
}
