// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// write writes the table of one cluster: medians, and ratios to the first way.
func write(b *strings.Builder, s Shape, all []measured) {
	fmt.Fprintf(b, "\n### %s\n\n", s)
	b.WriteString("| Asked with | Wall | × the floor | Client CPU | Peak memory | Lists | MB | Answer |\n|---|---|---|---|---|---|---|---|\n")
	floor := median(all[0].costs, func(c Cost) float64 { return c.Wall.Seconds() })
	for _, m := range all {
		wall := median(m.costs, func(c Cost) float64 { return c.Wall.Seconds() })
		fmt.Fprintf(b, "| %s | %.2f s | %.2f | %.2f s | %.0f MiB | %.0f | %.0f | %s |\n", m.way.name, wall, wall/floor,
			median(m.costs, func(c Cost) float64 { return c.CPU.Seconds() }),
			median(m.costs, func(c Cost) float64 { return float64(c.Memory >> 20) }),
			median(m.costs, func(c Cost) float64 { return c.Requests }),
			median(m.costs, func(c Cost) float64 { return c.Bytes / 1e6 }), m.right)
	}
	fmt.Fprintf(b, "\nMedian of %d rounds, %s.\n", len(all[0].costs), time.Now().UTC().Format(time.DateOnly))
}

func median(cs []Cost, of func(Cost) float64) float64 {
	var v []float64
	for _, c := range cs {
		v = append(v, of(c))
	}
	slices.Sort(v)
	return v[len(v)/2]
}
