// SPDX-License-Identifier: Apache-2.0

package oracle

import (
	"slices"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// The verbs and gates, in the journal's own words.
const (
	cordon     = "cordon"
	uncordon   = "uncordon"
	place      = "place"
	evictPods  = "evict-pods"
	wake       = "wake"
	sleep      = "sleep"
	prune      = "prune"
	setAside   = "set-aside"
	putBack    = "put-back"
	forget     = "forget"
	deleteNode = "delete-node"
	runCommand = "run-command"

	gateDelete = "may-be-deleted"
	gateReboot = "may-be-rebooted"
	gatePrune  = "may-be-pruned"
)

// sequence: the journal counts without holes, and an older process writes
// nothing once a younger one has begun.
func sequence(c *court) {
	for i, e := range c.events[1:] {
		last := c.events[i]
		if e.Seq != last.Seq+1 {
			c.broke(I4, e, "event %d follows event %d: something is missing in between", e.Seq, last.Seq)
		}
		if e.Epoch < last.Epoch {
			c.broke(I4, e, "a process of epoch %d wrote after one of epoch %d", e.Epoch, last.Epoch)
		}
		if e.Run != last.Run {
			c.broke(I4, e, "the roll changes its name from %s to %s", last.Run, e.Run)
		}
	}
}

// intents: each outcome follows its own intent, and no deed is begun while the
// one before it is open.
func intents(c *court) {
	var open *record.Event
	for i := range c.events {
		e := &c.events[i]
		switch e.Kind {
		case record.Intent:
			if open != nil {
				c.broke(I4, *e, "a deed is begun while the outcome of event %d is not known", open.Seq)
			}
			open = e
		case record.Done:
			switch {
			case open == nil:
				c.broke(I4, *e, "an outcome without an intent")
			case e.Action == nil || !e.Action.Same(*open.Action):
				c.broke(I4, *e, "the outcome is of another deed than the intent of event %d", open.Seq)
			}
			open = nil
		}
	}
}

// named: every deed names its objects by UID.
func named(c *court) {
	for _, e := range c.events {
		if e.Kind != record.Intent {
			continue
		}
		a := e.Action
		bad := a.Node.UID == ""
		switch string(a.Verb) {
		case setAside, putBack:
			bad = a.Knob.UID == ""
		case forget:
			bad = bad || a.StorageNode.UID == ""
		case place:
			bad = bad || a.StorageNode.UID == ""
		case wake, sleep:
			bad = bad || a.Volume.UID == ""
		case prune:
			bad = bad || a.Volume.UID == "" || a.Replica.UID == ""
		case evictPods:
			for _, p := range a.Pods {
				bad = bad || p.UID == ""
			}
		}
		if bad {
			c.broke(I5, e, "%s names an object without its UID", a.Verb)
		}
	}
}

// oneTurn: one turn is open at a time, and only its node is taken out. It is
// out until it is gone, or put to use again by whoever had cordoned it.
func oneTurn(c *court) {
	var open cluster.NodeRef
	out, cordoned := map[cluster.UID]bool{}, map[cluster.UID]bool{}
	for _, e := range c.events {
		switch {
		case e.Kind == record.Noted && e.Note.Kind == "turn-opened":
			if open.UID != "" {
				c.broke(I1, e, "the turn of %s opens during that of %s", e.Note.Node.Name, open.Name)
			}
			open = e.Note.Node
		case e.Kind == record.Noted && e.Note.Kind == "turn-closed":
			if !cordoned[open.UID] {
				delete(out, open.UID)
			}
			open = cluster.NodeRef{}
		case e.Kind == record.Noted && e.Note.Kind == "retired":
			delete(out, e.Note.Node.UID)
		case e.Kind == record.Done && ended(e) && (e.Outcome.Result == "performed" || e.Outcome.Result == "conflict"):
			// A conflict says that somebody else has put it to use already.
			delete(out, e.Action.Node.UID)
		case e.Kind == record.Intent && takesOut(string(e.Action.Verb)):
			ref := e.Action.Node
			if ref != open {
				c.broke(I1, e, "%s of %s, and it is not the turn's node", e.Action.Verb, ref.Name)
			}
			out[ref.UID] = true
			cordoned[ref.UID] = cordoned[ref.UID] || string(e.Action.Verb) == cordon
			if len(out) > 1 {
				c.broke(I1, e, "%d nodes are out by our hand", len(out))
			}
		}
	}
}

// ended reports whether the deed ends that its node is out by our hand.
func ended(e record.Event) bool {
	return string(e.Action.Verb) == uncordon || string(e.Action.Verb) == deleteNode
}

func takesOut(verb string) bool {
	switch verb {
	case cordon, evictPods, deleteNode:
		return true
	}
	return false
}

// permitted: what cannot be taken back has passed its gate, in two looks far
// enough apart, with no restart and no deed in between that the gate does not
// permit.
func permitted(c *court) {
	looks := map[string]record.Event{}
	passed := map[string]bool{}
	interval := time.Duration(0)
	retired := false
	for _, e := range c.events {
		if e.Plan != nil {
			interval = e.Plan.Policy.LookInterval
		}
		switch e.Kind {
		case record.Started, record.Resumed, record.Replanned:
			clear(looks)
			clear(passed)
		case record.Noted:
			gate := string(e.Note.Gate)
			switch string(e.Note.Kind) {
			case "turn-opened":
				retired = false
			case "retired":
				retired = true
			case "look-taken":
				looks[gate] = e
			case "look-voided":
				delete(looks, gate)
				delete(passed, gate)
			case "gate-passed":
				c.twoLooks(looks, gate, e, interval)
				delete(looks, gate)
				passed[gate] = true
			}
		case record.Intent:
			verb, command := string(e.Action.Verb), string(e.Action.Command)
			switch {
			case verb == prune && !passed[gatePrune]:
				c.broke(I2, e, "a replica is pruned without two looks")
			case verb == runCommand && command == "reboot":
				if !passed[gateReboot] {
					c.broke(I2, e, "%s is rebooted without two looks", e.Action.Node.Name)
				}
			case verb == deleteNode && !passed[gateDelete],
				verb == runCommand && command != "create" && !passed[gateDelete]:
				c.broke(I2, e, "%s %s of %s without two looks", verb, command, e.Action.Node.Name)
			case verb == runCommand && command == "create" && !retired:
				c.broke(I2, e, "a machine is created before %s is gone", e.Action.Node.Name)
			}
			clear(looks)
			if verb != prune {
				delete(passed, gatePrune)
			}
			if verb != deleteNode && verb != runCommand {
				delete(passed, gateDelete)
			}
			if verb != runCommand {
				delete(passed, gateReboot)
			}
		}
	}
}

func (c *court) twoLooks(looks map[string]record.Event, gate string, second record.Event, interval time.Duration) {
	first, ok := looks[gate]
	switch {
	case !ok || first.Note.Look == nil || second.Note.Look == nil:
		c.broke(I2, second, "the gate %s passes without a first look", gate)
	case second.Note.Look.Began.Before(first.Note.Look.Ended.Add(interval)):
		c.broke(I2, second, "the looks of the gate %s are %s apart, and the policy says %s",
			gate, second.Note.Look.Began.Sub(first.Note.Look.Ended), interval)
	case !within(second.Note.Look.Digest, first.Note.Look.Digest):
		c.broke(I2, second, "the second look of the gate %s saw what the first had not", gate)
	}
}

// within reports whether every part of a digest is in an earlier one: what was
// dealt with in between falls away.
func within(now, before string) bool {
	parts := strings.Split(before, ",")
	for part := range strings.SplitSeq(now, ",") {
		if !slices.Contains(parts, part) {
			return false
		}
	}
	return true
}
