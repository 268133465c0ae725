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

// TestGathered_ANodeIsNotLikeItself: findings of one code about a volume on a
// node and about that node are told each by itself.
func TestGathered_ANodeIsNotLikeItself(t *testing.T) {
	fs := []assess.Finding{
		{Code: assess.NodeStillServing, Severity: assess.Danger, Subject: assess.Subject{Kind: "Volume", Name: "data"}, Message: "Volume data is served from node worker-1."},
		{Code: assess.NodeStillServing, Severity: assess.Danger, Subject: assess.Subject{Kind: "Node", Name: "worker-1"}, Message: "An engine runs on node worker-1."},
	}
	a := Answer{Judgement: &assess.Judgement{}, Nodes: []NodeAnswer{{
		Node: cluster.NodeRef{Name: "worker-1"}, MayDrain: assess.Permit{Verdict: cluster.Safe}, MayDelete: assess.Permit{Verdict: cluster.Unsafe, Findings: fs},
	}}}
	var out bytes.Buffer
	if err := a.Text(&out, Style{}); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); strings.Contains(s, "Likewise") || !strings.Contains(s, fs[0].Message) || !strings.Contains(s, fs[1].Message) {
		t.Errorf("%s", s)
	}
}
