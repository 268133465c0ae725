// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"slices"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// drain evicts every pod that its budget lets go, once.
func (w *World) drain(n *machine) {
	w.say("somebody drains %s", n.name)
	for _, p := range slices.Clone(w.pods) {
		if p.node == n.name && !p.deleting && w.budgetAllows(p) {
			w.end(p)
		}
	}
}

// recreate deletes a machine with its disk and makes another under its name.
func (w *World) recreate(n *machine) {
	if w.machine(n.name) != n || n.doomed {
		return
	}
	w.remove(n, oracle.Theirs)
	w.after(creating, func() {
		if w.machine(n.name) == nil {
			w.join(n.name, "worker", w.disks.Blank(w.opts.DiskSize))
		}
	})
}

// register has a Node object deleted and made anew by its kubelet: the same
// machine with the same disk has another UID then.
func (w *World) register(n *machine) {
	if w.machine(n.name) != n || n.doomed || !n.on {
		return
	}
	disk := w.remove(n, oracle.Theirs)
	w.after(5*time.Second, func() {
		if w.machine(n.name) == nil {
			w.join(n.name, n.role, disk)
		}
	})
}

// swap puts an empty disk in the place of a machine's own.
func (w *World) swap(n *machine) {
	if w.machine(n.name) != n || n.doomed {
		return
	}
	w.say("somebody puts another disk into %s", n.name)
	was := w.disks.Truth()
	w.blame(n.name)
	w.disks.Pull(n.name)
	for _, d := range was {
		if d.Node == n.name {
			w.disks.hide(d.Directory, w.now, true)
		}
	}
	w.disks.Insert(n.name, w.disks.Blank(w.opts.DiskSize))
	w.model.Unplugged(n.name)
	w.watchBytes(oracle.Theirs)
}

// strike notes that others interrupt what a machine serves: what is written next is
// not written there, and of two such blows a storage may make the worst.
func (w *World) strike(n *machine) {
	n.struck = w.now
	w.blame(n.name)
}

// killManagers kills the pods that carry the storage's engines and replicas.
func (w *World) killManagers(n *machine) {
	w.say("somebody kills the instance manager of %s", n.name)
	w.strike(n)
	for _, p := range w.pods {
		if p.node == n.name && p.load == nil {
			w.end(p)
		}
	}
}

// unbar has somebody allow replicas on a machine again, whoever forbade them.
func (w *World) unbar(n *machine) {
	if w.placement(n.name) == nil {
		return
	}
	w.say("somebody allows replicas on %s", n.name)
	w.must(w.model.Patch(model.Ref{Kind: model.Nodes, Name: n.name}, []byte(`{"spec":{"allowScheduling":true,"evictionRequested":false}}`)))
	n.barredBy = oracle.Nobody
}

func (w *World) anyVolume() *volume {
	var there []*volume
	for _, v := range w.volumes {
		if !v.deleted && w.model.Get(model.Volumes, v.name) != nil {
			there = append(there, v)
		}
	}
	if len(there) == 0 {
		return nil
	}
	return there[w.rand.IntN(len(there))]
}

// conceal removes the directory of any one copy behind everybody's back. Another is
// left, and two where nobody would look.
func (w *World) conceal(v *volume) {
	var copies []model.Place
	for _, d := range w.disks.Truth() {
		if len(d.Directory) > suffix && d.Directory[:len(d.Directory)-suffix] == v.name && d.Whole && string(d.Bytes) == v.bytes {
			copies = append(copies, model.Place{Node: d.Node, Name: d.Directory})
		}
	}
	if v.bytes == "" || len(copies) < 2 || len(copies) == 2 && !w.probing {
		return
	}
	at := copies[w.rand.IntN(len(copies))]
	w.say("somebody removes %s on %s", at.Name, at.Node)
	w.must(w.disks.Remove(at))
	w.disks.hide(at.Name, w.now, false)
	w.watchBytes(oracle.Theirs)
}

// settleFor lets time pass.
func (w *World) settleFor(d time.Duration) {
	w.mu.Unlock()
	lapse(d)
	w.mu.Lock()
	w.catchUp()
}
