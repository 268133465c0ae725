// SPDX-License-Identifier: Apache-2.0

package view

import (
	"bytes"
	"strings"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// TestAnswer_WhatMayBeSalvagedIsNotCalledLost: in every form of the answer.
func TestAnswer_WhatMayBeSalvagedIsNotCalledLost(t *testing.T) {
	for standing, word := range map[cluster.Standing]string{cluster.StandingFailed: "Failed", cluster.StandingAbsent: "Lost"} {
		a := Answer{Judgement: &assess.Judgement{Verdict: cluster.Unsafe, Volumes: []assess.VolumeJudgement{{
			Volume: &cluster.Volume{Name: "data", Want: 1}, Condition: assess.Lost,
			Replicas: []assess.ReplicaJudgement{{Replica: &cluster.Replica{Name: "r"}, Here: standing, Standing: standing}},
		}}}}
		var wide bytes.Buffer
		if err := a.Wide(&wide, Style{}); err != nil {
			t.Fatal(err)
		}
		if got := a.Verification().Volumes[0].Condition; got != word {
			t.Errorf("JSON says %s, want %s", got, word)
		}
		if got := a.Summary(); !strings.HasSuffix(got, "1 "+strings.ToLower(word)) {
			t.Errorf("the summary says %q, want %s", got, word)
		}
		if !strings.Contains(wide.String(), " "+word+" ") {
			t.Errorf("the table does not say %s:\n%s", word, wide.String())
		}
	}
}
