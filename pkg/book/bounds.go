// SPDX-License-Identifier: Apache-2.0

package book

import (
	"fmt"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// Of so many parts of a journal one is room for a turn, and one is spare.
const (
	turnParts  = 4
	spareParts = 16
)

// bounds is how many segments a journal may have: most of them, and some more
// where it had many already when the lock was taken.
type bounds struct{ most, had int }

// spare is kept for what ends a roll or puts something back.
func (b bounds) spare() int {
	if b.most == 1 {
		return 0
	}
	return max(1, b.most/spareParts)
}

// fits returns record.ErrFull where the events would end in a segment, n, that
// they may not use.
func (b bounds) fits(n int, events []record.Event) error {
	for i := range events {
		switch e := &events[i]; {
		case e.Kind == record.Noted && e.Note != nil && e.Note.Kind == decide.TurnOpened:
			if last := b.beginnings(); n > last {
				return fmt.Errorf("%w: no turn is begun behind segment %d of %d, so that it has room to end", record.ErrFull, last, b.most)
			}
		case e.Kind == record.Looked, e.Kind == record.Noticed:
			if last := b.beginnings(); n > last {
				return fmt.Errorf("%w: what only tells how things stand is kept up to segment %d of %d", record.ErrFull, last, b.most)
			}
		case ends(e):
			if last := b.regular() + b.spare(); n > last {
				return fmt.Errorf("%w: segment %d is its last until the lock is taken again, by the same command", record.ErrFull, last)
			}
		default:
			if last := b.regular(); n > last {
				return fmt.Errorf("%w: what follows segment %d is kept for putting back what was changed, until the lock is taken again, by the same command", record.ErrFull, last)
			}
		}
	}
	return nil
}

// beginnings is the last segment in which something may begin that needs room.
func (b bounds) beginnings() int { return b.most - b.spare() - b.most/turnParts }

// regular is the last segment before the spare ones. Whoever takes the lock has
// room for a turn, however full the journal is.
func (b bounds) regular() int { return max(b.most-b.spare(), b.had+max(1, b.most/turnParts)) }

// ends reports whether the event ends something or puts it back.
func ends(e *record.Event) bool {
	switch e.Kind {
	case record.Started, record.Replanned, record.Intent, record.Noted, record.Waiting:
		return e.Phase == decide.Undo
	default:
		return true
	}
}
