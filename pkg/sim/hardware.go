// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model/memdisk"
)

// hardware is the disks, of which volumes something on them has changed, and what
// on them is not what it seems.
type hardware struct {
	*memdisk.Disks
	moved   bool                     // a disk came or went
	changed map[string]bool          // volumes
	lies    map[string][]model.Place // where directories of a volume may be, by node and name
	secrets
}

func newHardware() *hardware {
	return &hardware{Disks: memdisk.New(), changed: map[string]bool{}, lies: map[string][]model.Place{}, secrets: newSecrets()}
}

// Insert puts a disk into a node.
func (h *hardware) Insert(node string, disk *memdisk.Disk) {
	h.moved = true
	h.Disks.Insert(node, disk)
}

// Pull takes a disk out of a node.
func (h *hardware) Pull(node string) *memdisk.Disk {
	h.moved = true
	return h.Disks.Pull(node)
}

// note notes that something changes in a directory.
func (h *hardware) note(at model.Place) {
	if len(at.Name) <= suffix {
		return
	}
	volume, at := at.Name[:len(at.Name)-suffix], model.Place{Node: at.Node, Name: at.Name}
	h.changed[volume] = true
	i, found := slices.BinarySearchFunc(h.lies[volume], at, func(a, b model.Place) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Name, b.Name))
	})
	if !found {
		h.lies[volume] = slices.Insert(h.lies[volume], i, at)
	}
}

// find looks for every directory anew.
func (h *hardware) find() {
	clear(h.lies)
	for _, d := range h.Truth() {
		h.note(model.Place{Node: d.Node, Name: d.Directory})
	}
}

// Create implements model.Disks.
func (h *hardware) Create(at model.Place, blank model.Directory) error {
	h.note(at)
	h.started(at)
	return h.Disks.Create(at, blank)
}

// Begin implements model.Disks.
func (h *hardware) Begin(at model.Place) error {
	h.note(at)
	return h.Disks.Begin(at)
}

// Copy implements model.Disks.
func (h *hardware) Copy(from, to model.Place) error {
	h.note(to)
	h.copied(from, to)
	return h.Disks.Copy(from, to)
}

// Remove implements model.Disks.
func (h *hardware) Remove(at model.Place) error {
	h.note(at)
	h.removed(at)
	return h.Disks.Remove(at)
}

// suffix is what a replica's directory has after its volume's name: a dash and
// eight digits.
const suffix = 9

// remembered is how long a copy that vanished counts as one that nobody could
// know of: what was read before is acted upon a moment later.
const remembered = 45 * time.Second

// unknowable reports whether what vanished then counts as such a copy still: whoever
// sees old states learns of it so much later.
func (w *World) unknowable(at time.Time) bool { return w.now.Sub(at) < remembered+w.lag }

// watchBytes counts the whole, newest copies of every volume, and notes whose
// doing it was that one went, or the last.
func (w *World) watchBytes(by oracle.Hand) {
	if w.disks.moved {
		w.disks.find()
		for _, v := range w.volumes {
			w.watchVolume(v, by)
		}
	} else {
		for _, name := range slices.Sorted(maps.Keys(w.disks.changed)) {
			if v := w.volume(name); v != nil {
				w.watchVolume(v, by)
			}
		}
	}
	w.disks.moved = false
	clear(w.disks.changed)
}

func (w *World) watchVolume(v *volume, by oracle.Hand) {
	if v.bytes == "" || v.deleted {
		return
	}
	var now []string
	w.disks.lies[v.name] = slices.DeleteFunc(w.disks.lies[v.name], func(at model.Place) bool {
		d, ok := w.disks.Look(at)
		if ok && d.Whole && string(d.Bytes) == v.bytes {
			now = append(now, d.Node)
		}
		return !ok // it comes back by note, or by find
	})
	if by != oracle.Ours {
		left := slices.Clone(now) // two copies may lie on one node
		for _, node := range v.copies {
			if i := slices.Index(left, node); i >= 0 {
				left = slices.Delete(left, i, i+1)
				continue
			}
			w.vanish(v, node, by)
		}
	}
	if len(v.copies) > 0 && len(now) == 0 {
		w.say("volume %s is lost, by %s doing", v.name, by)
		w.lose(v, by)
	}
	v.copies = now
	v.damaged = v.damaged && !w.mended(v)
}

// lose notes that what was last written to a volume is gone. What others took just
// now, while a command of ours ran that cannot be called back, was believed in, too.
func (w *World) lose(v *volume, by oracle.Hand) {
	believed := len(w.concealed(v))
	for _, at := range v.vanished {
		if w.unknowable(at.at) {
			believed++
		}
	}
	w.truth.Losses = append(w.truth.Losses, oracle.Loss{At: w.now, Volume: v.name, By: by, Damaged: v.damaged, Concealed: believed})
}

// vanish notes that a copy went by others' hands: they took it, or switched its
// machine off or killed what serves it, so that it misses what is written since.
func (w *World) vanish(v *volume, node string, by oracle.Hand) {
	n := w.machine(node)
	dark := n != nil && (!n.on || w.now.Sub(n.struck) < remembered)
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
			if w.unknowable(at.at) {
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

// Lost names the volumes whose bytes are nowhere any more, and those that came up
// blank, or with older ones.
func (w *World) Lost() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost()
}

func (w *World) lost() []string {
	var out []string
	for _, v := range w.volumes {
		if v.bytes != "" && !v.deleted && len(v.copies) == 0 || v.regressed {
			out = append(out, v.name)
		}
	}
	return out
}
