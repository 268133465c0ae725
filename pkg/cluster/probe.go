// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"slices"
	"time"
)

// Seen is what a look into a replica's directory found.
type Seen uint8

// What can be seen. The first is also what is known where the look was asked
// for and nobody answered.
const (
	SeenNoAnswer  Seen = iota
	SeenData           // the directory is there and holds data
	SeenNothing        // the disk is the replica's, and the directory is not on it
	SeenBlank          // the directory is whole, and nothing was ever written into it
	SeenBroken         // something is there that is no whole replica
	SeenOtherDisk      // another disk lies where the replica's should be
	SeenReplaced       // so it does, it is a disk of the storage's, and nothing of the replica is on it
	SeenRemade         // nothing was there before, and the replica was not rebuilt since: what is there now was made anew
)

// String returns the words that people and JSON read.
func (s Seen) String() string {
	words := [...]string{"no answer", "data", "nothing", "blank", "broken", "another disk", "another disk without it", "made anew where nothing was"}
	if int(s) >= len(words) {
		return words[SeenNoAnswer]
	}
	return words[s]
}

// Probe is a look into a replica's directory, on the machine itself.
type Probe struct {
	Seen Seen
	// At is when the look began, by the API server's clock.
	At time.Time
	// Node is the incarnation of the node that answered: the machine itself
	// said that it is that one.
	Node NodeRef
	// Facts are what was seen, or why nobody answered.
	Facts []Fact
}

// Sighting is a look, with the replica as it was looked at.
type Sighting struct {
	Of    Replica
	Probe Probe
}

// See gives the storage's replicas what was seen in their directories. A
// replica that has changed since is one that nobody has looked at: its sighting
// is forgotten, as it may become again what it was, and other things lie in its
// directory then. Only that a directory was missing is remembered until the replica
// is rebuilt: no opening brings back what it held. So the caller alone may use the
// map meanwhile. The replicas that the storage has are not changed: others may have
// them too.
func (st *Storage) See(seen map[UID]Sighting) {
	if len(seen) == 0 {
		return
	}
	for i := range st.Volumes {
		v := &st.Volumes[i]
		own := false
		for k := range v.Replicas {
			x, ok := seen[v.Replicas[k].UID]
			if !ok {
				continue
			}
			if x, ok = x.now(&v.Replicas[k]); !ok {
				delete(seen, x.Of.UID)
				continue
			}
			seen[x.Of.UID] = x
			if !own {
				v.Replicas, own = slices.Clone(v.Replicas), true
			}
			probe := x.Probe
			v.Replicas[k].Probe = &probe
		}
	}
}

// Remember has the newer sightings know of the older ones by which a directory was
// missing. Whoever serves such a replica, or does not answer, shows nothing of it; and
// data that are there now are what was written since.
func Remember(newer, older map[UID]Sighting, replicas map[UID]Replica) {
	for uid, x := range older {
		r, ok := replicas[uid]
		if !ok || !x.missing() {
			continue
		}
		if x, ok = x.now(&r); !ok {
			continue
		}
		y, again := newer[uid]
		switch {
		case !again:
			newer[uid] = x
		case y.Probe.Seen != SeenNothing && y.Probe.Seen != SeenReplaced:
			y.Probe.Seen = SeenRemade
			newer[uid] = y
		}
	}
}

// missing reports whether the directory is known not to be the replica's own.
func (x Sighting) missing() bool { return x.Probe.Seen == SeenNothing || x.Probe.Seen == SeenRemade }

// now is what is known by the sighting of the replica as it is now, if anything.
func (x Sighting) now(r *Replica) (Sighting, bool) {
	moved := x.Of.Claim != r.Claim || !x.Of.FailedAt.Equal(r.FailedAt)
	switch {
	case !sameDirectory(&x.Of, r), moved && !x.missing():
		return x, false
	case moved:
		x.Probe.Seen = SeenRemade
	}
	x.Of.Claim, x.Of.FailedAt = r.Claim, r.FailedAt
	return x, true
}

// sameDirectory reports whether it is the directory that it was, and was not written
// anew from others: before that the storage forgets when it was healthy.
func sameDirectory(a, b *Replica) bool {
	return a.Node == b.Node && a.DiskUUID == b.DiskUUID && a.DiskPath == b.DiskPath &&
		a.Directory == b.Directory && a.HealthyAt.Equal(b.HealthyAt)
}

// Missing is that a look found the directory of a replica missing, with what tells
// whether the replica was rebuilt since. It is kept for longer than a program lasts.
type Missing struct {
	Replica   UID    `json:"replica"`
	Node      string `json:"node"`
	DiskUUID  string `json:"diskUUID,omitempty"`
	DiskPath  string `json:"diskPath,omitempty"`
	Directory string `json:"directory"`
	// HealthyAt is the replica's, then.
	HealthyAt time.Time `json:"healthyAt,omitzero"`
	// At is when it was looked at, by the API server's clock, and Machine the
	// incarnation of the node that answered.
	At      time.Time `json:"at"`
	Machine NodeRef   `json:"machine"`
}

// Missing returns what there is to keep of the look into the replica's directory: that
// it was missing, or false.
func (r *Replica) Missing() (Missing, bool) {
	p := r.Probe
	if p == nil || !(Sighting{Probe: *p}).missing() {
		return Missing{}, false
	}
	return Missing{
		Replica: r.UID, Node: r.Node, DiskUUID: r.DiskUUID, DiskPath: r.DiskPath, Directory: r.Directory,
		HealthyAt: r.HealthyAt, At: p.At, Machine: p.Node,
	}, true
}

// Of reports whether it is still what is known of the replica's directory.
func (x Missing) Of(r *Replica) bool {
	then := Replica{Node: x.Node, DiskUUID: x.DiskUUID, DiskPath: x.DiskPath, Directory: x.Directory, HealthyAt: x.HealthyAt}
	return x.Replica == r.UID && sameDirectory(&then, r)
}

// Looked returns the look into the replica's directory, in the light of the looks
// before it; nil where there was none. Whatever is in a directory that was missing once
// was made anew: see Remember.
func (s *Snapshot) Looked(r *Replica) *Probe {
	x, ok := s.Missing[r.UID]
	switch {
	case !ok || !x.Of(r):
		return r.Probe
	case r.Probe == nil:
		return &Probe{Seen: SeenRemade, At: x.At, Node: x.Machine}
	case r.Probe.Seen == SeenNothing || r.Probe.Seen == SeenReplaced:
		return r.Probe
	}
	p := *r.Probe
	p.Seen = SeenRemade
	return &p
}
