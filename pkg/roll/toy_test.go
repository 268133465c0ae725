// SPDX-License-Identifier: Apache-2.0

package roll_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// toy is the smallest world that can lose data: nodes with one disk each,
// volumes whose copies it keeps by disk, and a storage that does one thing
// per look. It counts calls and can die at any of them.
type toy struct {
	nodes    []*toyNode
	volumes  []*toyVolume
	serial   int
	looks    int
	revision cluster.Revision
	// calls counts Perform; at dieAt the program dies before or after it.
	calls, dieAt int
	after        bool
	dead         bool
	// wait is a setting of the storage; a hasty operator has it set aside.
	wait  string
	hasty bool
	// out records the most nodes that were ever out at once.
	mostOut int
}

type toyNode struct {
	name     string
	uid      cluster.UID
	disk     string
	cordoned bool
	place    cluster.Placement
	created  time.Time
	pods     int
}

type toyVolume struct {
	name    string
	want    int
	wanted  bool // a pod has it attached
	hold    string
	held    string
	copies  []*toyCopy
	healthy time.Time
}

type toyCopy struct {
	name, disk, node string
	uid              cluster.UID
	failed           bool
	building         bool
	made             time.Time
	healthyAt        time.Time
}

var errDied = errors.New("the program died")

const toyDriver = "toy.example"

func newToy(workers, volumes, want int) *toy {
	w := &toy{dieAt: -1, wait: "600"}
	for i := range workers {
		w.addNode(fmt.Sprintf("worker-%d", i+1)).pods = 3
	}
	for i := range volumes {
		v := &toyVolume{name: fmt.Sprintf("vol-%d", i), want: want, wanted: i == 0, healthy: time.Now()}
		for k := range want {
			n := w.nodes[(i+k)%workers]
			v.copies = append(v.copies, w.newCopy(v, n))
		}
		w.volumes = append(w.volumes, v)
	}
	return w
}

func (w *toy) next() int { w.serial++; return w.serial }

func (w *toy) addNode(name string) *toyNode {
	n := &toyNode{
		name: name, uid: cluster.UID(fmt.Sprintf("node-%d", w.next())), disk: fmt.Sprintf("disk-%d", w.next()),
		place: cluster.Placement{Accept: true}, created: time.Now(),
	}
	w.nodes = append(w.nodes, n)
	return n
}

func (w *toy) newCopy(v *toyVolume, n *toyNode) *toyCopy {
	id := w.next()
	return &toyCopy{
		name: fmt.Sprintf("%s-r-%d", v.name, id), uid: cluster.UID(fmt.Sprintf("r-%d", id)),
		disk: n.disk, node: n.name, healthyAt: time.Now(), made: time.Now().Add(time.Second),
	}
}

func (w *toy) node(name string) *toyNode {
	for _, n := range w.nodes {
		if n.name == name {
			return n
		}
	}
	return nil
}

// real reports whether the copy's data exist: the truth, which no object shows.
func (w *toy) real(c *toyCopy) bool {
	for _, n := range w.nodes {
		if n.disk == c.disk {
			return !c.building
		}
	}
	return false
}

// lost names the volumes that have no copy left.
func (w *toy) lost() []string {
	var out []string
	for _, v := range w.volumes {
		if !slices.ContainsFunc(v.copies, func(c *toyCopy) bool { return w.real(c) && !c.failed }) {
			out = append(out, v.name)
		}
	}
	return out
}

// work is one step of the storage: it finishes what it is building, moves what
// was asked to move, and rebuilds attached volumes that are short of copies.
func (w *toy) work() {
	for _, v := range w.volumes {
		v.copies = slices.DeleteFunc(v.copies, func(c *toyCopy) bool {
			n := w.node(c.node)
			return n != nil && n.place.Evacuate && w.count(v) > v.want
		})
		for _, c := range v.copies {
			if c.building {
				c.building, c.healthyAt = false, time.Now()
			}
			if !w.real(c) && (v.wanted || v.held != "") && w.node(c.node) == nil {
				c.failed = true
			}
			if n := w.node(c.node); n != nil && n.cordoned && n.pods == 0 && (v.wanted || v.held != "") {
				c.failed = true // its process is gone with the drain
			}
		}
		evacuating := slices.ContainsFunc(v.copies, func(c *toyCopy) bool {
			n := w.node(c.node)
			return n != nil && n.place.Evacuate
		})
		if (v.wanted || v.held != "") && w.count(v) < v.want || evacuating && w.count(v) == v.want {
			w.build(v)
		}
	}
}

func (w *toy) count(v *toyVolume) int {
	n := 0
	for _, c := range v.copies {
		if !c.failed {
			n++
		}
	}
	return n
}

func (w *toy) build(v *toyVolume) {
	for _, n := range w.nodes {
		has := slices.ContainsFunc(v.copies, func(c *toyCopy) bool { return c.node == n.name && !c.failed })
		if n.place.Accept && !n.cordoned && !has {
			c := w.newCopy(v, n)
			c.building = true
			v.copies = append(v.copies, c)
			return
		}
	}
}

func (w *toy) Observe(_ context.Context, _ cluster.Freshness) (*cluster.Snapshot, error) {
	if w.dead {
		return nil, errDied
	}
	w.looks++
	w.revision++
	w.work()
	now := time.Now()
	s := &cluster.Snapshot{
		Revision: w.revision, Source: cluster.SourceLive,
		Look: cluster.Look{Began: now, Ended: now, Fresh: true},
	}
	st := cluster.Storage{Driver: toyDriver, Namespace: "toy-system", Reported: now}
	st.HoldBack = &cluster.Knob{Name: "wait", UID: "wait", Value: w.wait, Aside: "0"}
	out := 0
	for _, n := range w.nodes {
		if n.cordoned {
			out++
		}
		s.Nodes = append(s.Nodes, cluster.Node{
			Ref: cluster.NodeRef{Name: n.name, UID: n.uid}, Created: n.created, Ready: cluster.Yes,
			LeaseRenewed: now, LeaseDuration: 40 * time.Second, Cordoned: n.cordoned,
		})
		for i := range n.pods {
			s.Pods = append(s.Pods, cluster.Pod{
				Ref:  cluster.PodRef{Namespace: "default", Name: fmt.Sprintf("%s-%d", n.name, i), UID: cluster.UID(fmt.Sprintf("%s-%d", n.uid, i))},
				Node: n.name, Ready: cluster.Yes, Owner: cluster.OwnerOther,
			})
		}
		st.Nodes = append(st.Nodes, cluster.StorageNode{
			Name: n.name, UID: "s" + n.uid, Created: n.created, Ready: cluster.Yes, Serving: cluster.Yes,
			Placement: n.place, Schedulable: cluster.Yes, Reported: now,
			Disks: []cluster.Disk{{
				Name: "d", UUID: n.disk, Path: "/d", Declared: true, Reported: true, Ready: cluster.Yes,
				Schedulable: cluster.Yes, Accept: n.place.Accept, Maximum: 1 << 40, Available: 1 << 40,
			}},
		})
	}
	w.mostOut = max(w.mostOut, out)
	for _, v := range w.volumes {
		st.Volumes = append(st.Volumes, w.volume(v))
		s.Persistent = append(s.Persistent, cluster.PersistentVolume{
			Name: v.name, UID: cluster.UID("pv-" + v.name), Driver: toyDriver, Handle: v.name, Bound: true,
			ClaimNamespace: "default", ClaimName: v.name,
		})
	}
	s.Storages = []cluster.Storage{st}
	return s, nil
}

func (w *toy) volume(v *toyVolume) cluster.Volume {
	out := cluster.Volume{
		Name: v.name, UID: cluster.UID("v-" + v.name), Handle: v.name, Class: cluster.ClassOrdinary,
		Want: v.want, Need: 1, SharesNode: cluster.No, Size: 1, State: cluster.Detached, Touched: true,
		Engine: cluster.Engine{Present: cluster.Yes, Name: v.name + "-e", Running: cluster.No, Ever: cluster.Yes},
	}
	at := ""
	if v.held != "" {
		at = v.held
		out.Holds = append(out.Holds, cluster.Hold{ID: v.hold, Kind: cluster.HoldOurs, Node: at})
	}
	if v.wanted {
		at = w.workplace()
		out.Holds = append(out.Holds, cluster.Hold{ID: "pod", Kind: cluster.HoldWorkload, Node: at})
	}
	if at != "" {
		out.State = cluster.Attached
		out.Engine.Running, out.Engine.Node, out.Engine.Owner = cluster.Yes, at, at
	}
	for _, c := range v.copies {
		r := cluster.Replica{
			Name: c.name, UID: c.uid, Claim: cluster.Idle, Node: c.node, DiskUUID: c.disk, DiskPath: "/d",
			Owner: c.node, HealthyAt: c.healthyAt, Created: c.made,
		}
		n := w.node(c.node)
		r.Leaving = n != nil && n.place.Evacuate
		switch {
		case c.failed:
			r.Claim, r.FailedAt = cluster.Failed, time.Now()
		case c.building:
			r.Claim, r.HealthyAt = cluster.Rebuilding, time.Time{}
		case at != "" && w.real(c):
			r.Claim = cluster.Serving
		}
		out.Replicas = append(out.Replicas, r)
	}
	return out
}

// workplace is where pods with volumes run: the first node that takes them.
func (w *toy) workplace() string {
	for _, n := range w.nodes {
		if !n.cordoned {
			return n.name
		}
	}
	return ""
}

func (w *toy) Await(ctx context.Context, _ cluster.Revision) error {
	<-ctx.Done()
	return ctx.Err()
}

func (w *toy) Perform(_ context.Context, a decide.Action) (decide.Outcome, error) {
	if w.dead {
		return decide.Outcome{}, errDied
	}
	w.calls++
	if w.calls == w.dieAt && !w.after {
		w.dead = true
		return decide.Outcome{}, errDied
	}
	o := w.perform(a)
	if w.calls == w.dieAt {
		w.dead = true
		return decide.Outcome{}, errDied
	}
	return o, nil
}

func (w *toy) perform(a decide.Action) decide.Outcome {
	n := w.node(a.Node.Name)
	if n != nil && n.uid != a.Node.UID {
		n = nil
	}
	conflict := decide.Outcome{Result: decide.Conflict, Detail: "not as expected"}
	switch a.Verb {
	case decide.Cordon, decide.Uncordon, decide.Place, decide.EvictPods:
		if n == nil {
			return conflict
		}
	}
	switch a.Verb {
	case decide.Cordon:
		n.cordoned = true
	case decide.Uncordon:
		n.cordoned = false
	case decide.Place:
		if n.place != a.Was {
			return conflict
		}
		n.place = a.To
	case decide.EvictPods:
		n.pods = max(0, n.pods-len(a.Pods))
	case decide.Wake, decide.Sleep:
		for _, v := range w.volumes {
			if v.name == a.Volume.Name {
				v.hold, v.held = a.Hold, a.HoldNode
			}
		}
	case decide.SetAside, decide.PutBack:
		if back := a.Verb == decide.PutBack && w.wait == a.Into; w.wait != a.From && !back {
			return conflict
		}
		w.wait = a.Into
	case decide.Prune:
		for _, v := range w.volumes {
			v.copies = slices.DeleteFunc(v.copies, func(c *toyCopy) bool { return c.uid == a.Replica.UID })
		}
	case decide.DeleteNode, decide.RunCommand:
		return w.command(a, n)
	}
	return decide.Outcome{Result: decide.Performed}
}

func (w *toy) command(a decide.Action, n *toyNode) decide.Outcome {
	if a.Command != decide.CreateCommand && n != nil {
		w.nodes = slices.DeleteFunc(w.nodes, func(x *toyNode) bool { return x == n })
	}
	if a.Command == decide.CreateCommand || a.Command == decide.ReplaceCommand {
		if w.node(a.Node.Name) == nil {
			w.addNode(a.Node.Name)
		}
	}
	return decide.Outcome{Result: decide.Performed}
}
