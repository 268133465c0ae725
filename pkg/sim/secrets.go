// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"time"

	longhornapi "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// secrets is what nobody can know who reads the API: directories that somebody
// took away, and what was started blank in their place. All are known by the
// directory's name, which no two replicas share.
type secrets struct {
	// hidden are directories that are gone, and the storage's objects still
	// count on them.
	hidden map[string]hiding
	// blank are directories that were made in the place of such a one, with the time
	// when that was taken away, and those that were copied from one, with none; their
	// engines vouch for them.
	blank map[string]time.Time
	// missed reports whether no look could have told before the directory was
	// made anew.
	missed func(directory string, since hiding) bool
}

// hiding is when and how a directory was taken away.
type hiding struct {
	at   time.Time
	disk bool // with its disk, which shows in the objects a moment later
}

func newSecrets() secrets {
	return secrets{hidden: map[string]hiding{}, blank: map[string]time.Time{}}
}

func (s *secrets) hide(directory string, now time.Time, disk bool) {
	s.hidden[directory] = hiding{now, disk}
}

func (s *secrets) started(at model.Place) {
	if since, ok := s.hidden[at.Name]; ok {
		delete(s.hidden, at.Name)
		if s.missed(at.Name, since) {
			s.blank[at.Name] = since.at
		}
	}
}

func (s *secrets) copied(from, to model.Place) {
	if _, blank := s.blank[from.Name]; blank {
		s.blank[to.Name] = time.Time{}
	} else {
		delete(s.blank, to.Name)
	}
}

func (s *secrets) removed(at model.Place) {
	delete(s.blank, at.Name)
	delete(s.hidden, at.Name)
}

// missed: nobody looked, or a look came too early, or others opened the volume.
func (w *World) missed(directory string, since hiding) bool {
	asked := w.askedAt(directory[:len(directory)-suffix])
	if since.disk {
		return w.now.Sub(since.at) < remembered || asked.IsZero()
	}
	return !w.probing || asked.IsZero() || asked.Sub(since.at) < remembered
}

// askedAt is when we asked the storage to open the volume, where that is why it
// does; zero where it is not.
func (w *World) askedAt(volume string) time.Time {
	if w.heldByUs(volume) {
		return w.openings[volume]
	}
	if w.entrusted[volume] {
		return w.openings[volume]
	}
	for _, o := range w.model.List(model.Replicas) {
		r, ok := o.(*longhornapi.Replica)
		if !ok || r.Spec.VolumeName != volume {
			continue
		}
		n := w.machine(r.Spec.NodeID)
		if at := w.placement(r.Spec.NodeID); n != nil && n.barredBy == oracle.Ours && at != nil && at.Spec.EvictionRequested {
			return w.openings[n.name]
		}
	}
	return time.Time{}
}

// opens notes that a deed of ours has the storage open volumes.
func (w *World) opens(a decide.Action) {
	switch a.Verb {
	case decide.Wake:
		w.openings[a.Volume.Name] = w.now
	case decide.SetAside:
		w.openings[a.Volume.Name], w.entrusted[a.Volume.Name] = w.now, true
	case decide.PutBack:
		delete(w.entrusted, a.Volume.Name)
	case decide.Place:
		w.openings[a.StorageNode.Name] = w.now
	default: // it opens none
	}
}

// concealed are the machines of the volume's replicas that its objects call good,
// and whose data are gone without anything to tell it by.
func (w *World) concealed(v *volume) []cluster.NodeRef {
	if len(w.disks.hidden) == 0 && len(w.disks.blank) == 0 {
		return nil
	}
	bytes := map[string]string{}
	for _, d := range w.disks.Truth() {
		bytes[d.Directory] = string(d.Bytes)
	}
	var out []cluster.NodeRef
	for _, o := range w.model.List(model.Replicas) {
		r, ok := o.(*longhornapi.Replica)
		if !ok || r.Spec.VolumeName != v.name || r.Spec.HealthyAt == "" || r.Spec.FailedAt != "" {
			continue
		}
		name, machine := r.Spec.DataDirectoryName, w.machine(r.Spec.NodeID)
		since, hidden := w.disks.hidden[name]
		from, blank := w.disks.blank[name]
		was, there := bytes[name]
		switch {
		case machine == nil, !hidden && !blank:
		case hidden && w.unknowable(since.at), !hidden && w.unknowable(from): // what vanished just now is counted otherwise
		case blank && there && was != v.bytes,
			hidden && !there && !since.disk && !w.lookedInto(r, since.at) && machine.created.Before(since.at):
			out = append(out, machine.ref())
		}
	}
	return out
}

// mended reports whether the volume has all its copies again, and nothing else may
// be taken for one: where others took data away unseen, an engine may still come up
// on what is called good, and a salvage takes what has failed as well.
func (w *World) mended(v *volume) bool {
	if len(v.copies) < v.want {
		return false
	}
	for _, o := range w.model.List(model.Replicas) {
		r, ok := o.(*longhornapi.Replica)
		if !ok || r.Spec.VolumeName != v.name || r.Spec.HealthyAt == "" {
			continue
		}
		d, there := w.disks.Look(model.Place{Node: r.Spec.NodeID, Name: r.Spec.DataDirectoryName})
		if r.Spec.FailedAt != "" {
			if there {
				return false
			}
			continue
		}
		if !there || !d.Whole || string(d.Bytes) != v.bytes {
			return false
		}
	}
	return true
}

// lookedInto reports whether somebody has looked into the replica's directory since:
// looks come before a sleeping volume is opened and at gates, and what an engine
// serves is vouched for by that.
func (w *World) lookedInto(r *longhornapi.Replica, since time.Time) bool {
	return w.inside[r.UID].After(since)
}
