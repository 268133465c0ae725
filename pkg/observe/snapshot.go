// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"cmp"
	"maps"
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin/narrow"
)

// join fills the snapshot with Kubernetes' own objects, sorted. Lists of which
// nothing has changed are those of the last joining.
func (c *core) join(s *cluster.Snapshot) {
	s.Nodes = inOrder(slices.Collect(maps.Values(c.nodes)), func(n cluster.Node) (string, string, cluster.UID) { return "", n.Ref.Name, n.Ref.UID })
	s.Persistent = c.joined.persistent.or(func() []cluster.PersistentVolume {
		return inOrder(append(c.listed, values(c.persistent)...), func(v cluster.PersistentVolume) (string, string, cluster.UID) { return "", v.Name, v.UID })
	})
	s.Attachments = c.joined.attachments.or(func() []cluster.Attachment {
		return inOrder(values(c.attachments), func(a cluster.Attachment) (string, string, cluster.UID) { return "", a.Name, a.UID })
	})
	leases := make(map[string]lease, len(c.leases))
	for _, l := range c.leases {
		if old, ok := leases[l.node]; !ok || l.renewed.After(old.renewed) {
			leases[l.node] = l
		}
	}
	for i := range s.Nodes {
		l := leases[s.Nodes[i].Ref.Name]
		s.Nodes[i].LeaseRenewed, s.Nodes[i].LeaseDuration = l.renewed, l.duration
	}
	s.Pods = c.joined.pods.or(c.joinPods)
	s.Budgets = c.joined.budgets.or(func() []cluster.Budget { return c.joinBudgets(s.Pods) })
}

// joinPods resolves which DaemonSets still exist.
func (c *core) joinPods() []cluster.Pod {
	daemons := make(map[string]bool, len(c.daemonSets))
	for _, d := range c.daemonSets {
		daemons[d] = true
	}
	out := make([]cluster.Pod, 0, c.pods.Len())
	for p := range c.pods.All() {
		switch {
		case p.DaemonSet == "":
		case daemons[p.DaemonSet]:
			p.Owner = cluster.OwnerDaemonSet
		case c.daemonsRead:
			p.Owner = cluster.OwnerOrphan
		}
		out = append(out, p.Pod)
	}
	return inOrder(out, func(p cluster.Pod) (string, string, cluster.UID) { return p.Ref.Namespace, p.Ref.Name, p.Ref.UID })
}

// joinBudgets resolves which pods each budget covers.
func (c *core) joinBudgets(pods []cluster.Pod) []cluster.Budget {
	byNamespace := map[string][]int{}
	for i := range pods {
		byNamespace[pods[i].Ref.Namespace] = append(byNamespace[pods[i].Ref.Namespace], i)
	}
	all := inOrder(slices.Collect(maps.Values(c.budgets)), func(b budget) (string, string, cluster.UID) { return b.Namespace, b.Name, b.UID })
	out := make([]cluster.Budget, 0, len(all))
	for _, b := range all {
		for _, i := range byNamespace[b.Namespace] {
			if b.selector.Matches(labelSet(pods[i].Labels)) {
				b.Pods = append(b.Pods, pods[i].Ref.UID)
			}
		}
		out = append(out, b.Budget)
	}
	return out
}

// labelSet lets a pod's labels be matched without copying them.
type labelSet map[string]string

func (s labelSet) Has(label string) bool   { _, ok := s[label]; return ok }
func (s labelSet) Get(label string) string { return s[label] }
func (s labelSet) Lookup(label string) (string, bool) {
	v, ok := s[label]
	return v, ok
}

// values are copies of what is on a shelf.
func values[T any](on *narrow.Shelf[T]) []T {
	out := make([]T, 0, on.Len())
	for o := range on.All() {
		out = append(out, *o)
	}
	return out
}

// inOrder sorts the values by namespace, name and UID. They are handed over as
// they are: a pointer to one that is compared would be a copy to be collected.
func inOrder[T any](out []T, of func(T) (string, string, cluster.UID)) []T {
	slices.SortFunc(out, func(a, b T) int {
		an, aname, au := of(a)
		bn, bname, bu := of(b)
		return cmp.Or(cmp.Compare(an, bn), cmp.Compare(aname, bname), cmp.Compare(au, bu))
	})
	return out
}
