// SPDX-License-Identifier: Apache-2.0

package record

import (
	"context"
	"errors"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// Kind is what an event says.
type Kind string

// The kinds of events.
const (
	// Started: a roll began; Plan is set.
	Started Kind = "started"
	// Replanned: the same roll goes on under a widened plan; Plan is set.
	Replanned Kind = "replanned"
	// Resumed: another process goes on with the roll.
	Resumed Kind = "resumed"
	// Intent: Action is about to be done.
	Intent Kind = "intent"
	// Done: Action was done, or not; Outcome says which.
	Done Kind = "outcome"
	// Noted: Note is to be remembered.
	Noted Kind = "noted"
	// Waiting: Phase waits with a new progress token. Written when the phase
	// changes, not at every token.
	Waiting Kind = "waiting"
	// Looked: how the volumes stand has changed; Seen is set.
	Looked Kind = "looked"
	// Noticed: others did something between two looks; Text says what.
	Noticed Kind = "noticed"
	// Halted: the roll stopped with a reason; Exit and Text are set.
	Halted Kind = "halted"
	// Interrupted: a person stopped the program at a safe point.
	Interrupted Kind = "interrupted"
	// Aborted: somebody gave the roll up, and what it changed was put back.
	Aborted Kind = "aborted"
	// Finished: the plan is fulfilled.
	Finished Kind = "finished"
)

// Event is one entry of the journal. It is plain data and stays readable: a
// field is never renamed.
type Event struct {
	Run   string    `json:"run"`
	Epoch int64     `json:"epoch"`
	Seq   int64     `json:"seq"`
	At    time.Time `json:"at"`
	Kind  Kind      `json:"kind"`

	Phase   decide.Phase    `json:"phase,omitempty"`
	Plan    *decide.Plan    `json:"plan,omitempty"`
	Action  *decide.Action  `json:"action,omitempty"`
	Outcome *decide.Outcome `json:"outcome,omitempty"`
	Note    *decide.Note    `json:"note,omitempty"`
	Exit    int             `json:"exit,omitempty"`
	// Text is one line for people.
	Text string `json:"text,omitempty"`
	// Left is what a wait misses when it begins, or when its limit passes and the
	// roll halts; the first few.
	Left []string `json:"left,omitempty"`
	// Findings and Remedy are of a halt.
	Findings []Finding `json:"findings,omitempty"`
	Remedy   string    `json:"remedy,omitempty"`
	// By is who goes on from here, with what; of Started, Replanned, Resumed.
	By *Author `json:"by,omitempty"`
	// Seen is how the volumes stand by the latest look; nil where that is as
	// the event before told it.
	Seen *Seen `json:"seen,omitempty"`
}

// History is the journal of the latest roll, in order.
type History struct {
	Events []Event
}

// Holder says who works on a roll.
type Holder struct {
	Identity string
	// Run is the roll that the journal holds; empty for none.
	Run string
	// Since and Renewed are the lease's times; Expires is when it runs out.
	Since   time.Time
	Renewed time.Time
	Expires time.Time
}

// ErrHeld is returned by Acquire while another identity's lease is live.
var ErrHeld = errors.New("another roll holds the lock")

// ErrFenced is returned by Append when another process has taken over: this
// one must stop and change nothing more.
var ErrFenced = errors.New("another process has taken over this roll")

// ErrJournalGone and ErrLockGone are returned where ErrFenced is, and are it too,
// where nobody has taken over and what this one writes or holds was deleted. What
// it has changed is then nobody's to put back: of a lost journal nobody even knows.
var (
	ErrJournalGone = errors.New("the journal of this roll was deleted, so nothing more is done")
	ErrLockGone    = errors.New("the lock of this roll was deleted, so nothing more is done")
)

// ErrOutage is returned by Append when nobody answered for as long as one write is
// tried: whether the events count is not known then, and whoever acquires the book
// again is told.
var ErrOutage = errors.New("the API server could not be reached")

// ErrExpiring is returned by Append and Guard when the lease does not last
// long enough for a deed.
var ErrExpiring = errors.New("the lock runs out before the deed could end")

// ErrFull is returned by Append at the bound of the journal, and nothing was
// written then. What ends a roll or puts something back has room beyond that, and
// whoever takes the lock has room for a turn, so that none is left unfinished.
var ErrFull = errors.New("the journal is full")

// Book is where events are kept, and who may write them. One Book belongs to
// one process.
type Book interface {
	// Read returns the journal of the latest roll, empty if there is none, and
	// who holds the lock. It changes nothing and needs no lock.
	Read(ctx context.Context) (History, Holder, error)
	// Acquire takes the lock and raises the epoch. While another identity's
	// lease is live it returns an error that wraps ErrHeld and says who, since
	// when and doing what. It returns the journal as of the take-over.
	Acquire(ctx context.Context) (History, error)
	// Renew prolongs the lease; ErrFenced when it is another's.
	Renew(ctx context.Context) error
	// Append writes events at the end, by compare-and-swap: it fails with
	// ErrFenced, and writes nothing, if another process wrote since. A Started
	// event begins a new journal and drops the one before it. Append sets Run,
	// Epoch, Seq of the events.
	Append(ctx context.Context, events ...Event) error
	// Guard returns ErrExpiring unless the lease lasts at least d from now.
	Guard(d time.Duration) error
	// Release gives the lock back.
	Release(ctx context.Context) error
}
