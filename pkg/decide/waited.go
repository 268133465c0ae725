// SPDX-License-Identifier: Apache-2.0

package decide

import "time"

// Waited is how long a Wait has lasted: since Begun, and since Moved without
// progress. The zero value is a wait that has not begun.
type Waited struct {
	Begun time.Time
	Moved time.Time

	token string
	parts map[string]*movement
}

// movement is when one part of a wait last got on, and the tokens it has had.
type movement struct {
	at   time.Time
	seen map[string]bool
}

// Begin begins a wait after something was done.
func (w *Waited) Begin(now time.Time) { *w = Waited{Begun: now} }

// Turn goes on with the wait of another phase: going to and fro between two
// waits is one wait.
func (w *Waited) Turn(now time.Time) {
	begun := w.Begun
	if begun.IsZero() {
		begun = now
	}
	*w = Waited{Begun: begun}
}

// See looks at a wait for what has moved since the last time.
func (w *Waited) See(wait Wait, now time.Time) {
	if w.token != wait.Progress || w.Moved.IsZero() {
		w.token, w.Moved = wait.Progress, now
	}
	before := w.parts
	w.parts = make(map[string]*movement, len(wait.Parts))
	for _, p := range wait.Parts {
		m := before[p.Name]
		if m == nil {
			m = &movement{seen: map[string]bool{}}
		}
		if !m.seen[p.Token] || p.Idle {
			m.at, m.seen[p.Token] = now, true
		}
		w.parts[p.Name] = m
	}
}

// Overdue turns a Wait that was seen into a Halt, if by now its limit has
// passed without progress of the whole or of one part, or the longest wait with
// it.
func Overdue(w Wait, since Waited, longest time.Duration, now time.Time) (Halt, bool) {
	h := Halt{Phase: w.Phase, Exit: ExitLimit, Remedy: w.Stuck, Missing: w.Left}
	moved, of := since.Moved, ""
	if p, at := since.slowest(w); p != nil {
		moved, of = at, " of "+p.Name
		if p.Why != "" {
			of += " (" + p.Why + ")"
		}
	}
	switch idle, all := now.Sub(moved), now.Sub(since.Begun); {
	case idle > w.Limit:
		h.Reason = "no progress for " + idle.Round(time.Second).String() + " (" + w.LimitName + " " +
			w.Limit.String() + ")" + of + " while waiting for " + w.For
	case all > longest:
		h.Reason = "no end after " + all.Round(time.Second).String() + " (longest wait " + longest.String() +
			") of waiting for " + w.For
	default:
		return Halt{}, false
	}
	return h, true
}

// slowest returns the part that has not got on for longest, and since when.
func (w *Waited) slowest(wait Wait) (slow *Part, at time.Time) {
	for i := range wait.Parts {
		m := w.parts[wait.Parts[i].Name]
		if m != nil && (slow == nil || m.at.Before(at)) {
			slow, at = &wait.Parts[i], m.at
		}
	}
	return slow, at
}
