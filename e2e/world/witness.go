// SPDX-License-Identifier: Apache-2.0

package world

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/e2e/standin"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/scenario"
)

const (
	// blink is how long a witness looks away.
	blink = 100 * time.Millisecond
	// behind is how far a journal's times, which are the server's and whole
	// seconds, may be ahead of when a witness saw the deed.
	behind = 2 * time.Second
	// ownHolds begins the name of every hold of the tool's.
	ownHolds = "safe-roll-"
)

// Witness watches a roll from outside: the disks, and which nodes are cordoned
// or gone. Whatever the test has not called somebody else's doing is taken for
// the tool's, so that a deed that the journal does not tell is found.
type Witness struct {
	World *World
	// Expected is what was written, of which there shall be Want copies.
	Expected scenario.Expected
	Want     int

	cancel context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	theirs map[string]bool
	truth  oracle.Truth
	last   *oracle.Moment
	down   map[cluster.UID]time.Time
	least  map[string]int
}

// Watch begins to watch over what was written, of which there shall be want
// copies. Judge ends it.
func (w *World) Watch(ctx context.Context, e scenario.Expected, want int) *Witness {
	ctx, cancel := context.WithCancel(ctx)
	x := &Witness{
		World: w, Expected: e, Want: want, cancel: cancel, done: make(chan struct{}),
		theirs: map[string]bool{}, down: map[cluster.UID]time.Time{}, least: map[string]int{},
	}
	go func() {
		defer close(x.done)
		for ctx.Err() == nil {
			// A look that fails is left out: it may miss, never invent.
			if m, err := x.look(ctx); err == nil {
				x.saw(m)
			}
			select {
			case <-ctx.Done():
			case <-time.After(blink):
			}
		}
	}()
	return x
}

// Theirs says that what happens to these nodes is not the tool's doing.
func (x *Witness) Theirs(nodes ...string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, n := range nodes {
		x.theirs[n] = true
	}
}

// look is how everything is now.
func (x *Witness) look(ctx context.Context) (*oracle.Moment, error) {
	t, err := x.World.Truth(ctx)
	if err != nil {
		return nil, err
	}
	nodes, err := x.World.Kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	m, refs := &oracle.Moment{}, map[string]cluster.NodeRef{}
	for i := range nodes.Items {
		n := x.node(&nodes.Items[i])
		m.Nodes = append(m.Nodes, n)
		refs[n.Ref.Name] = n.Ref
	}
	for name, sum := range x.Expected {
		v := oracle.Volume{Name: name, Want: x.Want, Need: 1, Written: true}
		for _, c := range t[name] {
			at, there := refs[c.Node]
			if !there { // a machine without a Node
				at = cluster.NodeRef{Name: c.Node}
			}
			if c.Sum == sum && !slices.Contains(v.Copies, at) {
				v.Copies = append(v.Copies, at)
			}
		}
		m.Volumes = append(m.Volumes, v)
	}
	return m, nil
}

// node is one of them. The lock is held.
func (x *Witness) node(k *corev1.Node) oracle.Node {
	n := oracle.Node{Ref: cluster.NodeRef{Name: k.Name, UID: cluster.UID(k.UID)}}
	if k.Spec.Unschedulable {
		n.CordonedBy = x.hand(k.Name)
	}
	switch machine, there := x.World.Fleet.Node(k.Name); {
	case there && machine.On:
		delete(x.down, n.Ref.UID)
	case x.down[n.Ref.UID].IsZero():
		x.down[n.Ref.UID] = time.Now()
	}
	n.DownSince = x.down[n.Ref.UID]
	return n
}

func (x *Witness) hand(node string) oracle.Hand {
	if x.theirs[node] {
		return oracle.Theirs
	}
	return oracle.Ours
}

// saw notes what has changed since the last look.
func (x *Witness) saw(m *oracle.Moment) {
	x.mu.Lock()
	defer x.mu.Unlock()
	before := x.last
	x.last = m
	for _, v := range m.Volumes {
		if n, ok := x.least[v.Name]; !ok || len(v.Copies) < n {
			x.least[v.Name] = len(v.Copies)
		}
	}
	if before == nil {
		return
	}
	for _, was := range before.Volumes {
		if len(was.Copies) > 0 && len(volumeIn(m, was.Name).Copies) == 0 {
			x.truth.Losses = append(x.truth.Losses, oracle.Loss{At: time.Now(), Volume: was.Name, By: oracle.Ours})
		}
	}
	for _, was := range before.Nodes {
		if x.hand(was.Ref.Name) == oracle.Theirs {
			continue
		}
		d := oracle.Deed{At: time.Now().Add(behind), Node: was.Ref, UID: was.Ref.UID, Before: before}
		switch is, there := nodeIn(m, was.Ref); {
		case !there:
			d.Verb = gone
		case was.CordonedBy == oracle.Nobody && is.CordonedBy == oracle.Ours:
			d.Verb = "cordon"
		default:
			continue
		}
		x.truth.Deeds = append(x.truth.Deeds, d)
	}
}

// gone stands for a node's end until the journal says how it should end.
const gone = ""

func nodeIn(m *oracle.Moment, ref cluster.NodeRef) (oracle.Node, bool) {
	for _, n := range m.Nodes {
		if n.Ref == ref {
			return n, true
		}
	}
	return oracle.Node{}, false
}

func volumeIn(m *oracle.Moment, name string) oracle.Volume {
	for _, v := range m.Volumes {
		if v.Name == name {
			return v
		}
	}
	return oracle.Volume{}
}

// Least is the fewest copies on distinct nodes that each volume had since the
// watch began.
func (x *Witness) Least() map[string]int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return maps.Clone(x.least)
}

// Judge ends the watch, after the last process of the roll has ended, and has
// the oracle judge the roll's journal by what was seen.
func (x *Witness) Judge(ctx context.Context) (oracle.Report, error) {
	x.cancel()
	<-x.done
	events, err := x.World.Journal(ctx)
	if err != nil {
		return oracle.Report{}, err
	}
	end, err := x.end(ctx)
	if err != nil {
		return oracle.Report{}, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.truth.End = end
	how := "run-command"
	if len(events) > 0 && events[0].Plan != nil && events[0].Plan.Commands.DeleteNode {
		how = "delete-node"
	}
	for i := range x.truth.Deeds {
		if d := &x.truth.Deeds[i]; d.Verb == gone {
			d.Verb = how
		}
	}
	return oracle.Check(events, &x.truth), nil
}

// end is how things are now, with what may have been left behind.
func (x *Witness) end(ctx context.Context) (*oracle.Moment, error) {
	m, err := x.look(ctx)
	if err != nil {
		return nil, err
	}
	lh := x.World.Longhorn.LonghornV1beta2()
	nodes, err := lh.Nodes(standin.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range m.Nodes {
		for _, n := range nodes.Items {
			if n.Name == m.Nodes[i].Ref.Name && (!n.Spec.AllowScheduling || n.Spec.EvictionRequested) {
				m.Nodes[i].BarredBy = x.hand(n.Name)
			}
		}
	}
	holds, err := lh.VolumeAttachments(standin.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	held := map[string]bool{}
	for _, a := range holds.Items {
		for id := range a.Spec.AttachmentTickets {
			held[a.Name] = held[a.Name] || strings.HasPrefix(id, ownHolds)
		}
	}
	for i := range m.Volumes {
		m.Volumes[i].Held = held[m.Volumes[i].Name]
	}
	return m, nil
}

// Journal is what the latest roll wrote, as its report tells it.
func (w *World) Journal(ctx context.Context) ([]record.Event, error) {
	said, err := w.Kubectl(ctx, "safe-roll", "report", "-o", "journal")
	if err != nil {
		return nil, err
	}
	if said.Exit != 0 {
		return nil, fmt.Errorf("read the journal: %s", said.All())
	}
	var events []record.Event
	lines := bufio.NewScanner(strings.NewReader(said.Out))
	lines.Buffer(nil, len(said.Out)+1)
	for lines.Scan() {
		var e record.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("read the journal: %w", err)
		}
		events = append(events, e)
	}
	return events, lines.Err()
}
