// SPDX-License-Identifier: Apache-2.0

package model

import "slices"

// tour is the way of the controllers of one kind past their objects, in the order
// of names. It stops only where somebody was called: because something differs
// about the volume, because it did something when it looked last, or because what
// it waits for has come. What all of them read calls everybody.
type tour struct {
	all     uint64          // the revision at which everybody was called last
	stops   []string        // by name
	passed  int             // how many of them
	again   []string        // whom to call the next time
	waiting map[string]rest // who is at rest and waits for something
}

// call has an object looked after: on this tour if that is still to come to it,
// else on the next.
func (t *tour) call(name string) {
	switch i, found := slices.BinarySearch(t.stops, name); {
	case i < t.passed:
		t.again = append(t.again, name)
	case !found:
		t.stops = slices.Insert(t.stops, i, name)
	}
}

// callDue calls whose moment has come.
func (t *tour) callDue(m *Model) {
	for name, r := range t.waiting {
		if r.over(m.now) {
			t.call(name)
		}
	}
}

// visit goes on a tour.
func visit[T Object](m *Model, t *tour, of *table[T], look func(T)) {
	m.callKin()
	if m.last(ofFacts, ofSettings, ofNodes, ofManagers) > t.all {
		t.all, t.stops = m.revision, t.stops[:0]
		for _, o := range of.all() {
			t.stops = append(t.stops, o.GetName())
		}
	}
	t.callDue(m)
	for t.passed < len(t.stops) {
		name := t.stops[t.passed]
		t.passed++
		delete(t.waiting, name)
		o, ok := of.byName[name]
		if !ok {
			continue
		}
		r := m.attend(func() { look(o) })
		m.callKin()
		switch _, there := of.byName[name]; {
		case !there:
		case !r.idle:
			t.call(name)
		case r.roomy || !r.wake.IsZero() || !r.turn.IsZero():
			if t.waiting == nil {
				t.waiting = map[string]rest{}
			}
			t.waiting[name] = r
		}
	}
	slices.Sort(t.again)
	t.stops, t.again, t.passed = slices.Compact(t.again), t.stops[:0], 0
	for _, r := range t.waiting {
		m.wakeAt(r.wake)
	}
}

// kin notes that something differs about a volume.
func (m *Model) kin(volume string) {
	m.stirs[volume]++
	if n := len(m.called); n == 0 || m.called[n-1] != volume {
		m.called = append(m.called, volume)
	}
}

// Stirs counts what has changed about a volume: its objects, the processes that
// serve it, and what the world told of its directories.
func (m *Model) Stirs(volume string) uint64 { return m.stirs[volume] }

// callKin calls who looks after a volume about which something differs.
func (m *Model) callKin() {
	for _, volume := range m.called {
		m.tours[ofVolumes].call(volume)
		for _, r := range m.replicas.of(volume) {
			m.tours[ofReplicas].call(r.Name)
		}
		for _, e := range m.engines.of(volume) {
			m.tours[ofEngines].call(e.Name)
		}
	}
	m.called = m.called[:0]
}

// forget drops what was remembered of an object's controllers.
func (m *Model) forget(o Object) {
	t, _ := topicOf(o)
	delete(m.tours[t].waiting, o.GetName())
	for _, rests := range m.rests {
		delete(rests, o)
	}
}
