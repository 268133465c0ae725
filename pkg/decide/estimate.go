// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// CopyRate is how fast replicas are assumed to be copied where nobody says, in
// bytes a second, of all copies together: what one disk and one network card of
// a modest machine sustain beside their daily work.
const CopyRate = int64(50) << 20

// Estimate is how long something may take, and on what that rests.
type Estimate struct {
	Took  time.Duration
	Bytes int64
	Basis string
}

// gates of a turn whose two looks are one look interval apart.
const (
	gatesOfEvict  = 2 // may be deleted, settled
	gatesOfRefill = 3 // and may be pruned
)

// Estimate is how long the roll may take, at that many bytes a second; 0 for
// CopyRate.
func (p Proposal) Estimate(rate int64) Estimate {
	e := Estimate{Bytes: p.Heals.Bytes, Took: copied(p.Heals.Bytes, rate)}
	gates := 0
	for _, t := range p.Plan.Turns {
		e.Bytes += t.Bytes
		e.Took += p.EstimateOf(t, rate).Took
		gates += gatesOf(t)
	}
	from := "--copy-rate"
	if rate == 0 {
		rate, from = CopyRate, "an assumption: --copy-rate gives yours"
	}
	e.Basis = fmt.Sprintf("%s copied at %s/s (%s), and %d times two looks %s apart; machines, pods and what changes meanwhile take their own time",
		Size(e.Bytes), Size(rate), from, gates, p.Plan.Policy.LookInterval)
	return e
}

// EstimateOf is one turn's part of it.
func (p Proposal) EstimateOf(t PlannedTurn, rate int64) Estimate {
	return Estimate{Bytes: t.Bytes, Took: copied(t.Bytes, rate) + time.Duration(gatesOf(t))*p.Plan.Policy.LookInterval}
}

func gatesOf(t PlannedTurn) int {
	if t.Strategy == policy.Refill {
		return gatesOfRefill
	}
	return gatesOfEvict // of a reboot too: may be rebooted, settled
}

func copied(bytes, rate int64) time.Duration {
	if rate == 0 {
		rate = CopyRate
	}
	return time.Duration(float64(bytes) / float64(rate) * float64(time.Second))
}

// Size spells bytes for people.
func Size(bytes int64) string {
	const kib = 1 << 10
	switch {
	case bytes >= kib*kib*kib:
		return fmt.Sprintf("%.1f GiB", float64(bytes)/(kib*kib*kib))
	case bytes >= kib*kib:
		return fmt.Sprintf("%d MiB", bytes/(kib*kib))
	case bytes > 0:
		return fmt.Sprintf("%d KiB", (bytes+kib-1)/kib)
	default:
		return "nothing"
	}
}
