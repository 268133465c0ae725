// SPDX-License-Identifier: Apache-2.0

package rollbench

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/e2e/scale"
)

// Result is what a roll took.
type Result struct {
	Roll
	Filled time.Duration
	Ledger
	CPU time.Duration
	// Memory is the resident set, second by second, in bytes.
	Memory []int64
	// Waiting counts the requests that were made while the tool waited, by kind;
	// All those of the whole roll. Bytes are what was answered to all.
	Waiting, All map[string]int
	Bytes        int64
	// Wrong is what is not as it must be after a roll; empty if all is.
	Wrong []string
}

func (r *Result) wrong(format string, args ...any) {
	r.Wrong = append(r.Wrong, fmt.Sprintf(format, args...))
}

// count sorts the requests.
func (r *Result) count(all []request) {
	r.Waiting, r.All = map[string]int{}, map[string]int{}
	for _, q := range all {
		r.All[q.kind]++
		r.Bytes += q.bytes
		if slices.ContainsFunc(r.waits, func(s span) bool { return q.at.After(s.from) && q.at.Before(s.to) }) {
			r.Waiting[q.kind]++
		}
	}
}

// Reaction is what share of the reactions took at most that long.
func (r *Result) Reaction(share float64) time.Duration {
	if len(r.Reactions) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(r.Reactions))
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

// Table says it as Markdown.
func (r *Result) Table() string {
	var b strings.Builder
	scale.About(&b)
	fmt.Fprintf(&b, "\n### A roll over %d nodes and %d volumes\n\n", r.Nodes, r.Volumes)
	fmt.Fprintf(&b, "The whole took %s, of which %s were imposed: ratio %.3f. Filling had taken %s.\n\n",
		short(r.Total), short(r.Waits()), r.Ratio(), short(r.Filled))
	b.WriteString("| Time | |\n|---|---:|\n")
	for _, of := range []struct {
		who  string
		what map[string]time.Duration
	}{{"imposed", r.Imposed}, {"the tool's own", r.Own}} {
		for _, what := range slices.Sorted(maps.Keys(of.what)) {
			fmt.Fprintf(&b, "| %s: %s | %s |\n", of.who, what, short(of.what[what]))
		}
	}
	fmt.Fprintf(&b, "\nReaction, from news to the decision: p50 %.2f s, p99 %.2f s, of %d.\n", r.Reaction(0.5).Seconds(), r.Reaction(0.99).Seconds(), len(r.Reactions))
	fmt.Fprintf(&b, "Client CPU %s (%.1f %% of one processor), %.0f MB received.\n\n", short(r.CPU), 100*r.CPU.Seconds()/r.Total.Seconds(), float64(r.Bytes)/1e6)
	b.WriteString("| Requests | A minute while waiting | In all |\n|---|---:|---:|\n")
	for _, kind := range slices.Sorted(maps.Keys(r.All)) {
		fmt.Fprintf(&b, "| %s | %.1f | %d |\n", kind, float64(r.Waiting[kind])/r.Waits().Minutes(), r.All[kind])
	}
	b.WriteString("\n| Memory | MiB, median of a tenth |\n|---|---|\n| over time | ")
	for i := range 10 {
		fmt.Fprintf(&b, "%d ", r.memory(i)>>20)
	}
	if len(r.Memory) > 0 {
		fmt.Fprintf(&b, "|\n| at most | %d |\n", slices.Max(r.Memory)>>20)
	}
	if len(r.Wrong) == 0 {
		b.WriteString("\nNothing was lost, every volume is whole, and the journal violates no invariant.\n")
	}
	for _, w := range r.Wrong {
		fmt.Fprintf(&b, "\nWRONG: %s\n", w)
	}
	return b.String()
}

// memory is the median of that tenth of the roll.
func (r *Result) memory(tenth int) int64 {
	n := len(r.Memory)
	part := slices.Sorted(slices.Values(r.Memory[tenth*n/10 : (tenth+1)*n/10]))
	if len(part) == 0 {
		return 0
	}
	return part[len(part)/2]
}

func short(d time.Duration) string { return d.Round(100 * time.Millisecond).String() }
