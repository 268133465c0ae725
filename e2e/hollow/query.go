// SPDX-License-Identifier: Apache-2.0

package hollow

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Node returns a machine by name; false if the fleet has none.
func (f *Fleet) Node(name string) (Node, bool) {
	m, err := f.machine(name)
	if err != nil {
		return Node{}, false
	}
	return m.snapshot(), true
}

// Nodes returns all machines, on or off, sorted by name.
func (f *Fleet) Nodes() []Node {
	f.mu.Lock()
	defer f.mu.Unlock()
	nodes := make([]Node, 0, len(f.machines))
	for _, m := range f.machines {
		nodes = append(nodes, m.snapshot())
	}
	slices.SortFunc(nodes, func(a, b Node) int { return strings.Compare(a.Name, b.Name) })
	return nodes
}

// DiskDir is the folder that is the disk of a machine, "" if there is none.
func (f *Fleet) DiskDir(name string) string {
	n, _ := f.Node(name)
	return n.DiskDir
}

// WaitReady waits until the Nodes of these names exist, are Ready, and have lost
// the taints that NotReady brings, so that pods can be scheduled onto them.
func (f *Fleet) WaitReady(ctx context.Context, names ...string) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		missing := slices.DeleteFunc(slices.Clone(names), f.ready)
		if len(missing) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for nodes %v to be ready: %w", missing, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

func (f *Fleet) ready(name string) bool {
	o, there, err := f.watched.nodes.GetStore().GetByKey(name)
	node, ok := o.(*corev1.Node)
	if err != nil || !there || !ok {
		return false
	}
	if n, ours := f.Node(name); ours && n.UID != node.UID {
		return false // still the one before it
	}
	for _, t := range node.Spec.Taints {
		if t.Key == corev1.TaintNodeNotReady || t.Key == corev1.TaintNodeUnreachable {
			return false
		}
	}
	return isReady(node)
}
