// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"time"

	longhornapi "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// secrets is what nobody can know who reads the API: directories that somebody
// took away, and what was started blank in their place. All are known by the
// directory's name, which no two replicas share.
type secrets struct {
	// hidden are directories that are gone, and the storage's objects still
	// count on them.
	hidden map[string]hiding
	// blank are directories that were made in the place of such a one, and those
	// that were copied from one; their engines vouch for them.
	blank map[string]bool
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
	return secrets{hidden: map[string]hiding{}, blank: map[string]bool{}}
}

func (s *secrets) hide(directory string, now time.Time, disk bool) {
	s.hidden[directory] = hiding{now, disk}
}

func (s *secrets) started(at model.Place) {
	if since, ok := s.hidden[at.Name]; ok {
		delete(s.hidden, at.Name)
		if s.missed(at.Name, since) {
			s.blank[at.Name] = true
		}
	}
}

func (s *secrets) copied(from, to model.Place) {
	if s.blank[from.Name] {
		s.blank[to.Name] = true
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
	just := w.now.Sub(since.at) < remembered
	if since.disk {
		return just
	}
	return just || !w.probing || !w.heldByUs(directory[:len(directory)-suffix])
}

// concealed counts the volume's replicas that its objects call good, and whose
// data are gone without anything to tell it by.
func (w *World) concealed(v *volume) int {
	if len(w.disks.hidden) == 0 && len(w.disks.blank) == 0 {
		return 0
	}
	bytes := map[string]string{}
	for _, d := range w.disks.Truth() {
		bytes[d.Directory] = string(d.Bytes)
	}
	n := 0
	for _, o := range w.model.List(model.Replicas) {
		r, ok := o.(*longhornapi.Replica)
		if !ok || r.Spec.VolumeName != v.name || r.Spec.HealthyAt == "" || r.Spec.FailedAt != "" {
			continue
		}
		name, machine := r.Spec.DataDirectoryName, w.machine(r.Spec.NodeID)
		since, hidden := w.disks.hidden[name]
		was, there := bytes[name]
		switch {
		case w.disks.blank[name] && there && was != v.bytes:
			n++
		case hidden && !there && !since.disk && !w.probing && machine != nil && machine.created.Before(since.at) &&
			w.now.Sub(since.at) >= remembered: // what vanished just now is counted otherwise
			n++
		}
	}
	return n
}
