// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	"k8s.io/apimachinery/pkg/types"
)

// twins are two models that are told the same. In the second everybody looks at
// every step.
type twins struct {
	t          *testing.T
	r          *rand.Rand
	fast, full *Model
	now        time.Time
	called, of int
	nodes      map[string]NodeFacts
	pods       map[string]PodFacts
	serial     int
}

func (w *twins) id() string { w.serial++; return fmt.Sprint(w.serial) }

func (w *twins) both(do func(*Model)) {
	do(w.fast)
	do(w.full)
}

// wake has everybody look at the next step.
func (m *Model) wake() {
	m.resting, m.rests = [controllers]rest{}, [controllers]map[Object]*rest{}
	for i := range m.tours {
		m.tours[i].all = 0
	}
}

// calls is how many of the objects of volumes the next step looks after, and of
// how many.
func (m *Model) calls() (called, of int) {
	m.callKin()
	for _, k := range []topic{ofVolumes, ofReplicas, ofEngines} {
		called += len(m.tours[k].stops)
	}
	of = len(m.volumes.all()) + len(m.replicas.all()) + len(m.engines.all())
	if m.last(ofFacts, ofSettings, ofNodes, ofManagers) > m.tours[ofVolumes].all {
		called = of
	}
	return called, of
}

// step steps both, and compares what they say and everything that they hold.
func (w *twins) step() Progress {
	w.t.Helper()
	w.full.wake()
	called, of := w.fast.calls()
	w.called, w.of = w.called+called, w.of+of
	a, b := w.fast.Step(w.now), w.full.Step(w.now)
	if a != b {
		w.t.Fatalf("%s: the step says %v, want %v", w.now, a, b)
	}
	for _, k := range Kinds() {
		if x, y := w.fast.List(k), w.full.List(k); !reflect.DeepEqual(x, y) {
			w.t.Fatalf("%s: the %s differ (-want +got):\n%s", w.now, k, cmp.Diff(y, x))
		}
	}
	x, y := w.fast, w.full
	if !reflect.DeepEqual(x.Pods(), y.Pods()) || !reflect.DeepEqual(x.Budgets(), y.Budgets()) || !reflect.DeepEqual(x.waiting, y.waiting) ||
		!reflect.DeepEqual(x.processes, y.processes) || !reflect.DeepEqual(x.running, y.running) || !reflect.DeepEqual(x.disks, y.disks) {
		w.t.Fatalf("%s: what the objects do not tell differs", w.now)
	}
	return a
}

// settle steps until nothing changes, with a kubelet that runs the pods.
func (w *twins) settle() time.Time {
	for range 60 {
		for _, p := range w.fast.Pods() {
			f, ok := w.pods[p.Name]
			if !ok && w.nodes[p.Node].Ready && !w.nodes[p.Node].PoweredOff {
				f = PodFacts{UID: types.UID("pod-" + w.id()), Ready: true, IP: "10.0.0.1"}
				w.pods[p.Name] = f
			}
			if f.UID != "" {
				w.both(func(m *Model) { m.SetPod(p.Name, f) })
			}
		}
		if p := w.step(); !p.Changed {
			return p.Next
		}
	}
	return w.now.Add(time.Second)
}

func (w *twins) pick(of Kind) string {
	all := w.fast.List(of)
	if len(all) == 0 {
		return "nobody"
	}
	return all[w.r.IntN(len(all))].GetName()
}

func (w *twins) patch(k Kind, name, change string) {
	w.both(func(m *Model) { _ = m.Patch(Ref{Kind: k, Name: name}, []byte(change)) }) // whatever comes of it, in both
}

// tell changes what Kubernetes says of a node, or the machine.
func (w *twins) tell() {
	name := fmt.Sprintf("node-%d", w.r.IntN(4))
	f := w.nodes[name]
	if f.UID != "" && w.r.IntN(2) == 0 { // all is well again
		f.Ready, f.EngineImage, f.PoweredOff, f.Unschedulable = true, true, false, false
		if f.Manager == "" {
			f.Manager = w.id()
		}
		w.nodes[name] = f
		w.both(func(m *Model) { m.SetNode(name, f) })
		return
	}
	switch w.r.IntN(6) {
	case 0:
		f.Unschedulable = !f.Unschedulable
	case 1:
		f.Ready = !f.Ready
		f.Manager, f.EngineImage = "", f.Ready
		if f.Ready {
			f.Manager = w.id()
		}
	case 2:
		f.PoweredOff = !f.PoweredOff
	case 3:
		f.Boot = w.id()
	case 4:
		delete(w.nodes, name)
		w.both(func(m *Model) { m.RemoveNode(name); m.disks.(*folders).pull(name) })
		return
	default:
		f = NodeFacts{UID: types.UID(w.id()), Ready: true, Manager: w.id(), EngineImage: true, Boot: w.id()}
		if w.r.IntN(2) == 0 {
			w.both(func(m *Model) { m.disks.(*folders).insert(name) })
		}
	}
	w.nodes[name] = f
	w.both(func(m *Model) { m.SetNode(name, f) })
}

// demand has a user, a person or the storage itself want something.
func (w *twins) demand() {
	volume, node, replica := w.pick(Volumes), w.pick(Nodes), w.pick(Replicas)
	switch w.r.IntN(14) {
	case 0, 1:
		if len(w.fast.List(Volumes)) > 5 {
			return
		}
		v := &longhorn.Volume{Spec: longhorn.VolumeSpec{Size: 1 << 30, NumberOfReplicas: 1 + w.r.IntN(3), StaleReplicaTimeout: w.r.IntN(3) * 7}}
		v.Name = "v" + w.id()
		w.both(func(m *Model) { _ = m.Create(v) })
	case 2, 3, 4:
		if up := w.fast.upManagers(); len(up) > 0 {
			node = up[w.r.IntN(len(up))]
		}
		w.both(func(m *Model) { _, _ = m.Publish(volume, "csi-"+volume, node) })
	case 5, 6:
		w.both(func(m *Model) { m.Unpublish(volume, "csi-"+volume, node) })
	case 7:
		w.both(func(m *Model) { _ = m.Delete(Ref{Kind: Replicas, Name: replica}) })
	case 8:
		w.both(func(m *Model) {
			_ = m.Delete(Ref{Kind: []Kind{Volumes, Nodes}[w.serial%2], Name: []string{volume, node}[w.serial%2]})
		})
	case 9:
		w.both(func(m *Model) {
			m.SetRebuild(volume, Rebuild{Duration: 90 * time.Second, Failure: []string{"", "broken"}[w.serial%2]})
		})
	case 10:
		pod := w.pick(InstanceManagers)
		delete(w.pods, pod)
		w.both(func(m *Model) { m.RemovePod(pod) })
	case 11:
		w.patch(Nodes, node, fmt.Sprintf(`{"spec":{"allowScheduling":%t,"evictionRequested":%t}}`, w.r.IntN(3) > 0, w.r.IntN(3) == 0))
	case 12:
		w.patch(Volumes, volume, []string{`{"spec":{"offlineRebuilding":"enabled"}}`, `{"spec":{"numberOfReplicas":2}}`, `{"spec":{"nodeID":""}}`}[w.r.IntN(3)])
	default:
		w.both(func(m *Model) {
			m.SetClaim(volume, longhorn.KubernetesStatus{PVName: "pv", Namespace: "ns" + fmt.Sprint(w.serial)})
		})
	}
}

// disturb changes a setting, or what lies on the disks.
func (w *twins) disturb() {
	switch w.r.IntN(8) {
	case 0:
		w.patch(Settings, settingDrainPolicy, fmt.Sprintf(`{"value":%q}`, []string{policyBlockLast, policyAllowStopped, policyBlockEvict, policyBlockEvictLast}[w.r.IntN(4)]))
	case 1:
		w.patch(Settings, settingRebuildLimit, fmt.Sprintf(`{"value":"%d"}`, w.r.IntN(3)))
	case 2:
		w.patch(Settings, []string{settingSoftNode, settingSoftDisk, settingOffline, settingAutoSalvage}[w.r.IntN(4)], fmt.Sprintf(`{"value":"%t"}`, w.r.IntN(2) == 0))
	case 3:
		w.patch(Settings, settingReplenishWait, fmt.Sprintf(`{"value":"%d"}`, w.r.IntN(300)))
	case 4:
		if r, _ := w.fast.Get(Replicas, w.pick(Replicas)).(*longhorn.Replica); r != nil {
			w.both(func(m *Model) { _ = m.disks.Remove(replicaPlace(r)) })
		}
	case 5:
		a, b := w.pick(Nodes), w.pick(Nodes)
		w.both(func(m *Model) { m.disks.(*folders).exchange(a, b) })
	default:
		volume := w.pick(Volumes)
		w.both(func(m *Model) {
			if a, ok := m.Attached(volume); ok {
				m.disks.(*folders).write(a)
			}
		})
	}
}

// A step that passes by who is at rest does what it would do if everybody looked.
func TestStep_WhoeverIsPassedByWouldHaveDoneNothing(t *testing.T) {
	called, of := 0, 0
	for seed := range uint64(32) {
		b := []Behaviour{V181(), V140(), V1100(), V172()}[seed%4]
		w := &twins{t: t, r: rand.New(rand.NewPCG(seed, 1)), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), nodes: map[string]NodeFacts{}, pods: map[string]PodFacts{}}
		w.fast, w.full = New(Options{Behaviour: b, Seed: seed}, newFolders()), New(Options{Behaviour: b, Seed: seed}, newFolders())
		for range 8 {
			w.tell()
		}
		for range 250 {
			next := w.settle()
			switch w.r.IntN(16) {
			case 0:
				w.tell()
			case 1, 2, 3:
				w.demand()
			case 4:
				w.disturb()
			case 5:
				w.now = w.now.Add(time.Duration(w.r.Int64N(int64(10 * time.Minute))))
			default:
				if next.After(w.now) {
					w.now = next
				}
			}
		}
		called, of = called+w.called, of+w.of
	}
	if called > of*3/4 {
		t.Errorf("of %d only %d were at rest: it shows little", of, of-called)
	}
}
