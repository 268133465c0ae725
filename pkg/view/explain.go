// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Explained is one volume with everything that its condition rests on.
type Explained struct {
	Judgement *assess.Judgement
	Volume    *assess.VolumeJudgement
	Catalogue Catalogue
}

// Explanation returns it as the public type.
func (e Explained) Explanation() v1alpha1.Explanation {
	vj := e.Volume
	out := v1alpha1.Explanation{
		APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindExplanation,
		ObservedAt: Answer{Judgement: e.Judgement}.observedAt(), Driver: vj.Driver,
		Volume: volume(vj), Conclusion: e.conclusion(), Chain: e.chain(),
		Replicas: []v1alpha1.ExplainedReplica{}, Findings: e.Catalogue.Findings(vj.Findings),
		Do: []string{}, DoNot: []string{}, See: []string{},
	}
	for i := range vj.Replicas {
		rj := &vj.Replicas[i]
		out.Replicas = append(out.Replicas, v1alpha1.ExplainedReplica{
			Name: rj.Replica.Name, Says: e.standing(rj), Chain: e.place(rj.Replica),
		})
	}
	a := e.advice()
	out.Do, out.DoNot, out.See = append(out.Do, a.do...), append(out.DoNot, a.not...), append(out.See, a.see...)
	return out
}

// Text writes the chain as a tree, the conclusion, and the remedy.
func (e Explained) Text(to io.Writer, style Style) error {
	x := e.Explanation()
	p := &printer{to: to, style: style}
	p.para("", x.Conclusion)
	p.line("")
	p.tree(x)
	var why []string
	for _, f := range serious(e.Volume.Findings) {
		why = append(why, f.Message+" ["+f.Code+"]")
	}
	p.section("Conclusion", why)
	p.steps("What to do now", x.Do)
	p.section("What not to do", x.DoNot)
	p.section("See", x.See)
	return p.done()
}

// tree draws the chain down to the volume, and below it its engine, its
// replicas, and the directories that none of them names.
func (p *printer) tree(x v1alpha1.Explanation) {
	below := func(l v1alpha1.Link) bool { return l.Kind == linkEngine || l.Kind == linkOrphan }
	depth, left := 0, len(x.Replicas)
	for _, l := range x.Chain {
		if below(l) {
			left++
			continue
		}
		p.branch(strings.Repeat("   ", max(depth-1, 0)), depth > 0, l)
		depth++
	}
	stem := strings.Repeat("   ", max(depth-1, 0))
	links := func(kind string) {
		for _, l := range x.Chain {
			if l.Kind == kind {
				left--
				p.twig(stem, left == 0, spoken(l))
			}
		}
	}
	links(linkEngine)
	for _, r := range x.Replicas {
		left--
		p.twig(stem, left == 0, "replica "+r.Name+": "+r.Says)
		for k, l := range r.Chain {
			p.twig(stem+beside(left == 0), k == len(r.Chain)-1, spoken(l))
		}
	}
	links(linkOrphan)
}

func spoken(l v1alpha1.Link) string {
	words := map[string]string{linkPV: "PersistentVolume", linkStorageNode: "storage on it"}
	kind := l.Kind
	if w, ok := words[kind]; ok {
		kind = w
	}
	if l.Name == "" || l.Kind == linkStorageNode {
		return kind + ": " + l.Says
	}
	return kind + " " + l.Name + ": " + l.Says
}

// branch writes one link below the one before; the first has none above it.
func (p *printer) branch(stem string, below bool, l v1alpha1.Link) {
	if !below {
		p.line(spoken(l))
		return
	}
	p.twig(stem, true, spoken(l))
}

// twig writes one entry of a tree, its lines below each other.
func (p *printer) twig(stem string, last bool, text string) {
	joint := "├─ "
	if last {
		joint = "└─ "
	}
	if p.style.Width < minWidth {
		p.line(stem + joint + text)
		return
	}
	p.raw(p.style.fill(stem+joint, stem+beside(last), text))
}

// beside goes on with the tree beside what is below an entry.
func beside(last bool) string {
	if last {
		return "   "
	}
	return "│  "
}

// conclusion is the condition in a sentence.
func (e Explained) conclusion() string {
	vj := e.Volume
	name := "Volume " + vj.Volume.Name + claim(vj)
	sum := fmt.Sprintf("%d of %d replicas good, %s", vj.Good, vj.Volume.Want, provenOf(vj))
	switch vj.Condition {
	case assess.Whole:
		return name + " is whole: " + sum + "."
	case assess.Unused:
		return name + " was never used: it is whole as it is, and holds no data."
	case assess.Degraded:
		return name + " is not whole: " + sum + "."
	case assess.Lost:
		if vj.Salvageable() {
			return name + " has no replica that can be shown to be good; its data may still be on the disks of failed ones, to be salvaged."
		}
		return name + " is LOST as far as this cluster can tell: no replica is left that could serve its data."
	case assess.Busy:
		return name + " cannot be judged before this has ended: " + strings.Join(vj.Volume.Busy, ", ") + "."
	case assess.Going:
		return name + " is being deleted, and is not counted."
	default:
		return name + " cannot be judged: " + sum + ", and what is known of the others is not enough."
	}
}

// provenOf says how many of the good replicas are proven.
func provenOf(vj *assess.VolumeJudgement) string {
	switch {
	case vj.Proven == 0:
		return "none proven"
	case vj.Proven < vj.Good:
		return fmt.Sprintf("%d of them proven", vj.Proven)
	default:
		return "proven"
	}
}

// standing is a replica's standing with its reason.
func (e Explained) standing(rj *assess.ReplicaJudgement) string {
	s := rj.Standing.String()
	switch {
	case rj.Proof == cluster.Proven && rj.Replica.Claim == cluster.Serving:
		return s + ", proven: an engine that runs reads and writes it"
	case rj.Proof == cluster.Proven:
		return s + ", proven: its data were seen"
	case rj.Standing == cluster.StandingGood:
		return s + ", plausible: object, node and disk agree, and nobody reads its data now"
	}
	s += tag(rj.Code)
	if d, ok := e.Catalogue[rj.Code]; ok {
		s += " " + d.Means
	}
	return s
}

// steps writes what is to be done one after the other.
func (p *printer) steps(title string, lines []string) {
	if len(lines) == 1 {
		p.section(title, lines)
		return
	}
	p.line("")
	p.line(p.style.paint(bold, title))
	for i, l := range lines {
		number := fmt.Sprintf("  %d. ", i+1)
		if p.style.Width < minWidth {
			p.line(number + l)
			continue
		}
		p.raw(p.style.fill(number, strings.Repeat(" ", len(number)), l))
	}
}
