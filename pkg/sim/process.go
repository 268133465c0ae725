// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"sync"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// Process is one run of the program: its way to the world, and its book. When
// it is killed, nothing that it does has any effect any more.
type Process struct {
	world    *World
	book     record.Book
	faults   Faults
	commands decide.Commands
	last     *cluster.Snapshot
	seen     map[cluster.UID]cluster.Sighting // in directories, by the last consistent look
	looked   cluster.Look                     // the last consistent look
	stirs    int                              // what had happened by then
	did      deeds

	unread Unread // what cannot be read, until hidden
	hidden time.Time
	number int // from 1, in the order of their connecting
	actor  *act.Actor
	wrap   func(record.Book) record.Book // for tests; nil for nothing
	dozed  chan struct{}                 // closed once it was stopped

	mu    sync.Mutex
	calls int
	dead  bool
	until time.Time // stopped as a whole until then
	deed  *deed     // the deed in hand
}

// Faults says what goes wrong. All of it may be zero.
type Faults struct {
	// At says what goes wrong with a call; nil for nothing.
	At func(Call) Fault
	// Stale says for a look how many versions old it is; nil for none. What
	// must be consistent is never stale, and what our own deed was about is never
	// older than the deed; all else is.
	Stale func() int
	// Slow is how long a consistent look takes at most between its first and
	// its last kind; what happens meanwhile is in the later kinds alone.
	Slow time.Duration
	// Blind says for how long from now nothing can be observed; nil for never.
	Blind func() time.Duration
	// Unread says which kind cannot be read from now on, and for how long; nil for
	// none ever.
	Unread func() (Unread, time.Duration)

	dozes bool // the process is stopped at some time
}

// Connect starts a process on the world and the book.
func (w *World) Connect(b record.Book, c decide.Commands, f Faults) *Process {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.processes++
	return &Process{world: w, book: b, commands: c, faults: f, number: w.processes, dozed: make(chan struct{})}
}

// call counts a call and says what goes wrong with it.
func (p *Process) call(what string) Fault {
	p.awake()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		return Fault{Harm: Reset}
	}
	p.calls++
	if p.faults.At == nil {
		return Fault{}
	}
	f := p.faults.At(Call{N: p.calls, What: what})
	switch f.Harm {
	case Kill:
		p.dead = true
	case Doze:
		p.doze(f.Lasts)
	default:
	}
	return f
}

// Dead reports whether the process was killed, Calls how many calls it made.
func (p *Process) Dead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

// Calls returns how many calls the process made.
func (p *Process) Calls() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls
}

// Observe implements roll.World.
func (p *Process) Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error) {
	if p.last == nil {
		f = cluster.Fresh // there is nothing yet that could be followed
	}
	if p.Dead() {
		return nil, ErrKilled
	}
	fault := p.call("observe")
	if fault.Harm == Kill {
		return nil, ErrKilled
	}
	if fault.Harm == Doze {
		if fault.After {
			defer p.wake()
		} else {
			p.wake()
		}
		fault = Fault{}
	}
	lapse(latency)
	if fault.Harm != Fine {
		return nil, fault.err(ctx, unanswered)
	}
	if p.faults.Blind != nil {
		if d := p.faults.Blind(); d > 0 {
			lapse(d) // nothing is heard for so long, and then only of how it is by now
		}
	}
	s, stirs, err := p.world.look(f, p)
	if err != nil {
		return nil, err
	}
	if s, err = p.shown(s); err != nil {
		return nil, err
	}
	if f == cluster.Fresh {
		p.seen, p.looked = p.world.lookInside(s, p.seen), s.Look
	}
	p.last, p.stirs = seeing(s, p.seen), stirs
	return p.last, nil
}

// unanswered is how long one request of a look is waited for, as package observe
// does by default.
const unanswered = 30 * time.Second

// look takes a look; a cached one may be old, a consistent one slow.
func (w *World) look(f cluster.Freshness, p *Process) (*cluster.Snapshot, int, error) {
	faults := p.faults
	w.mu.Lock()
	defer w.mu.Unlock()
	w.catchUp()
	began := time.Now()
	s, err := w.read(began)
	if err != nil {
		return nil, 0, err
	}
	w.lag = 0
	if f == cluster.Cached {
		cached := *s
		if faults.Stale != nil {
			old := w.snapshots[len(w.snapshots)-1-min(faults.Stale(), len(w.snapshots)-1)]
			cached, w.lag = p.did.shown(old, s), began.Sub(old.Look.Ended)
		}
		cached.Look = p.looked
		cached.Look.Fresh = false
		return &cached, w.stirs, nil
	}
	if faults.Slow <= 0 {
		return s, w.stirs, nil
	}
	pause := time.Duration(w.rand.Int64N(int64(faults.Slow)))
	w.mu.Unlock()
	lapse(pause)
	w.mu.Lock()
	w.catchUp()
	later, err := w.read(began)
	if err != nil {
		return nil, 0, err
	}
	mixed := *later
	if pause%2 == 0 {
		mixed.Storages, mixed.Gaps = s.Storages, s.Gaps
	} else {
		mixed.Nodes, mixed.Pods, mixed.Attachments, mixed.Persistent = s.Nodes, s.Pods, s.Attachments, s.Persistent
	}
	return &mixed, w.stirs, nil
}

// Await implements roll.World.
func (p *Process) Await(ctx context.Context, _ cluster.Revision) error {
	for !p.Dead() {
		p.awake()
		due, stirred := p.world.stirred(p.stirs)
		if stirred {
			return nil
		}
		if due.IsZero() {
			return waitFor(ctx)
		}
		t := time.NewTimer(time.Until(due))
		select {
		case <-ctx.Done():
			t.Stop()
			return context.Cause(ctx)
		case <-t.C:
		}
	}
	return ErrKilled
}

// stirred reports whether anything happened since, and when something will.
func (w *World) stirred(since int) (time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.catchUp()
	return w.due(), w.stirs != since
}
