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
	SeenRemade         // nothing was, and the replica was opened since: what is there was made anew
)

// String returns the words that people and JSON read.
func (s Seen) String() string {
	words := [...]string{"no answer", "data", "nothing", "blank", "broken", "another disk", "another disk without it", "nothing, before it was opened"}
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
// directory then. But opening a replica does not bring back what was missing. So
// the caller alone may use the map meanwhile. The replicas that the storage has are
// not changed: others may have them too.
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

// Remember adds to the newer sightings the older ones of directories that were
// missing and could not be looked into again, because their replicas are served
// now: an engine shows nothing of it.
func Remember(newer, older map[UID]Sighting, replicas map[UID]Replica) {
	for uid, x := range older {
		if _, again := newer[uid]; again || x.Probe.Seen != SeenNothing && x.Probe.Seen != SeenRemade {
			continue
		}
		if r, ok := replicas[uid]; ok && r.Claim != Idle {
			if x, ok = x.now(&r); ok {
				newer[uid] = x
			}
		}
	}
}

// now is what is known by the sighting of the replica as it is now, if anything.
func (x Sighting) now(r *Replica) (Sighting, bool) {
	opened := x.Of.Claim != r.Claim
	x.Of.Claim = r.Claim
	switch {
	case !sameDirectory(&x.Of, r):
		return x, false
	case opened && x.Probe.Seen == SeenNothing:
		x.Probe.Seen = SeenRemade
	case opened && x.Probe.Seen != SeenRemade:
		return x, false
	}
	return x, true
}

func sameDirectory(a, b *Replica) bool {
	return a.Node == b.Node && a.DiskUUID == b.DiskUUID && a.DiskPath == b.DiskPath &&
		a.Directory == b.Directory && a.HealthyAt.Equal(b.HealthyAt) && a.FailedAt.Equal(b.FailedAt)
}
