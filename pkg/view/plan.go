// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
)

// Plan is what a roll would do, and whether it can end.
type Plan struct {
	Judgement *assess.Judgement
	Proposal  decide.Proposal
	// Rate is how fast replicas are copied, in bytes a second; 0 where nobody
	// said.
	Rate      int64
	Catalogue Catalogue
}

// Text writes the plan for people: the verdict, the turns, then what stands in
// the way, who will notice, and what to do.
func (a Plan) Text(to io.Writer, style Style) error {
	p := &printer{to: to, style: style}
	a.head(p)
	a.healing(p)
	a.problems(p)
	p.section("Who will notice", a.noticed(shownVolumes))
	p.section("Know before", a.notes())
	p.remedies(a.Catalogue, serious(a.Proposal.Refused))
	p.section("Not considered", a.notConsidered())
	return p.done()
}

// Wide writes the same, with every volume that is touched and every pod.
func (a Plan) Wide(to io.Writer, style Style) error {
	p := &printer{to: to, style: style}
	a.head(p)
	a.healing(p)
	a.volumes(p)
	if fs := serious(a.Proposal.Refused); len(fs) > 0 {
		p.line("")
		p.line(style.paint(bold, a.problemsTitle()))
		for _, f := range fs {
			p.finding("  ", f)
		}
	}
	p.section("Who will notice", a.noticed(len(a.Judgement.Snapshot.Pods)))
	p.section("Know before", a.notes())
	p.remedies(a.Catalogue, serious(a.Proposal.Refused))
	p.section("Not considered", a.notConsidered())
	return p.done()
}

func (a Plan) head(p *printer) {
	p.para("", p.style.verdict(a.Proposal.Verdict())+": "+a.Summary()+"; nothing was changed.")
	turns := a.Proposal.Plan.Turns
	if len(turns) == 0 {
		return
	}
	e := a.Proposal.Estimate(a.Rate)
	p.para("  ", fmt.Sprintf("About %s: %s.", short(e.Took.Round(time.Second)), e.Basis))
	p.line("")
	rows := [][]string{{"TURN", "NODE", "STRATEGY", "REPLICAS", "COPIES", "ABOUT", "WHY"}}
	for i, t := range turns {
		took := a.Proposal.EstimateOf(t, a.Rate).Took
		rows = append(rows, []string{
			fmt.Sprint(i + 1), t.Node.Name, string(t.Strategy), fmt.Sprint(t.Replicas),
			decide.Size(t.Bytes), short(took.Round(time.Second)), t.Why,
		})
	}
	p.table(rows)
}

// Summary is one sentence.
func (a Plan) Summary() string {
	c := count(a.Judgement)
	n := len(a.Proposal.Plan.Turns)
	if n == 0 {
		return "no turn could be planned"
	}
	nodes := decide.Many(n, "node")
	if n > 1 {
		nodes += ", one after the other,"
	}
	has := fmt.Sprintf("%s, %d of them detached", decide.Many(c.volumes, "volume"), c.asleep)
	done := "replaced"
	if a.Proposal.Plan.Goal.Reboots() {
		done = "rebooted"
	}
	switch a.Proposal.Verdict() {
	case cluster.Safe:
		return fmt.Sprintf("%s can be %s with every volume kept: %s", nodes, done, has)
	case cluster.Unsafe:
		return fmt.Sprintf("%s cannot be %s as things are: %s", nodes, done, decide.Many(len(serious(a.Proposal.Refused)), "problem"))
	default:
		return fmt.Sprintf("whether %s can be %s is not known: %s", nodes, done, decide.Many(len(serious(a.Proposal.Refused)), "open question"))
	}
}

// healing says what happens before the first turn.
func (a Plan) healing(p *printer) {
	var lines []string
	for _, x := range a.Proposal.Prunes {
		lines = append(lines, fmt.Sprintf("the object of replica %s of volume %s on %s is taken away, once another replica is proven [%s]",
			x.Replica, x.Volume, or(x.Node, "no node"), x.Code))
	}
	if n := len(a.Proposal.Heals.Placed); n > 0 {
		lines = append(lines, fmt.Sprintf("%s rebuilt for volumes that lack one, %s copied", decide.Many(n, "replica"), decide.Size(a.Proposal.Heals.Bytes)))
	}
	if waits := a.Proposal.Plan.Heals; waits > 0 && len(lines) == 0 {
		lines = append(lines, decide.Many(waits, "volume")+" must end what it is doing")
	}
	if n := len(lines) - shownVolumes; n > 0 {
		lines = append(lines[:shownVolumes], fmt.Sprintf("and %d more; -o json shows all", n))
	}
	p.section("Before the first turn", lines)
}

func (a Plan) problemsTitle() string {
	if a.Proposal.Verdict() == cluster.Unsafe {
		return "Why not"
	}
	return "What is not known"
}

func (a Plan) problems(p *printer) {
	p.grouped(a.problemsTitle(), serious(a.Proposal.Refused))
}

// noticed are the pods that somebody misses while they move, at most so many.
func (a Plan) noticed(most int) []string {
	var out []string
	for i, t := range a.Proposal.Turns {
		node := a.Proposal.Plan.Turns[i].Node.Name
		for _, x := range t.Pods {
			if says := notices(x); says != "" {
				out = append(out, fmt.Sprintf("%s: pod %s/%s %s", node, x.Pod.Namespace, x.Pod.Name, says))
			}
		}
	}
	if n := len(out) - most; n > 0 {
		out = append(out[:most], fmt.Sprintf("and %d more; -o wide shows all", n))
	}
	return out
}

// notices says what somebody notices of a pod that is moved; empty where others
// of its owner go on.
func notices(x decide.Disruption) string {
	var says []string
	switch {
	case x.Owner == "":
		says = append(says, "has no controller and is not started again")
	case x.Only:
		says = append(says, "is the only one of "+x.Owner+": down while it moves")
	case strings.HasPrefix(x.Owner, "StatefulSet/"):
		says = append(says, "is one of "+x.Owner+", and comes back under its name elsewhere")
	}
	if x.EmptyDir {
		says = append(says, "loses its emptyDir")
	}
	if x.HostPath {
		says = append(says, "leaves what it keeps in a hostPath behind")
	}
	if x.Nowhere != "" {
		says = append(says, "fits on no other node")
	}
	return strings.Join(says, ", ")
}

// notes are one line a code.
func (a Plan) notes() []string {
	var out []string
	for _, same := range byCode(a.Proposal.Notes) {
		out = append(out, gathered(same))
	}
	return out
}

// notConsidered says what the forecast left out.
func (a Plan) notConsidered() []string {
	var out []string
	if s := a.Judgement.Snapshot; s != nil && s.Source == cluster.SourceFiles {
		out = append(out, "anything after these files were written")
	}
	if len(a.Proposal.Plan.Turns) == 0 {
		return out
	}
	if a.Proposal.Plan.Goal.Reboots() {
		return append(out,
			"which replicas fail while their machine is down, and how much of them is copied again",
			forecast.PodsIgnored())
	}
	like := "like the nodes that they replace, with empty disks of the same size"
	if d := a.Proposal.Plan.Replacement.Disk; d > 0 {
		like = "like the nodes that they replace, with empty disks of " + decide.Size(d) + " each"
	}
	out = append(out,
		"how the replacements turn out: they are taken to be "+like+", in the same zones, with the same tags",
		"which of several fitting disks the storage takes: the places are likely ones, what fits nowhere is certain")
	return append(out, forecast.PodsIgnored())
}

// volumes writes every replica that is moved or rebuilt.
func (a Plan) volumes(p *printer) {
	rows := [][]string{{"NODE", "VOLUME", "CLAIM", "STATE", "REPLICA", "GOES TO", "COPIES"}}
	for i, t := range a.Proposal.Turns {
		planned := a.Proposal.Plan.Turns[i]
		f := t.Chosen(planned.Strategy)
		for _, x := range append(append([]forecast.Placement(nil), f.Stuck...), f.Placed...) {
			v := a.volumeOf(x)
			rows = append(rows, []string{
				planned.Node.Name, x.Volume, or(strings.Trim(v.Namespace+"/"+v.Claim, "/"), "-"), stateWord(v.Detached),
				or(x.Replica, "(rebuilt)"), or(x.Node, "nowhere"), decide.Size(x.Bytes),
			})
		}
	}
	if len(rows) > 1 {
		p.line("")
		p.table(rows)
	}
}

func stateWord(detached bool) string {
	if detached {
		return "detached"
	}
	return "in use"
}
