// SPDX-License-Identifier: Apache-2.0

package oracle

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// unknowable is how long after a machine has stopped nobody can know of it, on
// top of the age of a lease that still counts: reads and writes take time.
const unknowable = 30 * time.Second

// witnesses judges what needs the truth.
func (c *court) witnesses() {
	if c.truth == nil {
		c.unjudged(I1, "a journal does not show which nodes were out by others' hands")
		c.unjudged(I2, "a journal does not show how many copies there really were")
		c.unjudged(I3, "a journal does not show what was unknown; the rules' own tests hold it")
		c.unjudged(I6, "a journal does not show what others changed in between")
		c.unjudged(I8, "it takes the same roll without the kill")
		return
	}
	c.unjudged(I8, "it takes the same cluster before the roll; the simulator compares what is left with that")
	for _, l := range c.truth.Losses {
		if l.By == Ours && l.Concealed == 0 || l.By == Storage && !l.Damaged {
			c.saw(I2, l.At, "the last copy of volume %s went, by %s doing", l.Volume, l.By)
		}
	}
	for _, d := range c.truth.Deeds {
		c.intended(d)
		c.locked(d)
		if d.Before != nil {
			c.alone(d)
			c.floors(d)
		}
	}
	if c.truth.End != nil {
		c.leftovers(*c.truth.End)
	}
}

func (c *court) saw(i Invariant, at time.Time, format string, args ...any) {
	c.report.Violations = append(c.report.Violations, Violation{Invariant: i, At: at, Says: fmt.Sprintf(format, args...)})
}

// intended: whatever took effect had been announced, to the last field, and was
// done to what it was announced of.
func (c *court) intended(d Deed) {
	switch {
	case d.UID == "":
		c.saw(I5, d.At, "%s changed an object that it did not name by UID", d.Verb)
	case ofMachine(d.Verb) && d.UID != d.Node.UID:
		c.saw(I5, d.At, "%s of %s changed %s, which is another machine", d.Verb, d.Node.Name, d.UID)
	}
	if d.Twice {
		c.saw(I4, d.At, "the command of %s was run while it still ran", d.Node.Name)
	}
	if !c.wasAnnounced(d) {
		c.saw(I4, d.At, "%s of %s took effect, and no intent was written before", d.Verb, d.Node.Name)
	}
}

// wasAnnounced looks for the intent of the very action, or where that is not known
// for one of its kind on its node.
func (c *court) wasAnnounced(d Deed) bool {
	if len(d.Action) > 0 {
		at, ok := c.announced()[string(d.Action)]
		return ok && !at.After(d.At)
	}
	return slices.ContainsFunc(c.events, func(e record.Event) bool {
		return e.Kind == record.Intent && string(e.Action.Verb) == d.Verb && (d.Node.UID == "" || e.Action.Node.UID == d.Node.UID) && !e.At.After(d.At)
	})
}

// ofMachine reports whether what the deed changes is the machine itself.
func ofMachine(verb string) bool {
	return verb == cordon || verb == uncordon || verb == deleteNode || verb == runCommand
}

// announced tells of every action when an intent of it was written first.
func (c *court) announced() map[string]time.Time {
	if c.intents != nil {
		return c.intents
	}
	c.intents = map[string]time.Time{}
	for _, e := range c.events {
		if e.Kind != record.Intent {
			continue
		}
		raw, err := json.Marshal(e.Action)
		if _, known := c.intents[string(raw)]; err == nil && !known {
			c.intents[string(raw)] = e.At
		}
	}
	return c.intents
}

// alone: no other machine is out, by whomever, when one is taken out.
func (c *court) alone(d Deed) {
	p := c.events[0].Plan.Policy
	for _, n := range d.Before.Nodes {
		if n.Ref == d.Node {
			continue
		}
		if n.CordonedBy == Ours {
			c.saw(I1, d.At, "%s of %s while %s is out by our hand", d.Verb, d.Node.Name, n.Ref.Name)
		}
		if c.knownDown(n, d.At) && !p.Accepts("node/other-out", n.Ref.Name) {
			c.saw(I1, d.At, "%s of %s while %s has been down for %s", d.Verb, d.Node.Name, n.Ref.Name, d.At.Sub(n.DownSince))
		}
	}
}

// knownDown reports whether the machine has been down for so long that whoever
// looks can know.
func (c *court) knownDown(n Node, at time.Time) bool {
	return !n.DownSince.IsZero() && at.Sub(n.DownSince) > c.events[0].Plan.Policy.LeaseFresh+unknowable
}

// floors: every volume keeps its floor without the machine; and without one
// that is never to come back, at least what holds its data.
func (c *court) floors(d Deed) {
	p := c.events[0].Plan.Policy
	down := map[cluster.UID]bool{}
	for _, n := range d.Before.Nodes {
		if c.knownDown(n, d.At) {
			down[n.Ref.UID] = true
		}
	}
	for _, v := range d.Before.Volumes {
		if !v.Written || p.Accepts("volume/already-lost", v.Name) {
			continue
		}
		here, elsewhere := where(v.Copies, d.Node, down)
		_, believed := where(v.Concealed, d.Node, down)
		floor := max(v.Need, min(v.Want, max(2, v.Want-1)))
		if p.MinReplicas > 0 {
			floor = max(v.Need, min(v.Want, p.MinReplicas))
		}
		final := d.Verb == deleteNode || d.Verb == runCommand
		switch {
		case final && here > 0 && elsewhere+believed < v.Need:
			c.saw(I3, d.At, "%s of %s takes the last copy of volume %s: %d elsewhere", d.Verb, d.Node.Name, v.Name, elsewhere)
		case elsewhere+believed < floor:
			c.saw(I2, d.At, "%s of %s leaves volume %s %d copies, and its floor is %d", d.Verb, d.Node.Name, v.Name, elsewhere, floor)
		}
	}
}

// where counts the copies on the machine, and those on others that run.
func where(copies []cluster.NodeRef, machine cluster.NodeRef, down map[cluster.UID]bool) (here, elsewhere int) {
	for _, at := range copies {
		switch {
		case at == machine:
			here++
		case !down[at.UID]:
			elsewhere++
		}
	}
	return here, elsewhere
}

// leftovers: after a fulfilled or given-up roll nothing of ours is left, and no
// end leaves a volume awake.
func (c *court) leftovers(end Moment) {
	last := c.events[len(c.events)-1]
	for _, v := range end.Volumes {
		if v.Held {
			c.broke(I6, last, "volume %s is still held awake", v.Name)
		}
	}
	if last.Kind != record.Finished && last.Kind != record.Aborted || last.Kind == record.Finished && staysOpen(c.lastPlanGoal()) {
		return
	}
	for _, n := range end.Nodes {
		if n.CordonedBy == Ours {
			c.broke(I6, last, "node %s is still cordoned by us", n.Ref.Name)
		}
		if n.BarredBy == Ours {
			c.broke(I6, last, "the storage still places nothing on %s, by our hand", n.Ref.Name)
		}
	}
}

// staysOpen: a drain ends with its turn open, and its node as it was made.
func staysOpen(goal string) bool { return goal == "deletable" || goal == "rebootable" }

func reboots(goal string) bool { return goal == "rebootable" || goal == "rebooted" }

func (c *court) lastPlanGoal() string {
	goal := ""
	for _, e := range c.events {
		if e.Plan != nil {
			goal = string(e.Plan.Goal)
		}
	}
	return goal
}
