// SPDX-License-Identifier: Apache-2.0

package book

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// InMemory is a journal and a lock without a cluster, for the simulator and
// for tests. It outlives the books that are opened on it, as a cluster
// outlives the processes that write to it. Events are kept as the bytes that a
// cluster would hold.
type InMemory struct {
	clock    func() time.Time
	duration time.Duration

	mu     sync.Mutex
	holder record.Holder
	token  string
	head   head
	lines  []string
	tail   tail
	opened int
	// size and most bound the journal; zero for no bound.
	size, most int
	// written and leased are the versions of the journal and of the lease.
	written, leased int
}

// NewInMemory returns an empty one. A renewal lasts for the duration, by the
// given clock; nobody's clock is skewed, so there is no margin.
func NewInMemory(duration time.Duration, clock func() time.Time) *InMemory {
	return &InMemory{clock: clock, duration: duration}
}

// Bound bounds the journal as Config's SegmentBytes and MaxSegments do.
func (m *InMemory) Bound(segmentBytes, maxSegments int) { m.size, m.most = segmentBytes, maxSegments }

// after works out what the journal is with the events; set makes it that.
func (o *opened) after(events []record.Event) (set func(), err error) {
	m := o.on
	h, lines, err := m.head.after(events)
	if err != nil {
		return nil, fmt.Errorf("the journal: %w", err)
	}
	all, t, had := m.lines, m.tail, o.had
	if h.run != m.head.run {
		all, t, had = nil, tail{}, 0
	}
	if m.most > 0 {
		t, _ = t.add(lines, m.size)
		if err := (bounds{m.most, had}).fits(t.n, events); err != nil {
			return nil, fmt.Errorf("the journal: %w", err)
		}
	}
	return func() {
		m.written++
		all = append(all, lines...)
		m.head, m.lines, m.tail, o.had = h, all, t, had
	}, nil
}

// Open returns a process's way to it. A live lease of the same identity is
// taken over at once, as with a Book.
func (m *InMemory) Open(identity string) record.Book {
	return &opened{on: m, identity: identity}
}

// opened is one process's book.
type opened struct {
	on       *InMemory
	identity string
	hold     hold // under on.mu
	had      int  // segments when the lock was taken; under on.mu
}

func (o *opened) Read(context.Context) (record.History, record.Holder, error) {
	o.on.mu.Lock()
	defer o.on.mu.Unlock()
	h, err := o.on.history()
	holder := o.on.holder
	holder.Run = o.on.head.run
	return h, holder, err
}

func (m *InMemory) history() (record.History, error) {
	events, err := decode([]byte(strings.Join(m.lines, "")), m.head.run, m.head.seq)
	if err != nil {
		return record.History{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return record.History{Events: events}, nil
}

func (o *opened) Acquire(context.Context) (record.History, error) {
	m := o.on
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock().Round(0)
	if h := m.holder; h.Identity != "" && h.Identity != o.identity && now.Before(h.Expires) {
		o.hold = hold{}
		doing := "no roll has been started yet"
		if m.head.run != "" {
			doing = m.head.doing()
		}
		return record.History{}, fmt.Errorf("%w: %s, since %s, renewed %s ago; %s", record.ErrHeld, h.Identity,
			h.Since.UTC().Format(time.RFC3339), now.Sub(h.Renewed).Round(time.Second), doing)
	}
	m.written++
	m.leased++
	m.opened++ // a number will do: the simulator must be the same at every run
	m.token = fmt.Sprintf("holding-%d", m.opened)
	m.head.epoch++
	m.holder = record.Holder{Identity: o.identity, Since: now, Renewed: now, Expires: now.Add(m.duration)}
	o.hold, o.had = hold{held: true, token: m.token, renewed: now, duration: m.duration}, m.tail.n
	return m.history()
}

// check says whether the lock is ours for d from now.
func (o *opened) check(now time.Time, d time.Duration) error {
	if o.hold.held && o.hold.lost == nil && o.on.token != o.hold.token {
		o.hold.lost = fmt.Errorf("%w: the lock is held by %s", record.ErrFenced, nobodyOr(o.on.holder.Identity))
	}
	return o.hold.guard(now, d)
}

func (o *opened) Renew(context.Context) error {
	m := o.on
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock().Round(0)
	if err := o.check(now, 0); err != nil && !errors.Is(err, record.ErrExpiring) {
		return err
	}
	o.hold.renewed = now
	m.leased++
	m.holder.Renewed, m.holder.Expires = now, now.Add(m.duration)
	return nil
}

func (o *opened) Append(_ context.Context, events ...record.Event) error {
	m := o.on
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := o.check(m.clock(), 1); err != nil {
		return err
	}
	if len(events) == 0 {
		return nil
	}
	set, err := o.after(events)
	if err != nil {
		return err
	}
	set()
	return nil
}

// Guard does not ask who holds the lock, as a process in a cluster does not
// either: it learns of a take-over from Renew and Append.
func (o *opened) Guard(d time.Duration) error {
	o.on.mu.Lock()
	defer o.on.mu.Unlock()
	return o.hold.guard(o.on.clock(), d)
}

func (o *opened) Release(context.Context) error {
	m := o.on
	m.mu.Lock()
	defer m.mu.Unlock()
	if o.hold.held && m.token == o.hold.token {
		m.leased++
		m.holder, m.token = record.Holder{}, ""
	}
	if o.hold.lost == nil {
		o.hold = hold{}
	}
	return nil
}
