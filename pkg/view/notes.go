// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// unverified says what the verdict does not rest on, and what else was seen.
func (a Answer) unverified(p *printer) {
	var lines []string
	c := count(a.Judgement)
	if n := c.good - c.proven; n > 0 {
		lines = append(lines, fmt.Sprintf("%d of the %s: nobody reads the data now; object, node and disk agree that they are there, and would if a directory were missing or old%s", n, decide.Many(c.good, "good replica"), a.offer()))
	}
	if s := a.Judgement.Snapshot; s != nil && s.Source == cluster.SourceFiles {
		lines = append(lines, "anything after these files were written: nodes, leases and disks may have changed")
	}
	blind, seen := a.notes()
	p.section("Not verified", append(lines, blind...))
	p.section("Also seen", seen)
}

func (p *printer) section(title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	p.line("")
	p.line(p.style.paint(bold, title))
	for _, l := range lines {
		p.para("  ", l)
	}
}

// offer says how more can be known, where nobody has asked for it yet.
func (a Answer) offer() string {
	if s := a.Judgement.Snapshot; s == nil || s.Source != cluster.SourceLive || probed(a.Judgement) {
		return ""
	}
	return "; --probe looks into their directories"
}

// probed reports whether a look into any directory was asked for.
func probed(j *assess.Judgement) bool {
	for i := range j.Volumes {
		for k := range j.Volumes[i].Replicas {
			if j.Volumes[i].Replicas[k].Replica.Probe != nil {
				return true
			}
		}
	}
	return false
}

// notes are the findings that change no verdict, one line a code: those about
// what was not read, and the rest. Those of a replica are left to its volume
// where that is told anyway.
func (a Answer) notes() (blind, seen []string) {
	bad := map[string]bool{}
	for i := range a.Judgement.Volumes {
		if v := &a.Judgement.Volumes[i]; !fine(v.Condition) {
			for _, r := range v.Replicas {
				bad[r.Replica.Name] = true
			}
		}
	}
	var notes []assess.Finding
	for _, f := range a.findings() {
		if f.Severity == assess.Note && (f.Subject.Kind != "Replica" || !bad[f.Subject.Name]) {
			notes = append(notes, f)
		}
	}
	for _, same := range byCode(notes) {
		code := same[0].Code
		line := gathered(same)
		if strings.HasPrefix(code, "input/") || strings.HasPrefix(code, "pv/") {
			blind = append(blind, line)
		} else {
			seen = append(seen, line)
		}
	}
	return blind, seen
}
