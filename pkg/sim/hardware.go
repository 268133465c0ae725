// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"slices"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model/memdisk"
)

// hardware is the disks, whether what lies on them has changed, and what on them
// is not what it seems.
type hardware struct {
	*memdisk.Disks
	changed bool
	secrets
}

func newHardware() *hardware { return &hardware{Disks: memdisk.New(), secrets: newSecrets()} }

// Create implements model.Disks.
func (h *hardware) Create(at model.Place, blank model.Directory) error {
	h.changed = true
	h.started(at)
	return h.Disks.Create(at, blank)
}

// Copy implements model.Disks.
func (h *hardware) Copy(from, to model.Place) error {
	h.changed = true
	h.copied(from, to)
	return h.Disks.Copy(from, to)
}

// Remove implements model.Disks.
func (h *hardware) Remove(at model.Place) error {
	h.changed = true
	h.removed(at)
	return h.Disks.Remove(at)
}

// suffix is what a replica's directory has after its volume's name: a dash and
// eight digits.
const suffix = 9

// remembered is how long a copy that vanished counts as one that nobody could
// know of: what was read before is acted upon a moment later.
const remembered = 45 * time.Second

// watchBytes counts the whole, newest copies of every volume, and notes whose
// doing it was that one went, or the last.
func (w *World) watchBytes(by oracle.Hand) {
	if !w.disks.changed {
		return
	}
	w.disks.changed = false
	now := map[string][]string{}
	for _, d := range w.disks.Truth() {
		if len(d.Directory) <= suffix || !d.Whole {
			continue
		}
		name := d.Directory[:len(d.Directory)-suffix]
		if v := w.volume(name); v != nil && v.bytes != "" && string(d.Bytes) == v.bytes {
			now[name] = append(now[name], d.Node)
		}
	}
	for _, v := range w.volumes {
		if v.bytes == "" || v.deleted {
			continue
		}
		if by != oracle.Ours {
			for _, node := range v.copies {
				if !slices.Contains(now[v.name], node) {
					w.vanish(v, node, by)
				}
			}
		}
		if len(v.copies) > 0 && len(now[v.name]) == 0 {
			w.say("volume %s is lost, by %s doing", v.name, by)
			w.truth.Losses = append(w.truth.Losses, oracle.Loss{At: w.now, Volume: v.name, By: by, Damaged: v.damaged, Concealed: len(w.concealed(v))})
		}
		v.copies = now[v.name]
	}
}

// vanish notes that a copy went by others' hands: they took it, or switched its
// machine off, so that it misses what is written since.
func (w *World) vanish(v *volume, node string, by oracle.Hand) {
	n := w.machine(node)
	dark := n != nil && !n.on
	if by == oracle.Theirs {
		v.damaged = true
	}
	if by == oracle.Theirs || dark {
		v.vanished = append(v.vanished, vanishing{w.now, w.refOf(node)})
	}
}

// vanishing is the end of a copy by others' hands.
type vanishing struct {
	at   time.Time
	node cluster.NodeRef
}

// refOf is the machine of that name; without an identity where it is gone.
func (w *World) refOf(node string) cluster.NodeRef {
	if n := w.machine(node); n != nil {
		return n.ref()
	}
	return cluster.NodeRef{Name: node}
}

// moment is how everything really is now.
func (w *World) moment() *oracle.Moment {
	m := &oracle.Moment{}
	for _, n := range w.machines {
		o := oracle.Node{Ref: n.ref(), CordonedBy: n.cordonedBy, BarredBy: n.barredBy}
		if !n.on {
			o.DownSince = n.downSince
		}
		m.Nodes = append(m.Nodes, o)
	}
	for _, v := range w.volumes {
		if v.deleted {
			continue
		}
		o := oracle.Volume{Name: v.name, Want: v.want, Need: 1, Written: v.bytes != "", Concealed: w.concealed(v), Held: w.heldByUs(v.name)}
		for _, at := range v.vanished {
			if w.now.Sub(at.at) < remembered {
				o.Concealed = append(o.Concealed, at.node)
			}
		}
		for _, node := range v.copies {
			o.Copies = append(o.Copies, w.refOf(node))
		}
		m.Volumes = append(m.Volumes, o)
	}
	return m
}

// Lost names the volumes whose bytes are nowhere any more, and those that were
// formatted anew over what they held.
func (w *World) Lost() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost()
}

func (w *World) lost() []string {
	var out []string
	for _, v := range w.volumes {
		if v.bytes != "" && !v.deleted && len(v.copies) == 0 || v.reformatted {
			out = append(out, v.name)
		}
	}
	return out
}
