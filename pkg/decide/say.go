// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
)

// sentence begins with a capital and ends with a full stop, as what assess says
// does: people read both under one heading. What it begins with must be a word
// and no name.
func sentence(format string, args ...any) string {
	s := fmt.Sprintf(format, args...)
	return strings.ToUpper(s[:1]) + strings.TrimRight(s[1:], ".") + "."
}

// clause is a sentence that goes on another one.
func clause(s string) string { return strings.TrimRight(s, ".") }

// nodeFinding is a finding about a node that refuses its turn.
func nodeFinding(code, node, message string, facts ...cluster.Fact) assess.Finding {
	return assess.Finding{
		Code: code, Severity: assess.Danger, Evidence: facts,
		Subject: assess.Subject{Kind: "Node", Name: node}, Message: sentence("%s", message),
	}
}

// conditionOf is the word for the condition of the volume.
func conditionOf(j *assess.Judgement, volume string) string {
	if v := j.Volume(volume); v != nil {
		return v.Condition.String()
	}
	return "there is no such volume"
}

func replicaOf(p forecast.Placement) string {
	if p.Replica == "" {
		return "a replica of volume " + p.Volume
	}
	return "replica " + p.Replica + " of volume " + p.Volume
}

// stuckFinding says what fits nowhere, why, and what would help.
func stuckFinding(code string, p forecast.Placement, what string) assess.Finding {
	f := assess.Finding{
		Code: code, Severity: assess.Danger, Subject: assess.Subject{Kind: "Volume", Name: p.Volume},
		Message: sentence("%s: %s", what, p.Why),
	}
	if p.Unclear {
		f.Severity = assess.Unclear
	}
	if len(p.Ways) == 0 {
		f.Evidence = []cluster.Fact{{Name: "way out", Value: "none that is known"}}
	}
	for _, w := range p.Ways {
		f.Evidence = append(f.Evidence, cluster.Fact{Name: "way out", Value: w.Says})
	}
	return f
}
