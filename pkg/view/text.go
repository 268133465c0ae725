// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"io"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// shownVolumes is how many a first reading should hold; the rest is counted.
const shownVolumes = 10

// Text writes the answer for people: the verdict, the nodes that were asked
// about, then only what is wrong, what to do, and what was not verified.
func (a Answer) Text(to io.Writer, style Style) error {
	p := &printer{to: to, style: style}
	a.head(p)
	a.problems(p)
	a.others(p)
	a.remedies(p)
	a.unverified(p)
	return p.done()
}

func (a Answer) head(p *printer) {
	p.para("", p.style.verdict(a.Verdict())+": "+a.Summary()+".")
	c := count(a.Judgement)
	if c.volumes > 0 {
		p.para("  ", fmt.Sprintf("%d of %s good, on %s; as of %s.%s", c.good, decide.Many(c.replicas, "replica"), liveNodes(a.Judgement), a.asOf(), c.unused()))
	}
	for _, n := range a.Nodes {
		p.para("  ", fmt.Sprintf("%s: to drain it as it is: %s; to delete it now: %s", n.Node.Name,
			p.style.verdict(n.MayDrain.Verdict), p.style.verdict(n.MayDelete.Verdict)))
	}
}

// remedies says what to do; of what stands in the way later only, where the
// answer is a yes.
func (a Answer) remedies(p *printer) {
	if a.Verdict() == cluster.Safe {
		p.advise(a.Catalogue, a.reasons())
		return
	}
	p.remedies(a.Catalogue, a.reasons(), a.moved()...)
}

func (a Answer) asOf() string {
	at := a.observedAt()
	if at == nil {
		return "an unknown time"
	}
	return at.Format("2006-01-02 15:04:05Z")
}

func liveNodes(j *assess.Judgement) string {
	live := 0
	for i := range j.Nodes {
		if j.Nodes[i].Live == cluster.Yes {
			live++
		}
	}
	if live == len(j.Nodes) {
		return decide.Many(live, "live node")
	}
	return fmt.Sprintf("%d live of %s", live, decide.Many(len(j.Nodes), "node"))
}

// problems writes the volumes that stand in the way, the worst first.
func (a Answer) problems(p *printer) {
	var bad []*assess.VolumeJudgement
	for _, k := range conditions() {
		for i := range a.Judgement.Volumes {
			if v := &a.Judgement.Volumes[i]; v.Condition == k && !fine(k) {
				bad = append(bad, v)
			}
		}
	}
	if len(bad) == 0 {
		return
	}
	p.line("")
	p.line(p.style.paint(bold, "Volumes that are not whole"))
	for _, v := range bad[:min(len(bad), shownVolumes)] {
		p.volume(v)
	}
	if n := len(bad) - shownVolumes; n > 0 {
		p.linef("  and %d more; -o wide or -o json shows all", n)
	}
}

// volume writes one volume: the reasons for its condition, then on what
// evidence each of its replicas does not count.
func (p *printer) volume(v *assess.VolumeJudgement) {
	told := false
	for _, f := range serious(v.Findings) {
		told = true
		p.para("  ", f.Message+" ["+f.Code+"]")
	}
	if !told {
		p.linef("  %s%s: %s, %d of %d replicas good", v.Volume.Name, claim(v), v.Word(), v.Good, v.Volume.Want)
	}
	for _, r := range v.Replicas {
		if r.Standing != cluster.StandingGood {
			p.para("    ", r.Replica.Name+" on "+or(r.Replica.Node, "no node")+": "+r.Standing.String()+tag(r.Code)+because(r.Evidence))
		}
	}
}

func tag(code string) string {
	if code == "" {
		return ""
	}
	return " [" + code + "]"
}

func because(fs []cluster.Fact) string {
	if len(fs) == 0 {
		return ""
	}
	return " " + evidence(fs)
}

func (p *printer) finding(indent string, f assess.Finding) {
	p.para(indent, f.Message+" ["+f.Code+"]")
	p.evidence(indent+"  ", f.Evidence)
}

func (p *printer) evidence(indent string, fs []cluster.Fact) {
	if len(fs) > 0 {
		p.para(indent, evidence(fs))
	}
}

func claim(v *assess.VolumeJudgement) string {
	if v.ClaimName == "" {
		return ""
	}
	return " (" + v.ClaimNamespace + "/" + v.ClaimName + ")"
}

func or(s, instead string) string {
	if s == "" {
		return instead
	}
	return s
}

// reasons are the findings that call for a remedy: the serious ones, and why
// replicas of the volumes that are told do not count.
func (a Answer) reasons() []assess.Finding {
	out := serious(a.findings())
	for i := range a.Judgement.Volumes {
		v := &a.Judgement.Volumes[i]
		if fine(v.Condition) {
			continue
		}
		for _, r := range v.Replicas {
			if r.Standing != cluster.StandingGood && r.Code != "" {
				out = append(out, assess.Finding{Code: r.Code})
			}
		}
	}
	return out
}

// serious are the findings that change a verdict.
func serious(fs []assess.Finding) []assess.Finding {
	var out []assess.Finding
	for _, f := range fs {
		if f.Severity != assess.Note {
			out = append(out, f)
		}
	}
	return out
}
