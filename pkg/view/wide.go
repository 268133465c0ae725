// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Wide writes the verdict, then every volume as a row of a table, the worst
// first, then every finding.
func (a Answer) Wide(to io.Writer, style Style) error {
	p := &printer{to: to, style: style}
	a.head(p)
	rows := [][]string{{"VOLUME", "NAMESPACE", "CLAIM", "CONDITION", "GOOD", "STATE", "REPLICAS"}}
	by := map[assess.Condition][][]string{}
	for v := range a.Judgement.All() {
		by[v.Condition] = append(by[v.Condition], row(v))
	}
	for _, k := range conditions() {
		rows = append(rows, by[k]...)
	}
	if len(rows) > 1 {
		p.line("")
		p.table(rows)
	}
	if fs := serious(a.findings()); len(fs) > 0 {
		p.line("")
		p.line(style.paint(bold, "Reasons"))
		for _, f := range fs {
			p.finding("  ", f)
		}
	}
	a.remedies(p)
	a.unverified(p)
	return p.done()
}

func row(v *assess.VolumeJudgement) []string {
	replicas := make([]string, 0, len(v.Replicas))
	for _, r := range v.Replicas {
		s := or(r.Replica.Node, "nowhere") + "=" + r.Standing.String()
		if r.Code != "" {
			s += "(" + r.Code + ")"
		}
		replicas = append(replicas, s)
	}
	return []string{
		v.Volume.Name, or(v.ClaimNamespace, "-"), or(v.ClaimName, "-"), v.Word(),
		fmt.Sprintf("%d/%d", v.Good, v.Volume.Want), state(v.Volume.State), or(strings.Join(replicas, " "), "-"),
	}
}

func state(s cluster.VolumeState) string {
	switch s {
	case cluster.Detached:
		return "detached"
	case cluster.Attaching:
		return "attaching"
	case cluster.Attached:
		return "attached"
	case cluster.Detaching:
		return "detaching"
	case cluster.Creating:
		return "creating"
	case cluster.Deleting:
		return "deleting"
	default:
		return "unknown"
	}
}
