// SPDX-License-Identifier: Apache-2.0

package model

import longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"

// lying is where the replicas lie, as they say themselves: by name, on each disk
// and at each node.
type lying struct {
	on, at map[string][]*longhorn.Replica
	of     map[string]spot
}

// spot is a disk and a node; empty for none.
type spot struct{ disk, node string }

func newLying() lying {
	return lying{on: map[string][]*longhorn.Replica{}, at: map[string][]*longhorn.Replica{}, of: map[string]spot{}}
}

// lie follows a replica that has changed, and notes that for its disk.
func (m *Model) lie(r *longhorn.Replica) {
	var now spot
	if m.replicas.get(r.Name) == r {
		now = spot{r.Spec.DiskID, r.Spec.NodeID}
	}
	l := &m.lying
	was := l.of[r.Name]
	if was != now {
		move(l.on, r, was.disk, now.disk)
		move(l.at, r, was.node, now.node)
		l.of[r.Name] = now
	}
	for _, disk := range []string{was.disk, now.disk} {
		if disk != "" {
			m.places[disk] = m.revision
		}
	}
}

func move(lists map[string][]*longhorn.Replica, r *longhorn.Replica, from, to string) {
	if from == to {
		return
	}
	if from != "" {
		lists[from] = without(lists[from], r.Name)
	}
	if to != "" {
		lists[to] = inserted(lists[to], r)
	}
}

// lain is the revision at which a replica that names a disk of the node last
// changed.
func (m *Model) lain(n *longhorn.Node) uint64 {
	var last uint64
	for _, s := range n.Status.DiskStatus {
		last = max(last, m.places[s.DiskUUID])
	}
	return last
}

// touchRoom records how much of a node's disks is taken, which those read who
// look for room.
func (m *Model) touchRoom(n *longhorn.Node) {
	m.touchAs(n, ofRoom)
	m.places[n.Name] = m.revision
	t := &m.tours[ofVolumes]
	for name, r := range t.waiting {
		if r.roomy {
			t.call(name)
		}
	}
}

func (m *Model) setRoom(n *longhorn.Node, field *int64, value int64) {
	if *field != value {
		*field = value
		m.touchRoom(n)
	}
}

// directorySuffix is what a replica's directory has after its volume's name.
const directorySuffix = len("-01234567")

// hear notes what has changed on the disks: for who reads a directory, and for
// who reads how full a disk is. A disk that comes or goes concerns everybody.
func (m *Model) hear() {
	places, told := m.disks.Changed()
	whole := !told
	for _, at := range places {
		if len(at.Name) <= directorySuffix {
			whole = true
			continue
		}
		m.revision++
		m.places[at.Node] = m.revision
		m.kin(at.Name[:len(at.Name)-directorySuffix])
	}
	if whole {
		m.note(ofFacts)
	}
}
