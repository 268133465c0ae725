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
// For that, whatever changes is noted under its topic, and for what belongs to a
// volume under the volume's name as well. A controller that changes something
// which has no topic, because nobody else reads it, calls stir. Moments are told
// by wakeAt, or by turnAt where no world shall step because of them.

// topic is a part of the model's state.
type topic uint8

const (
	ofFacts topic = iota // what the world tells
	ofSettings
	ofImages
	ofNodes
	ofManagers
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
	disks      uint64    // what had changed on the disks by then
	wake, turn time.Time // what it waits for; zero for nothing
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
// which something that it reads last changed; the disks are read by all.
func (m *Model) look(r *rest, changed uint64, controller func()) {
	disks := m.disks.Changes()
	if r.idle && changed <= r.since && disks == r.disks && before(m.now, r.wake) && before(m.now, r.turn) {
		m.wakeAt(r.wake)
		return
	}
	next, revision := m.next, m.revision
	m.next, m.turn, m.stirred = time.Time{}, time.Time{}, false
	controller()
	*r = rest{idle: m.revision == revision && !m.stirred, since: revision, disks: disks, wake: m.next, turn: m.turn}
	m.next = earlier(next, m.next)
}

// lookAfter is look for the controller of one object that belongs to a volume.
func (m *Model) lookAfter(o Object, volume string, changed uint64, controller func()) {
	r := m.rests[o]
	if r == nil {
		r = &rest{}
		m.rests[o] = r
	}
	m.look(r, max(changed, m.families[volume]), controller)
}

// before tells whether a moment is still to come, or none.
func before(now, t time.Time) bool { return t.IsZero() || now.Before(t) }

// earlier is the earlier of two moments, of which either may be none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
