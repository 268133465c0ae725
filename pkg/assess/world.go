// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"slices"
	"strings"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// world is the snapshot, indexed once.
type world struct {
	snap *cluster.Snapshot
	pol  policy.Policy
	// now is the time that ages are judged against.
	now time.Time
	// leases is false where the files hold no leases at all, pods where they
	// hold no pods.
	leases, pods bool
	// allNodes is false where nodes may be missing from the snapshot: then no
	// node is known to be gone.
	allNodes bool
	nodes    map[string]*nodeWorld
	bound    bindings
	storages []storageWorld
	zones    map[string]string
	// unseen is the evidence of whatever is at rest.
	unseen []cluster.Fact
}

// nodeWorld is a node and what is known of its life.
type nodeWorld struct {
	facts *cluster.Node
	// live, with the code and evidence of anything but Yes.
	live cluster.Answer
	code string
	why  []cluster.Fact
}

// storageWorld is one storage, indexed.
type storageWorld struct {
	facts *cluster.Storage
	// volumes is how many of them were judged.
	volumes int
	nodes   map[string]*cluster.StorageNode
	// late is when those of them last reported that did so before their node
	// was made.
	late map[string]time.Time
	// disks counts how often a disk UUID is reported by storage nodes that are
	// neither gone nor going; ready says on which node a disk is that can be
	// read now.
	disks map[string]int
	ready map[string]string
	// twiceNodes and twiceVolumes are what the input holds more than once.
	twiceNodes, twiceVolumes map[string]bool
	images                   []imageWorld
	bases                    map[string]*imageWorld
	// reporters says on which nodes somebody reports; nil where nothing is
	// concluded from that.
	reporters map[string]bool
}

// newWorld indexes the snapshot. last is the world of the one before, or nil:
// what is the same memory in both need not be indexed again.
func newWorld(s *cluster.Snapshot, p policy.Policy, now time.Time, last *world) *world {
	w := &world{
		snap: s, pol: p, now: now, leases: true, pods: true, allNodes: len(s.Nodes) > 0,
		nodes: make(map[string]*nodeWorld, len(s.Nodes)),
		zones: zonesOf(s),
		unseen: []cluster.Fact{
			fact("replica.directory", "not seen: objects do not show whether it is there, --probe looks"),
			fact("replica.data", "not seen: whether they are the newest shows when the volume is attached"),
		},
	}
	if s.Source == cluster.SourceFiles {
		w.now = newest(s)
	}
	for _, g := range s.Gaps {
		switch {
		case g.Kind == kindNodes:
			w.allNodes = false
		case g.Reason != cluster.GapNotGiven || s.Source != cluster.SourceFiles:
		case g.Kind == kindLeases:
			w.leases = false
		case g.Kind == kindPods:
			w.pods = false
		}
	}
	for i := range s.Nodes {
		w.addNode(&s.Nodes[i])
	}
	var before *bindings
	if last != nil && cluster.SameList(s.Persistent, last.snap.Persistent) {
		before = &last.bound
	}
	w.bound = newBindings(s.Persistent, before)
	w.storages = make([]storageWorld, len(s.Storages))
	for i := range s.Storages {
		w.storages[i] = w.newStorage(&s.Storages[i])
	}
	return w
}

// The kinds whose gaps change a rule.
const (
	kindNodes  = "nodes"
	kindLeases = "leases.coordination.k8s.io"
	kindPods   = "pods"
)

func (w *world) addNode(n *cluster.Node) {
	if old, ok := w.nodes[n.Ref.Name]; ok {
		old.live, old.code = cluster.Unknown, InputTwice
		return
	}
	x := &nodeWorld{facts: n}
	x.live, x.code, x.why = w.alive(n)
	w.nodes[n.Ref.Name] = x
}

func (w *world) newStorage(st *cluster.Storage) storageWorld {
	x := storageWorld{
		facts: st,
		nodes: make(map[string]*cluster.StorageNode, len(st.Nodes)),
		disks: make(map[string]int, len(st.Nodes)),
		ready: make(map[string]string, len(st.Nodes)),
		bases: make(map[string]*imageWorld, len(st.Bases)),

		late: map[string]time.Time{}, twiceNodes: map[string]bool{},
		reporters: w.reporters(st),
	}
	for i := range st.Nodes {
		sn := &st.Nodes[i]
		if x.nodes[sn.Name] != nil {
			x.twiceNodes[sn.Name] = true
		}
		x.nodes[sn.Name] = sn
		delete(x.late, sn.Name)
		if n := w.nodes[sn.Name]; n != nil && sn.Reported.Before(n.facts.Created) {
			x.late[sn.Name] = sn.Reported
		}
		if !sn.Deleting && !w.gone(sn.Name) {
			w.addDisks(&x, sn)
		}
	}
	w.addImages(&x, slices.Values(st.Volumes))
	x.twiceVolumes = twiceVolumes(st)
	return x
}

// twiceVolumes are the names that more than one volume bears. In order, as they
// should be, these are next to each other.
func twiceVolumes(st *cluster.Storage) map[string]bool {
	twice := map[string]bool{}
	inOrder := true
	for i := 1; i < len(st.Volumes) && inOrder; i++ {
		before, name := st.Volumes[i-1].Name, st.Volumes[i].Name
		if before == name {
			twice[name] = true
		}
		inOrder = before <= name
	}
	if inOrder {
		return twice
	}
	seen := make(map[string]bool, len(st.Volumes))
	for i := range st.Volumes {
		name := st.Volumes[i].Name
		if seen[name] {
			twice[name] = true
		}
		seen[name] = true
	}
	return twice
}

func (w *world) addDisks(x *storageWorld, sn *cluster.StorageNode) {
	for i := range sn.Disks {
		d := &sn.Disks[i]
		if !d.Reported || d.UUID == "" {
			continue
		}
		x.disks[d.UUID]++
		if d.Ready == cluster.Yes && d.Declared && sn.Ready == cluster.Yes && w.liveNode(sn.Name) {
			x.ready[d.UUID] = sn.Name
		}
	}
}

// gone reports whether no node of that name exists in the cluster, for certain.
func (w *world) gone(name string) bool {
	return w.allNodes && w.nodes[name] == nil
}

// liveNode reports whether the named node is live, for certain.
func (w *world) liveNode(name string) bool {
	n := w.nodes[name]
	return n != nil && n.live == cluster.Yes
}

// newest is the newest time that the facts speak of: the present of files.
func newest(s *cluster.Snapshot) time.Time {
	var t time.Time
	for i := range s.Nodes {
		t = later(t, s.Nodes[i].LeaseRenewed)
	}
	for i := range s.Storages {
		t = later(t, s.Storages[i].Reported)
	}
	return t
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// ours reports whether the driver is one of the storages'.
func ours(s *cluster.Snapshot, driver string) bool {
	return s.Storage(driver) != nil
}

func fact(name, value string) cluster.Fact { return cluster.Fact{Name: name, Value: value} }

// timeFact is a time as people compare it.
func timeFact(name string, t time.Time) cluster.Fact {
	if t.IsZero() {
		return fact(name, "")
	}
	return fact(name, t.UTC().Format(time.RFC3339))
}

func answerFact(name string, a cluster.Answer) cluster.Fact {
	switch a {
	case cluster.Yes:
		return fact(name, "yes")
	case cluster.No:
		return fact(name, "no")
	default:
		return fact(name, "unknown")
	}
}

// listed joins names for a sentence.
func listed(names []string) string { return strings.Join(names, ", ") }
