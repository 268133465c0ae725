// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"math"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
)

// mostAdvised bounds for how many replicas ways out are looked for: whoever has
// more problems of the kind has seen them all by then.
const mostAdvised = 20

// advise says of a replica that fits nowhere whether that is certain, and what
// would make it possible. Each way is tried, not guessed.
func (b *board) advise(v *cluster.Volume, u usage, p *forecast.Placement) {
	if at, _ := b.other(func(o *board) { o.unsure = true }).choose(v, u); at.disk != nil {
		p.Unclear = true
	}
	if b.advised++; b.advised > mostAdvised {
		return
	}
	add := func(kind forecast.WayKind, says string) {
		p.Ways = append(p.Ways, forecast.Way{Kind: kind, Says: says})
	}
	for _, t := range trials() {
		w := *v
		o := b.other(func(o *board) { t.change(o, &w) })
		if at, _ := o.choose(&w, u); at.disk == nil {
			continue
		}
		if t.says == "" {
			add(forecast.WayRepair, "uncordon "+strings.Join(b.cordoned(), " or "))
			continue
		}
		add(forecast.WaySetting, t.says)
	}
	b.spacious(v, u, add)
}

// trial is a change of the rules that is tried.
type trial struct {
	says   string // empty: no cordon at all
	change func(*board, *cluster.Volume)
}

func trials() []trial {
	return []trial{
		{"", func(b *board, _ *cluster.Volume) { b.uncordoned = true }},
		{emptyNodeTags + " true", func(b *board, _ *cluster.Volume) { b.set.emptyNode = true }},
		{emptyDiskTags + " true", func(b *board, _ *cluster.Volume) { b.set.emptyDisk = true }},
		{"replica-zone-soft-anti-affinity true, or the volume's own, so that two copies may share a zone",
			func(_ *board, v *cluster.Volume) { v.SharesZone = cluster.Yes }},
		{"replica-disk-soft-anti-affinity true, or the volume's own, so that two copies may share a disk",
			func(_ *board, v *cluster.Volume) { v.SharesDisk = cluster.Yes }},
	}
}

// cordoned names the nodes that are closed for being cordoned.
func (b *board) cordoned() []string {
	var out []string
	for _, r := range b.refused {
		if r.why == "is cordoned" {
			out = append(out, r.node)
		}
	}
	return out
}

// spacious says how much space would do on the disk with most room, and which
// limit stands in the way there.
func (b *board) spacious(v *cluster.Volume, u usage, add func(forecast.WayKind, string)) {
	roomy := b.other(func(o *board) { o.set.minimalLeft, o.set.overProvided = -1<<20, 1<<20 })
	at, _ := roomy.choose(v, u)
	if at.disk == nil {
		return
	}
	d, least := at.disk, b.short(v, u, at)
	if least == 0 {
		return
	}
	add(forecast.WaySpace, fmt.Sprintf("%s more on disk %s of node %s", inGiB(least), d.Name, at.node.Name))
	promise := int64(math.Ceil(float64(b.promised(v, u, at)) * 100 / float64(max(d.Maximum-d.Reserved, 1))))
	if left := b.left(v, d); promise > b.set.overProvided && left > percent(d.Maximum, b.set.minimalLeft) {
		add(forecast.WaySetting, fmt.Sprintf("%s %d instead of %d", overProvision, promise, b.set.overProvided))
	}
}
