// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	longhornapi "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

const (
	namespace = "default"
	// termination is how long a pod takes to end.
	termination = 3 * time.Second
)

// workload wants pods to run.
type workload struct {
	name   string
	volume string // that its pod mounts; empty for none
	want   int
	// guarded: at least one of its pods must stay, by a disruption budget.
	guarded bool
	pods    []*pod // its own, by name
}

// pod is a pod of a workload, or of an instance manager.
type pod struct {
	namespace string
	name      string
	uid       cluster.UID
	version   int
	node      string // empty while no node takes it
	load      *workload
	owner     types.UID // of an instance manager's pod
	ip        string    // of an instance manager's pod
	ready     bool
	mounted   bool
	deleting  bool
	endsAt    time.Time
	nextWrite time.Time
}

// restart is what a reboot of its machine does to a pod.
func (p *pod) restart(now time.Time) {
	p.ready, p.mounted = false, false
	if p.load == nil {
		p.deleting, p.endsAt = true, now // nobody restarts it: its controller makes another
	}
}

func (w *World) pod(namespace, name string) *pod {
	i, _ := slices.BinarySearchFunc(w.pods, name, func(p *pod, name string) int { return cmp.Compare(p.name, name) })
	for ; i < len(w.pods) && w.pods[i].name == name; i++ {
		if w.pods[i].namespace == namespace {
			return w.pods[i]
		}
	}
	return nil
}

// end asks a pod to go.
func (w *World) end(p *pod) {
	if !p.deleting {
		w.edits++
		p.deleting, p.endsAt = true, w.now.Add(termination)
		p.version++
		w.after(termination, func() {})
	}
}

// syncPods makes the pods that are missing, ends those that are due, and tells
// the model of its own.
func (w *World) syncPods() {
	w.reap()
	for _, want := range w.model.Pods() {
		n := w.machine(want.Node)
		if n != nil && n.on && n.ready(w.now) && w.pod(longhorn.Namespace, want.Name) == nil {
			w.addPod(&pod{namespace: longhorn.Namespace, name: want.Name, uid: w.uid("pod"), node: want.Node, owner: want.Owner, ip: w.nextIP(), ready: true})
		}
	}
	for _, p := range w.pods {
		if p.load != nil {
			continue
		}
		n := w.machine(p.node)
		im := w.model.Get(model.InstanceManagers, p.name)
		if (im == nil || im.GetUID() != p.owner) && !p.deleting {
			w.end(p)
		}
		w.model.SetPod(p.name, model.PodFacts{
			UID: types.UID(p.uid), Ready: n.ready(w.now) && !p.deleting, Terminating: p.deleting, IP: p.ip,
		})
	}
	for _, l := range w.loads {
		w.syncLoad(l)
	}
	w.tellClaims()
}

// nextIP is an address that no pod has had.
func (w *World) nextIP() string {
	w.ips++
	return fmt.Sprintf("10.%d.%d.%d", w.ips>>16, w.ips>>8&255, w.ips&255)
}

// reap removes the pods whose time has come. On a machine that is off nothing
// ends.
func (w *World) reap() {
	w.dropPods(func(p *pod) bool {
		if !p.deleting || p.endsAt.After(w.now) {
			return false
		}
		if n := w.machine(p.node); n != nil && !n.on {
			return false
		}
		if p.load == nil {
			w.model.RemovePod(p.name)
		} else if l := w.linkOf(p.load.volume); l != nil && l.node == p.node {
			l.deleting = true
		}
		w.edits++
		return true
	})
}

func (w *World) syncLoad(l *workload) {
	have := 0
	for _, p := range l.pods {
		have++
		if p.node == "" {
			if p.node = w.schedule(l); p.node != "" {
				w.edits++
			}
		}
		if p.node != "" && l.volume != "" && w.linkOf(l.volume) == nil && !p.deleting {
			w.edits++
			w.links = append(w.links, &link{
				name: "csi-" + l.volume + "-" + p.node, uid: w.uid("va"), volume: l.volume, node: p.node,
			})
			w.linked[l.volume] = w.links[len(w.links)-1]
		}
	}
	for ; have < l.want; have++ {
		id := w.uid("pod")
		w.addPod(&pod{namespace: namespace, name: l.name + "-" + string(id), uid: id, node: w.schedule(l), load: l})
	}
	for _, p := range l.pods {
		if have > l.want && !p.deleting {
			w.end(p)
			have--
		}
	}
}

// schedule picks the node with the fewest pods that takes any.
func (w *World) schedule(l *workload) string {
	best, fewest := "", 0
	for _, n := range w.machines {
		if n.role != "worker" || n.cordoned || n.doomed || !n.on || !n.ready(w.now) || l.volume != "" && !w.usable(n) {
			continue
		}
		count := 0
		for _, p := range w.pods {
			if p.node == n.name && p.load != nil {
				count++
			}
		}
		if best == "" || count < fewest {
			best, fewest = n.name, count
		}
	}
	return best
}

// kubeletWork mounts, starts and writes. It reports whether anything changed.
func (w *World) kubeletWork() bool {
	changed := false
	for _, p := range w.pods {
		if p.load == nil {
			continue
		}
		n := w.machine(p.node)
		if n == nil || !n.on || !n.ready(w.now) {
			continue
		}
		v := w.volume(p.load.volume)
		if v == nil {
			changed = changed || !p.ready
			p.ready = true
			continue
		}
		served := w.servedTo(v, p)
		switch {
		case served && !p.mounted && !p.deleting && w.mount(v, p.node):
			p.mounted, p.ready, p.nextWrite, changed = true, true, w.now.Add(writing), true
			w.after(writing, func() {})
		case !served && p.mounted:
			p.mounted, p.ready, changed = false, false, true
		case served && p.mounted && !v.stalled && (!p.nextWrite.After(w.now) || !slices.Equal(v.members, v.written)):
			w.write(v)
			p.nextWrite, changed = w.now.Add(writing), true
			w.after(writing, func() {})
		}
	}
	return changed
}

func (w *World) servedTo(v *volume, p *pod) bool {
	l := w.linkOf(v.name)
	if l == nil || !l.attached || l.node != p.node {
		return false
	}
	if stirs := w.model.Stirs(v.name); v.stirs != stirs {
		v.stirs, v.served = stirs, ""
		if a, ok := w.model.Attached(v.name); ok && a.Frontend {
			v.served, v.stalled, v.members = a.Node, a.Stalled, a.Write
		}
	}
	return v.served == p.node
}

// budgetAllows reports whether a disruption budget lets the pod go now.
func (w *World) budgetAllows(p *pod) bool {
	if p.load == nil {
		return !w.model.Guarded(p.name)
	}
	return !p.load.guarded || w.readyPods(p.load) > 1
}

func (w *World) readyPods(l *workload) int {
	n := 0
	for _, p := range l.pods {
		if m := w.machine(p.node); p.ready && !p.deleting && m != nil && m.on {
			n++
		}
	}
	return n
}

// running reports whether every wanted pod of the workload runs.
func (w *World) running(l *workload) bool { return w.readyPods(l) >= l.want }

// start adds a workload.
func (w *World) start(l *workload) { w.loads = append(w.loads, l) }

// stop takes a workload away; its pods end.
func (w *World) stop(name string) {
	for _, l := range w.loads {
		if l.name == name {
			l.want = 0
		}
	}
}

// state is what the storage says of a volume, such as attached/healthy.
func (w *World) state(name string) string {
	v, ok := w.model.Get(model.Volumes, name).(*longhornapi.Volume)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s/%s", v.Status.State, v.Status.Robustness)
}
