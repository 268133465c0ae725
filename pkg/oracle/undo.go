// SPDX-License-Identifier: Apache-2.0

package oracle

import (
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// undone: what is put back was changed by us before, and is put back to what
// it was. A hold of an earlier roll bears our name and may be taken back too.
// What a deed that had no effect would have changed was not changed by us,
// unless an earlier try may have had one: a conflict may then be our own doing.
func undone(c *court) {
	cordons := map[cluster.UID]bool{}
	was := map[cluster.UID]cluster.Placement{}
	first := false // the deed in hand is the first on its object
	for _, e := range c.events {
		if e.Action == nil {
			continue
		}
		a, begun := *e.Action, e.Kind == record.Intent
		nothing := e.Kind == record.Done && (e.Outcome.Result == "refused" || e.Outcome.Result == "conflict")
		switch string(a.Verb) {
		case cordon:
			if begun {
				cordons[a.Node.UID] = true
			}
		case uncordon:
			if begun && !cordons[a.Node.UID] {
				c.broke(I6, e, "%s is uncordoned, and we never cordoned it", a.Node.Name)
			}
		case place:
			before, changed := was[a.StorageNode.UID]
			switch {
			case begun && !changed && string(e.Phase) == "undo":
				c.broke(I6, e, "the placement of %s is put back, and we never changed it", a.StorageNode.Name)
			case begun && changed && string(e.Phase) == "undo" && a.To != before:
				c.broke(I6, e, "the placement of %s is put back to %+v, and it was %+v", a.StorageNode.Name, a.To, before)
			case begun && !changed:
				was[a.StorageNode.UID] = a.Was
			case nothing && first:
				delete(was, a.StorageNode.UID)
			}
			first = begun && !changed
		}
	}
}

// slack is what a wait may last beyond its limit: the reads and the writes
// around it have limits of their own.
const slack = time.Hour

// waits: no wait is longer than the longest wait, and the journal ends with an
// end.
func waits(c *court) {
	longest := time.Duration(0)
	for i, e := range c.events {
		if e.Plan != nil {
			longest = e.Plan.Policy.LongestWait
		}
		if i == 0 || e.Kind == record.Resumed || e.Kind == record.Replanned {
			continue // nobody was there
		}
		last := c.events[i-1]
		if d := e.At.Sub(last.At); last.Kind != record.Intent && d > longest+slack {
			c.broke(I7, e, "nothing happened for %s, and the longest wait is %s", d, longest)
		}
	}
	last := c.events[len(c.events)-1]
	switch {
	case ends(last.Kind):
	case c.truth != nil && c.truth.End != nil:
		c.broke(I7, last, "the last process has ended, and the journal does not say how")
	default:
		c.unjudged(I7, "the journal does not end with an end: a process works on it, or was killed")
	}
}

func ends(k record.Kind) bool {
	switch k {
	case record.Finished, record.Halted, record.Interrupted, record.Aborted:
		return true
	}
	return false
}

// strangers: a replacement is a machine that was not there when the turn
// opened, and nothing is proven by a machine that was.
func strangers(c *court) {
	seen := map[cluster.UID]bool{}
	drained, after := false, "drained"
	if reboots(c.lastPlanGoal()) {
		after = "rebooted"
	}
	for _, e := range c.events {
		if e.Kind != record.Noted {
			continue
		}
		switch string(e.Note.Kind) {
		case "turn-opened":
			clear(seen)
			drained = e.Note.Turn == nil
			if e.Note.Turn != nil {
				for _, uid := range e.Note.Turn.Seen {
					seen[uid] = true
				}
			}
		case "joined":
			if seen[e.Note.Node.UID] {
				c.broke(I9, e, "%s is taken for the replacement, and it was there before", e.Note.Node.Name)
			}
		case after:
			drained = true
		case "proved":
			if !drained {
				c.broke(I9, e, "replicas count as proven, and the node was not %s", after)
			}
		}
	}
}
