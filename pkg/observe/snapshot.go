// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"cmp"
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// join fills the snapshot with Kubernetes' own objects, sorted.
func (c *core) join(s *cluster.Snapshot) {
	s.Nodes = sorted(c.nodes, func(n cluster.Node) (string, string, cluster.UID) { return "", n.Ref.Name, n.Ref.UID })
	s.Persistent = sorted(c.persistent, func(v cluster.PersistentVolume) (string, string, cluster.UID) {
		return "", v.Name, v.UID
	})
	s.Attachments = sorted(c.attachments, func(a cluster.Attachment) (string, string, cluster.UID) {
		return "", a.Name, a.UID
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
	s.Pods = c.joinPods()
	s.Budgets = c.joinBudgets(s.Pods)
}

// joinPods resolves which DaemonSets still exist.
func (c *core) joinPods() []cluster.Pod {
	daemons := make(map[string]bool, len(c.daemonSets))
	for _, d := range c.daemonSets {
		daemons[d] = true
	}
	out := make([]cluster.Pod, 0, len(c.pods))
	for _, p := range c.pods {
		switch {
		case p.daemonSet == "":
		case daemons[p.daemonSet]:
			p.Owner = cluster.OwnerDaemonSet
		case c.daemonsRead:
			p.Owner = cluster.OwnerOrphan
		}
		out = append(out, p.Pod)
	}
	slices.SortFunc(out, func(a, b cluster.Pod) int {
		return cmp.Or(cmp.Compare(a.Ref.Namespace, b.Ref.Namespace), cmp.Compare(a.Ref.Name, b.Ref.Name), cmp.Compare(a.Ref.UID, b.Ref.UID))
	})
	return out
}

// joinBudgets resolves which pods each budget covers.
func (c *core) joinBudgets(pods []cluster.Pod) []cluster.Budget {
	byNamespace := map[string][]int{}
	for i := range pods {
		byNamespace[pods[i].Ref.Namespace] = append(byNamespace[pods[i].Ref.Namespace], i)
	}
	all := sorted(c.budgets, func(b budget) (string, string, cluster.UID) { return b.Namespace, b.Name, b.UID })
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

// sorted returns the values ordered by namespace, name and UID.
func sorted[T any](m map[cluster.UID]T, of func(T) (string, string, cluster.UID)) []T {
	out := make([]T, 0, len(m))
	for _, v := range m {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b T) int {
		an, aname, au := of(a)
		bn, bname, bu := of(b)
		return cmp.Or(cmp.Compare(an, bn), cmp.Compare(aname, bname), cmp.Compare(au, bu))
	})
	return out
}
