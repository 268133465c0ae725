// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// conditions are the words of a summary, the worst first.
func conditions() []assess.Condition {
	return []assess.Condition{
		assess.Lost, assess.Degraded, assess.ConditionUnknown, assess.Busy,
		assess.Whole, assess.Unused, assess.Going,
	}
}

// fine reports whether a condition stands in nobody's way.
func fine(c assess.Condition) bool {
	return c == assess.Whole || c == assess.Unused || c == assess.Going
}

// counts are what a summary is made of.
type counts struct {
	volumes, problems, asleep, replicas, good, proven int
	by                                                map[assess.Condition]int
	words                                             map[assess.Condition]map[string]int
}

func count(j *assess.Judgement) counts {
	c := counts{
		volumes: j.Rest.Volumes, asleep: j.Rest.Asleep, replicas: j.Rest.Replicas, good: j.Rest.Good, proven: j.Rest.Proven,
		by: map[assess.Condition]int{}, words: map[assess.Condition]map[string]int{},
	}
	maps.Copy(c.by, j.Rest.By)
	for i := range j.Volumes {
		v := &j.Volumes[i]
		c.volumes++
		c.by[v.Condition]++
		if !fine(v.Condition) {
			c.problems++
			if c.words[v.Condition] == nil {
				c.words[v.Condition] = map[string]int{}
			}
			c.words[v.Condition][v.Word()]++
		}
		if v.Volume.State == cluster.Detached {
			c.asleep++
		}
		c.replicas += len(v.Replicas)
		c.good += v.Good
		c.proven += v.Proven
	}
	return c
}

// Summary is one sentence: the counts that made the verdict.
func (a Answer) Summary() string {
	c := count(a.Judgement)
	var parts []string
	for _, f := range a.Extra {
		parts = append(parts, strings.TrimSuffix(strings.ToLower(f.Message[:1])+f.Message[1:], "."))
	}
	for _, n := range a.Nodes {
		parts = append(parts, mayBe(n.Node.Name, "drained", n.MayDrain.Verdict))
	}
	switch {
	case c.volumes == 0:
		parts = append(parts, "no volume was found")
	case c.problems == 0 && a.Judgement.Verdict == cluster.Safe:
		parts = append(parts, fmt.Sprintf("every volume is whole: %s, %d of them detached", decide.Many(c.volumes, "volume"), c.asleep))
	case c.problems == 0:
		parts = append(parts, fmt.Sprintf("%s looked whole, and something stands against believing it", decide.Many(c.volumes, "volume")))
	case a.Judgement.Verdict == cluster.VerdictUnknown:
		parts = append(parts, fmt.Sprintf("%d of %s %s not known to be whole: %s", c.problems, decide.Many(c.volumes, "volume"), is(c.problems), c.breakdown()))
	default:
		parts = append(parts, fmt.Sprintf("%d of %s %s not whole: %s", c.problems, decide.Many(c.volumes, "volume"), is(c.problems), c.breakdown()))
	}
	return strings.Join(parts, "; ")
}

func (c counts) breakdown() string {
	var parts []string
	for _, k := range conditions() {
		for _, word := range slices.Sorted(maps.Keys(c.words[k])) {
			parts = append(parts, fmt.Sprintf("%d %s", c.words[k][word], strings.ToLower(word)))
		}
	}
	return strings.Join(parts, ", ")
}

// unused says why volumes without a good replica may be fine.
func (c counts) unused() string {
	switch n := c.by[assess.Unused]; n {
	case 0:
		return ""
	case 1:
		return " 1 volume was never used: it has no good replica, and nothing to lose."
	default:
		return fmt.Sprintf(" %d volumes were never used: they have no good replica, and nothing to lose.", n)
	}
}

func mayBe(node, what string, v cluster.Verdict) string {
	switch v {
	case cluster.Safe:
		return node + " may be " + what
	case cluster.Unsafe:
		return node + " may not be " + what
	default:
		return "it is not known whether " + node + " may be " + what
	}
}

func is(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
