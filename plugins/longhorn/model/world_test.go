// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model/memdisk"
)

const gib = 1 << 30

// world is the least that a model needs around it: nodes that can be added,
// drained and deleted, and a kubelet that runs instance-manager pods.
type world struct {
	t     *testing.T
	m     *model.Model
	disks *memdisk.Disks
	now   time.Time
	nodes map[string]model.NodeFacts
	pods  map[string]model.PodFacts
	ids   int
}

func newWorld(t *testing.T, b model.Behaviour, nodes ...string) *world {
	t.Helper()
	w := &world{
		t: t, disks: memdisk.New(), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		nodes: map[string]model.NodeFacts{}, pods: map[string]model.PodFacts{},
	}
	w.m = model.New(model.Options{Behaviour: b, Seed: 7}, w.disks)
	for _, n := range nodes {
		w.join(n, w.disks.Blank(20*gib))
	}
	w.run(time.Minute)
	return w
}

func (w *world) id(what string) string {
	w.ids++
	return fmt.Sprintf("%s-%d", what, w.ids)
}

// join adds a machine with that disk under a name.
func (w *world) join(name string, disk *memdisk.Disk) {
	w.disks.Insert(name, disk)
	w.set(name, func(f *model.NodeFacts) {
		*f = model.NodeFacts{UID: types.UID(w.id("node")), Ready: true, Manager: w.id("manager"), EngineImage: true}
	})
}

func (w *world) set(name string, change func(*model.NodeFacts)) {
	f := w.nodes[name]
	change(&f)
	w.nodes[name] = f
	w.m.SetNode(name, f)
}

// remove takes a machine away, its disk and its pods, and its node object. It
// returns the disk.
func (w *world) remove(name string) *memdisk.Disk {
	for _, im := range w.list(model.InstanceManagers) {
		if im := im.(*longhorn.InstanceManager); im.Spec.NodeID == name {
			w.m.RemovePod(im.Name)
			delete(w.pods, im.Name)
		}
	}
	w.m.RemoveNode(name)
	delete(w.nodes, name)
	return w.disks.Pull(name)
}

func (w *world) cordon(name string) {
	w.set(name, func(f *model.NodeFacts) { f.Unschedulable = true })
}

// drain does what kubectl drain does to Longhorn: cordon, and evict the
// instance manager if its budget is taken away within the time. It reports
// whether that worked.
func (w *world) drain(name string) bool {
	w.cordon(name)
	for range 12 {
		w.run(5 * time.Second)
		blocked := false
		for _, b := range w.m.Budgets() {
			blocked = blocked || b.Labels["longhorn.io/node"] == name
		}
		if !blocked {
			im := w.manager(name).Name
			w.m.RemovePod(im)
			delete(w.pods, im)
			w.run(5 * time.Second)
			return true
		}
	}
	return false
}

// run lets time pass, and stops at everything that happens on the way.
func (w *world) run(d time.Duration) {
	w.t.Helper()
	end := w.now.Add(d)
	for quiet := 0; quiet < 5000; quiet++ {
		p := w.m.Step(w.now)
		w.kubelet()
		switch {
		case p.Changed:
		case p.Next.IsZero() || p.Next.After(end):
			if w.now.Equal(end) {
				return
			}
			w.now = end
		default:
			w.now = p.Next
			quiet = 0
		}
	}
	var last uint64
	_, last = w.m.Changed(0)
	w.m.Step(w.now)
	restless, _ := w.m.Changed(last)
	w.t.Fatalf("the model does not come to rest at %s: %v", w.now, restless)
}

func (w *world) kubelet() {
	for _, p := range w.m.Pods() {
		if _, ok := w.pods[p.Name]; !ok && w.nodes[p.Node].Ready {
			f := model.PodFacts{UID: types.UID(w.id("pod")), Ready: true, IP: fmt.Sprintf("10.0.0.%d", w.ids)}
			w.pods[p.Name] = f
			w.m.SetPod(p.Name, f)
		}
	}
}

// until runs in small steps until cond holds, for at most limit.
func (w *world) until(what string, limit time.Duration, cond func() bool) time.Duration {
	w.t.Helper()
	start := w.now
	for w.now.Sub(start) <= limit {
		if cond() {
			return w.now.Sub(start)
		}
		w.run(time.Second)
	}
	w.t.Fatalf("after %s still not: %s\n%s", limit, what, w.dump())
	return 0
}

func (w *world) list(k model.Kind) []model.Object { return w.m.List(k) }

func (w *world) volume(name string) *longhorn.Volume {
	v, _ := w.m.Get(model.Volumes, name).(*longhorn.Volume)
	return v
}

func (w *world) engine(volume string) *longhorn.Engine {
	return w.m.Get(model.Engines, volume+"-e-0").(*longhorn.Engine)
}

func (w *world) node(name string) *longhorn.Node {
	n, _ := w.m.Get(model.Nodes, name).(*longhorn.Node)
	return n
}

func (w *world) manager(node string) *longhorn.InstanceManager {
	for _, o := range w.list(model.InstanceManagers) {
		if im := o.(*longhorn.InstanceManager); im.Spec.NodeID == node {
			return im
		}
	}
	return nil
}

func (w *world) replicas(volume string) []*longhorn.Replica {
	var out []*longhorn.Replica
	for _, o := range w.list(model.Replicas) {
		if r := o.(*longhorn.Replica); r.Spec.VolumeName == volume {
			out = append(out, r)
		}
	}
	return out
}

// replicaOn returns the volume's replica on a node that is not marked failed.
func (w *world) replicaOn(volume, node string) *longhorn.Replica {
	for _, r := range w.replicas(volume) {
		if r.Spec.NodeID == node && r.Spec.FailedAt == "" {
			return r
		}
	}
	return nil
}

func (w *world) state(volume string) string {
	v := w.volume(volume)
	return string(v.Status.State) + "/" + string(v.Status.Robustness)
}

func (w *world) create(name string, replicas int) {
	w.t.Helper()
	v := &longhorn.Volume{}
	v.Name, v.Spec.Size, v.Spec.NumberOfReplicas = name, gib, replicas
	if err := w.m.Create(v); err != nil {
		w.t.Fatal(err)
	}
	w.until(name+" detached", time.Minute, func() bool { return w.state(name) == "detached/unknown" })
}

func (w *world) ticket(volume, id, node string, kind longhorn.AttacherType) {
	w.t.Helper()
	t := longhorn.AttachmentTicket{ID: id, Type: kind, NodeID: node, Parameters: map[string]string{"disableFrontend": "false"}}
	if kind == longhorn.AttacherTypeLonghornAPI {
		t.Parameters["disableFrontend"] = "true"
	}
	if err := w.m.SetTicket(volume, t); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) untick(volume, id string) {
	w.t.Helper()
	if err := w.m.RemoveTicket(volume, id); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) attach(volume, node string) {
	w.t.Helper()
	w.publish(volume, node)
	w.until(volume+" attached and healthy", time.Minute, func() bool { return w.state(volume) == "attached/healthy" })
}

// publish asks for the volume as the CSI plugin does.
func (w *world) publish(volume, node string) {
	w.t.Helper()
	if _, err := w.m.Publish(volume, "csi", node); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) detach(volume string) {
	w.t.Helper()
	w.m.Unpublish(volume, "csi", w.volume(volume).Spec.NodeID)
	w.until(volume+" detached", time.Minute, func() bool { return w.state(volume) == "detached/unknown" })
}

// filled creates a volume, writes its name into it, and detaches it.
func (w *world) filled(name string, replicas int) {
	w.t.Helper()
	w.create(name, replicas)
	w.attach(name, w.anyNode())
	w.write(name)
	w.detach(name)
}

func (w *world) anyNode() string {
	for _, o := range w.list(model.Nodes) {
		if f := w.nodes[o.GetName()]; f.Ready && !f.Unschedulable {
			return o.GetName()
		}
	}
	w.t.Fatal("no node left")
	return ""
}

func (w *world) write(volume string) {
	w.t.Helper()
	a, ok := w.m.Attached(volume)
	if !ok {
		w.t.Fatalf("%s is not attached", volume)
	}
	if err := w.disks.Write(a, nil, []byte("data of "+volume)); err != nil {
		w.t.Fatal(err)
	}
}

// copies counts the whole directories that hold the volume's bytes.
func (w *world) copies(volume string) int {
	n := 0
	for _, d := range w.disks.Truth() {
		if d.Whole && bytes.Equal(d.Bytes, []byte("data of "+volume)) {
			n++
		}
	}
	return n
}
