// SPDX-License-Identifier: Apache-2.0

package model

import (
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
)

// Of all controllers hardly one has anything to do at a step. A step passes by
// whoever is at rest: it has looked and done nothing, nothing that it reads has
// changed since, and no moment that it waits for has come. To look again would
// be to do nothing again, so that the objects, and what a step says, are what
// they would be if everybody looked every time.
//
// For that, whatever changes is noted under its topic, and what lies in one place
// under that place as well; what belongs to a volume calls those who look after it
// (tour.go). A controller that changes something which has no topic, because
// nobody else reads it, calls stir. Moments are told by wakeAt, or by turnAt where
// no world shall step because of them.

// topic is a part of the model's state.
type topic uint8

const (
	ofFacts topic = iota // what the world tells
	ofSettings
	ofImages
	ofNodes
	ofRoom // how much of its disks is taken, and by whom
	ofManagers
	ofLists // what they say of the processes in them
	ofVolumes
	ofAttachments
	ofEngines
	ofReplicas
	ofCounts    // which objects there are
	ofProcesses // which processes run
	ofBudgets   // which disruption budgets there are
	topics
)

// topicOf is an object's topic, and the volume that it belongs to; empty for none.
func topicOf(o Object) (t topic, volume string) {
	switch o := o.(type) {
	case *longhorn.Volume:
		return ofVolumes, o.Name
	case *longhorn.VolumeAttachment:
		return ofAttachments, o.Spec.Volume
	case *longhorn.Engine:
		return ofEngines, o.Spec.VolumeName
	case *longhorn.Replica:
		return ofReplicas, o.Spec.VolumeName
	case *longhorn.Node:
		return ofNodes, ""
	case *longhorn.InstanceManager:
		return ofManagers, ""
	case *longhorn.EngineImage:
		return ofImages, ""
	default:
		return ofSettings, ""
	}
}

// controller is one of those that look after all objects of a kind at once.
type controller uint8

const (
	reaper controller = iota
	registrar
	nodeController
	imageController
	managerController
	evictionController
	budgetController
	listController
	controllers
)

// rest is how a controller looked last.
type rest struct {
	idle       bool      // it did nothing
	since      uint64    // the revision then
	wake, turn time.Time // what it waits for; zero for nothing
	roomy      bool      // it asked where there is room
}

// note records that something of the topic differs.
func (m *Model) note(t topic) {
	m.revision++
	m.latest[t] = m.revision
}

// stir says that the controller which looks now has changed something that no
// topic tells of.
func (m *Model) stir() { m.stirred = true }

// turnAt says that the controller which looks now may find something else from t
// on.
func (m *Model) turnAt(t time.Time) {
	if t.After(m.now) {
		m.turn = earlier(m.turn, t)
	}
}

// last is the revision at which something of the topics last changed.
func (m *Model) last(ts ...topic) uint64 {
	var last uint64
	for _, t := range ts {
		last = max(last, m.latest[t])
	}
	return last
}

// look has a controller look, unless it is at rest. changed is the revision at
// which something that it reads last changed.
func (m *Model) look(r *rest, changed uint64, controller func()) {
	if r.idle && changed <= r.since && !r.over(m.now) {
		m.wakeAt(r.wake)
		return
	}
	*r = m.attend(controller)
}

// attend has a controller look, and tells how it did.
func (m *Model) attend(controller func()) rest {
	next, revision := m.next, m.revision
	m.next, m.turn, m.stirred, m.roomy = time.Time{}, time.Time{}, false, false
	controller()
	r := rest{idle: m.revision == revision && !m.stirred, since: revision, wake: m.next, turn: m.turn, roomy: m.roomy}
	m.next = earlier(next, m.next)
	return r
}

// lookAfter is look for a controller of one object.
func (m *Model) lookAfter(c controller, o Object, changed uint64, look func()) {
	r := m.rests[c][o]
	if r == nil {
		r = &rest{}
		if m.rests[c] == nil {
			m.rests[c] = map[Object]*rest{}
		}
		m.rests[c][o] = r
	}
	m.look(r, changed, look)
}

// over tells whether a moment that it waits for has come.
func (r *rest) over(now time.Time) bool { return !before(now, r.wake) || !before(now, r.turn) }

// before tells whether a moment is still to come, or none.
func before(now, t time.Time) bool { return t.IsZero() || now.Before(t) }

// earlier is the earlier of two moments, of which either may be none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
