// SPDX-License-Identifier: Apache-2.0

package decide_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

const driver = "csi.example"

// fixture is a healthy cluster in which a test changes what it is about.
type fixture struct {
	s    *cluster.Snapshot
	plan decide.Plan
	mem  decide.Memory
	now  time.Time
}

// ref is the node of that number, 1 to 9.
func ref(n int) cluster.NodeRef {
	return cluster.NodeRef{Name: fmt.Sprintf("worker-%d", n), UID: cluster.UID(fmt.Sprintf("n%d", n))}
}

// three is three workers and one detached volume "v" with a replica on each of
// the given nodes; the plan replaces worker-1.
func three(strategy policy.Strategy, on ...int) *fixture {
	f := &fixture{s: &cluster.Snapshot{Source: cluster.SourceLive}, now: noon}
	f.s.Storages = []cluster.Storage{{Driver: driver, Namespace: "storage"}}
	for n := 1; n <= 3; n++ {
		f.addNode(ref(n), fmt.Sprintf("disk%d", n))
	}
	f.addVolume("v", on...)
	p := policy.Default()
	f.plan = decide.Plan{
		Run: "r", Goal: decide.UntilReplaced, Policy: p,
		Turns: []decide.PlannedTurn{{Node: ref(1), Strategy: strategy, Why: "test"}},
	}
	f.mem = decide.Memory{Looks: map[decide.Gate]decide.Look{}, Passed: map[decide.Gate]decide.Look{}}
	f.look()
	return f
}

// look makes the snapshot a fresh look at the fixture's time.
func (f *fixture) look() {
	f.s.Look = cluster.Look{Began: f.now, Ended: f.now, Fresh: true}
	for i := range f.s.Nodes {
		f.s.Nodes[i].LeaseRenewed = f.now
	}
}

// pass lets time go by and looks again.
func (f *fixture) pass(d time.Duration) { f.now = f.now.Add(d); f.look() }

func (f *fixture) storage() *cluster.Storage { return &f.s.Storages[0] }

func (f *fixture) addNode(r cluster.NodeRef, disk string) {
	f.s.Nodes = append(f.s.Nodes, cluster.Node{
		Ref: r, Created: noon.Add(-24 * time.Hour), Ready: cluster.Yes, LeaseDuration: 40 * time.Second,
	})
	f.storage().Nodes = append(f.storage().Nodes, cluster.StorageNode{
		Name: r.Name, UID: "s" + r.UID, Ready: cluster.Yes, Serving: cluster.Yes, Schedulable: cluster.Yes,
		Placement: cluster.Placement{Accept: true},
		Disks: []cluster.Disk{{
			Name: "d", UUID: disk, Path: "/d", Declared: true, Reported: true,
			Ready: cluster.Yes, Schedulable: cluster.Yes, Accept: true,
		}},
	})
}

// removeNode takes the machine and, as the storage would, its storage node.
func (f *fixture) removeNode(n int) {
	f.s.Nodes = slices.DeleteFunc(f.s.Nodes, func(x cluster.Node) bool { return x.Ref == ref(n) })
	f.storage().Nodes = slices.DeleteFunc(f.storage().Nodes, func(x cluster.StorageNode) bool { return x.Name == ref(n).Name })
}

func (f *fixture) addVolume(name string, on ...int) {
	v := cluster.Volume{
		Name: name, UID: cluster.UID("v-" + name), Handle: name, Class: cluster.ClassOrdinary,
		Want: len(on), Need: 1, SharesNode: cluster.No, State: cluster.Detached, Touched: true,
		Engine: cluster.Engine{Present: cluster.Yes, Running: cluster.No, Ever: cluster.Yes},
	}
	for _, n := range on {
		v.Replicas = append(v.Replicas, cluster.Replica{
			Name: fmt.Sprintf("%s-r%d", name, n), UID: cluster.UID(fmt.Sprintf("%s-r%d", name, n)),
			Claim: cluster.Idle, Node: ref(n).Name, Owner: ref(n).Name, DiskUUID: fmt.Sprintf("disk%d", n), DiskPath: "/d",
			HealthyAt: noon.Add(-time.Hour),
		})
	}
	f.storage().Volumes = append(f.storage().Volumes, v)
	f.s.Persistent = append(f.s.Persistent, cluster.PersistentVolume{Name: name, UID: cluster.UID("pv" + name), Driver: driver, Handle: name, Bound: true})
}

func (f *fixture) volume() *cluster.Volume { return &f.storage().Volumes[0] }

// attach has the volume served from a node under a hold; every idle replica on
// another node than worker-1 is then read-write.
func (f *fixture) attach(n int, h cluster.Hold) {
	v := f.volume()
	v.State, v.Holds = cluster.Attached, append(v.Holds, h)
	v.Engine.Running, v.Engine.Node, v.Engine.Owner = cluster.Yes, ref(n).Name, ref(n).Name
	for i := range v.Replicas {
		if v.Replicas[i].Claim == cluster.Idle && v.Replicas[i].Node != ref(1).Name {
			v.Replicas[i].Claim = cluster.Serving
		}
	}
}

// opened is a turn of worker-1 that is under way.
func (f *fixture) opened() *decide.Turn {
	f.mem.Turns = []decide.Turn{{
		Node: ref(1), OpenedAt: noon, Proved: map[cluster.UID]time.Time{},
		Open: decide.OpenTurn{Seen: []cluster.UID{"n1", "n2", "n3"}, Disks: []string{"disk1"}},
	}}
	return &f.mem.Turns[0]
}

// drained is a turn whose node is barred, cordoned and empty.
func (f *fixture) drained() *decide.Turn {
	t := f.opened()
	t.CordonedAt, t.DrainedAt = noon, noon
	f.s.Nodes[0].Cordoned = true
	f.storage().Nodes[0].Placement = cluster.Placement{Evacuate: f.plan.Turns[0].Strategy == policy.Evict}
	return t
}

func (f *fixture) next() decide.Decision {
	return decide.Next(f.plan, assess.Judge(f.s, f.plan.Policy, f.now), f.mem, f.now)
}

// passGate takes the two looks of the gate that is next.
func (f *fixture) passGate(t *testing.T) {
	t.Helper()
	n := wantNote(t, f.next(), decide.LookTaken)
	f.mem.Looks[n.Gate] = *n.Look
	f.pass(f.plan.Policy.LookInterval)
	n = wantNote(t, f.next(), decide.GatePassed)
	delete(f.mem.Looks, n.Gate)
	f.mem.Passed[n.Gate] = *n.Look
}

// The wants fail the test unless the decision is of the kind, and return it.
func wantAct(t *testing.T, d decide.Decision, v decide.Verb) decide.Action {
	t.Helper()
	a, ok := d.(decide.Act)
	if !ok || a.Action.Verb != v {
		t.Fatalf("want %s, got %T %+v", v, d, d)
	}
	return a.Action
}

func wantWait(t *testing.T, d decide.Decision, p decide.Phase) decide.Wait {
	t.Helper()
	w, ok := d.(decide.Wait)
	if !ok || w.Phase != p {
		t.Fatalf("want a wait in %s, got %T %+v", p, d, d)
	}
	return w
}

func wantHalt(t *testing.T, d decide.Decision, exit int) decide.Halt {
	t.Helper()
	h, ok := d.(decide.Halt)
	if !ok || h.Exit != exit {
		t.Fatalf("want a halt with exit %d, got %T %+v", exit, d, d)
	}
	return h
}

func wantNote(t *testing.T, d decide.Decision, k decide.NoteKind) decide.Note {
	t.Helper()
	r, ok := d.(decide.Remember)
	if !ok || r.Note.Kind != k {
		t.Fatalf("want the note %s, got %T %+v", k, d, d)
	}
	return r.Note
}
