// SPDX-License-Identifier: Apache-2.0

package decide

// Inverse is the deed that puts back what a changed, and whether there is one.
// It carries the former value, so it can be written down before a is done.
func Inverse(a Action) (Action, bool) {
	back := a
	switch a.Verb {
	case Cordon:
		back.Verb = Uncordon
	case Place:
		back.Was, back.To = a.To, a.Was
	case Wake:
		back.Verb, back.HoldNode = Sleep, ""
	case SetAside:
		back.Verb, back.From, back.Into = PutBack, a.Into, a.From
	default:
		return Action{}, false
	}
	back.Why = "put back: " + a.Why
	return back, true
}

// TakeBack returns what must be put back when the roll stops, the latest
// first. Holds and knobs are always put back. A cordon and what the storage node was
// told are put back too, unless the roll is only interrupted and shall go on
// from there.
func TakeBack(m Memory, why Stop) []Action {
	var out []Action
	for _, a := range m.Undo {
		if a.Verb == Sleep || a.Verb == PutBack || why == StopRefused {
			out = append(out, a)
		}
	}
	return out
}

// ConflictTries is after how many conflicts a way back is given up: somebody else
// has changed the object since. Fewer may only be the storage's own writes between
// our reading of the object and our change, as while it moves replicas.
const ConflictTries = 3

// Stop is why a roll stops before its end.
type Stop uint8

// The stops.
const (
	// StopInterrupted: somebody or a limit stopped it; the same command goes on.
	StopInterrupted Stop = iota
	// StopRefused: it must not go on as things are.
	StopRefused
)
