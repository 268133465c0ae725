// SPDX-License-Identifier: Apache-2.0

package book

import (
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// Underway is a book whose calls can be sent now and arrive later, when whoever
// sent them has given them up; the one that [InMemory.Open] returns is one. What
// arrives late changes what nobody has written since it was sent, as the API server
// compares versions and knows nothing of leases; anything else it leaves alone.
type Underway interface {
	SendAppend(events ...record.Event) (arrive func(), err error)
	SendRenew() (arrive func(), err error)
	SendRelease() (arrive func(), err error)
}

// SendAppend implements Underway.
func (o *opened) SendAppend(events ...record.Event) (func(), error) {
	m := o.on
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := o.hold.guard(m.clock(), 1); err != nil {
		return nil, err
	}
	set, err := o.after(events)
	if err != nil {
		return nil, err
	}
	version := m.written
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.written == version {
			set()
		}
	}, nil
}

// SendRenew implements Underway. The lease is then as of when it was sent.
func (o *opened) SendRenew() (func(), error) {
	return o.sendLease(func(m *InMemory, sent time.Time) {
		m.holder.Renewed, m.holder.Expires = sent, sent.Add(m.duration)
	})
}

// SendRelease implements Underway.
func (o *opened) SendRelease() (func(), error) {
	arrive, err := o.sendLease(func(m *InMemory, _ time.Time) { m.holder, m.token = record.Holder{}, "" })
	o.on.mu.Lock()
	defer o.on.mu.Unlock()
	if o.hold.lost == nil {
		o.hold = hold{}
	}
	return arrive, err
}

func (o *opened) sendLease(edit func(m *InMemory, sent time.Time)) (func(), error) {
	m := o.on
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock().Round(0)
	if !o.hold.held || o.on.token != o.hold.token {
		return func() {}, o.check(now, 0)
	}
	version := m.leased
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.leased == version {
			m.leased++
			edit(m, now)
		}
	}, nil
}
