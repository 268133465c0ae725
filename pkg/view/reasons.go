// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// told remembers which findings were written already.
type told map[[2]string]bool

// fresh returns those of the findings that are serious and new, and remembers
// them.
func (t told) fresh(fs []assess.Finding) []assess.Finding {
	var out []assess.Finding
	for _, f := range serious(fs) {
		key := [2]string{f.Code, f.Message}
		if !t[key] {
			t[key] = true
			out = append(out, f)
		}
	}
	return out
}

// others writes the findings that no volume above has told, then why each node
// that was asked about may not go.
func (a Answer) others(p *printer) {
	seen := told{}
	for i := range a.Judgement.Volumes {
		if v := &a.Judgement.Volumes[i]; !fine(v.Condition) {
			seen.fresh(v.Findings)
		}
	}
	p.grouped("Reasons", seen.fresh(append(a.Judgement.Findings, a.Extra...)))
	for _, n := range a.Nodes {
		p.why(no(n.Node.Name, "drained", n.MayDrain.Verdict), seen, n.MayDrain)
		p.why(no(n.Node.Name, "deleted now", n.MayDelete.Verdict), seen, n.MayDelete)
	}
}

// why writes why an answer is no yes: what has not been told yet, or where it
// all has been, what that was.
func (p *printer) why(title string, seen told, permit assess.Permit) {
	fresh, all := seen.fresh(permit.Findings), serious(permit.Findings)
	if len(fresh) > 0 || len(all) == 0 {
		p.grouped(title, fresh)
		return
	}
	var codes []string
	for _, f := range all {
		if !slices.Contains(codes, f.Code) {
			codes = append(codes, f.Code)
		}
	}
	p.section(title, []string{"For what is told above: " + strings.Join(codes, ", ") + "."})
}

func no(node, what string, v cluster.Verdict) string {
	return "Why " + mayBe(node, what, v)
}

// grouped writes findings under a title, one entry a code: the first with its
// evidence, the others of the code by name.
func (p *printer) grouped(title string, fs []assess.Finding) {
	if len(fs) == 0 {
		return
	}
	p.line("")
	p.line(p.style.paint(bold, title))
	for _, same := range byCode(fs) {
		p.para("  ", gathered(same))
		p.evidence("    ", same[0].Evidence)
	}
}

// byCode gathers findings of one code about things of one kind, in the order in
// which these first came: a node that is named after a volume would be said to
// be like itself.
func byCode(fs []assess.Finding) [][]assess.Finding {
	at := map[[2]string]int{}
	var out [][]assess.Finding
	for _, f := range fs {
		key := [2]string{f.Code, f.Subject.Kind}
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], f)
	}
	return out
}

// gathered is one line for findings of one code: the first as it is, the
// others by the name of what they are about.
func gathered(fs []assess.Finding) string {
	line := fs[0].Message + " [" + fs[0].Code + "]"
	if len(fs) == 1 {
		return line
	}
	names := others(fs)
	if len(names) == 0 {
		return fmt.Sprintf("%s And %d more of the kind.", line, len(fs)-1)
	}
	const shown = 8
	line += " Likewise " + strings.Join(names[:min(len(names), shown)], ", ")
	if n := len(names) - shown; n > 0 {
		line += fmt.Sprintf(" and %d more", n)
	}
	return line + "."
}

// others names what the findings after the first are about, each once.
func others(fs []assess.Finding) []string {
	seen := map[string]bool{fs[0].Subject.Name: true, "": true}
	var names []string
	for _, f := range fs[1:] {
		if !seen[f.Subject.Name] {
			seen[f.Subject.Name] = true
			names = append(names, f.Subject.Name)
		}
	}
	return names
}

// moved says that a drain of ours would do better than one as things are: it
// has replicas moved away first.
func (a Answer) moved() []string {
	if a.Judgement.Verdict != cluster.Safe {
		return nil
	}
	for _, n := range a.Nodes {
		if n.MayDrain.Verdict != cluster.Safe {
			return []string{"kubectl safe-roll drain " + n.Node.Name + " has replicas moved away first, where they fit elsewhere."}
		}
	}
	return nil
}
