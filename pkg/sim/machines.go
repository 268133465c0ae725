// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	longhornapi "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model/memdisk"
)

const (
	// heartbeat is how often a kubelet renews its node's lease.
	heartbeat = 10 * time.Second
	// leaseLasts is what the lease says of itself.
	leaseLasts = 40 * time.Second
	// grace is how long the node controller waits for heartbeats.
	grace = 45 * time.Second
	// bootTime is from the start of a machine to its Ready.
	bootTime = 8 * time.Second
)

// machine is a machine and the Node object that stands for it.
type machine struct {
	name    string
	uid     cluster.UID
	role    string
	created time.Time
	version int

	on        bool
	boots     int
	booted    time.Time
	downSince time.Time
	struck    time.Time // when others last killed what serves the storage there, or switched it off
	doomed    bool      // it is being deleted

	cordoned   bool
	cordonedBy oracle.Hand
	barredBy   oracle.Hand
}

// boot names the machine's last boot.
func (n *machine) boot() string { return string(n.uid) + "/" + strconv.Itoa(n.boots) }

func (n *machine) ref() cluster.NodeRef { return cluster.NodeRef{Name: n.name, UID: n.uid} }

// ready is what the node controller says at that time.
func (n *machine) ready(now time.Time) bool {
	if n.on {
		return now.Sub(n.booted) >= bootTime
	}
	return now.Sub(n.downSince) < grace
}

// renewed is the last renewal of the lease.
func (n *machine) renewed(now time.Time) time.Time {
	if !n.on {
		now = n.downSince
	}
	return n.booted.Add(now.Sub(n.booted).Truncate(heartbeat))
}

func (w *World) machine(name string) *machine {
	i, ok := slices.BinarySearchFunc(w.machines, name, func(n *machine, name string) int { return cmp.Compare(n.name, name) })
	if !ok {
		return nil
	}
	return w.machines[i]
}

func (w *World) machineByUID(uid cluster.UID) *machine {
	for _, n := range w.machines {
		if n.uid == uid {
			return n
		}
	}
	return nil
}

// join adds a machine with that disk; nil for one that carries no storage.
func (w *World) join(name, role string, disk *memdisk.Disk) *machine {
	n := &machine{name: name, uid: w.uid("node"), role: role, created: w.now, on: true, boots: 1, booted: w.now}
	w.machines = append(w.machines, n)
	slices.SortFunc(w.machines, func(a, b *machine) int { return cmp.Compare(a.name, b.name) })
	if disk != nil {
		w.disks.Insert(name, disk)
	}
	w.after(bootTime, func() {})
	w.say("machine %s (%s) joins", name, n.uid)
	return n
}

// remove takes a machine away with its disk, its Node object and its pods.
func (w *World) remove(n *machine, by oracle.Hand) *memdisk.Disk {
	w.say("machine %s (%s) is deleted", n.name, n.uid)
	w.machines = slices.DeleteFunc(w.machines, func(m *machine) bool { return m == n })
	w.dropPodsOf(n.name)
	w.model.RemoveNode(n.name)
	if by == oracle.Theirs {
		w.blame(n.name)
	}
	disk := w.disks.Pull(n.name)
	w.watchBytes(by)
	return disk
}

// blame notes that others take what lies on a machine's disk, also of volumes that
// nobody has written to yet: their next copies may all be on what they took.
func (w *World) blame(node string) {
	for _, d := range w.disks.Truth() {
		if d.Node != node || len(d.Directory) <= suffix {
			continue
		}
		if v := w.volume(d.Directory[:len(d.Directory)-suffix]); v != nil {
			v.damaged = true
		}
	}
}

func (w *World) powerOff(n *machine) {
	if n.on {
		w.say("machine %s goes dark", n.name)
		n.on, n.downSince = false, w.now
		w.after(grace, func() {})
	}
}

func (w *World) powerOn(n *machine) {
	if !n.on {
		w.say("machine %s comes back", n.name)
		n.on, n.booted, n.boots = true, w.now, n.boots+1
		w.after(bootTime, func() {})
		for _, p := range w.pods {
			if p.node == n.name {
				p.restart(w.now)
			}
		}
	}
}

// cordon sets or takes back spec.unschedulable.
func (w *World) cordon(n *machine, on bool, by oracle.Hand) {
	if n.cordoned == on {
		return
	}
	w.say("%s: unschedulable %v (%s)", n.name, on, by)
	n.cordoned, n.cordonedBy = on, oracle.Nobody
	if on {
		n.cordonedBy = by
	}
	n.version++
}

// syncMachines tells the model which nodes there are.
func (w *World) syncMachines() {
	for _, n := range w.machines {
		if n.role != "worker" {
			continue // its storage pods tolerate nothing
		}
		ready := n.ready(w.now)
		f := model.NodeFacts{
			UID: types.UID(n.uid), Ready: ready, Unschedulable: n.cordoned, PoweredOff: !n.on,
			Boot: n.boot(), EngineImage: ready,
		}
		if ready {
			f.Manager = f.Boot
		}
		w.model.SetNode(n.name, f)
	}
}

// placement is what the storage's node object accepts.
func (w *World) placement(node string) *longhornapi.Node {
	n, _ := w.model.Get(model.Nodes, node).(*longhornapi.Node)
	return n
}

// usable reports whether replicas can be placed on the machine.
func (w *World) usable(n *machine) bool {
	if !n.on || !n.ready(w.now) {
		return false
	}
	if n.role != "worker" {
		return true
	}
	o := w.placement(n.name)
	if o == nil || o.DeletionTimestamp != nil || o.CreationTimestamp.Time.Before(n.created.Truncate(time.Second)) {
		return false
	}
	for _, d := range o.Status.DiskStatus {
		for _, c := range d.Conditions {
			if c.Type == longhornapi.DiskConditionTypeSchedulable && c.Status == longhornapi.ConditionStatusTrue {
				return true
			}
		}
	}
	return false
}

// set changes a setting of the storage.
func (w *World) set(name, value string) error {
	w.say("setting %s is %s", name, value)
	err := w.model.Patch(model.Ref{Kind: model.Settings, Name: name}, fmt.Appendf(nil, `{"value":%q}`, value))
	if err != nil {
		return fmt.Errorf("setting %s: %w", name, err)
	}
	return nil
}
