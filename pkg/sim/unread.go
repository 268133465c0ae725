// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// Unread is one kind that cannot be read, as package observe shows that: none of
// its objects, or the first of them where the list was cut off, and a Gap.
type Unread struct {
	// Kind is the plural resource with its group.
	Kind   string
	Reason cluster.GapReason
	// Kept is how much of the list came before it was cut off, in hundredths.
	Kept int
}

// readable is a kind of Kubernetes' own, as package observe reads it.
type readable struct {
	kind             string
	needed, forDrain bool
	hide             func(s *cluster.Snapshot, kept int)
}

// cut is the first so many hundredths of a list.
func cut[T any](all []T, hundredths int) []T {
	return slices.Clone(all[:len(all)*hundredths/100])
}

func readables() []readable {
	return []readable{
		{"nodes", true, false, func(s *cluster.Snapshot, k int) { s.Nodes = cut(s.Nodes, k) }},
		{"persistentvolumes", true, false, func(s *cluster.Snapshot, k int) { s.Persistent = cut(s.Persistent, k) }},
		{"pods", false, true, hidePods},
		{"poddisruptionbudgets.policy", false, true, func(s *cluster.Snapshot, k int) { s.Budgets = cut(s.Budgets, k) }},
		{"volumeattachments.storage.k8s.io", false, true, func(s *cluster.Snapshot, k int) { s.Attachments = cut(s.Attachments, k) }},
		{"leases.coordination.k8s.io", false, false, hideLeases},
		{"daemonsets.apps", false, false, hideDaemonSets},
	}
}

// hidePods hides them in the budgets too, which are joined with what was read.
func hidePods(s *cluster.Snapshot, kept int) {
	s.Pods = cut(s.Pods, kept)
	s.Budgets = slices.Clone(s.Budgets)
	for i := range s.Budgets {
		s.Budgets[i].Pods = slices.DeleteFunc(slices.Clone(s.Budgets[i].Pods), func(uid cluster.UID) bool {
			return !slices.ContainsFunc(s.Pods, func(p cluster.Pod) bool { return p.Ref.UID == uid })
		})
	}
}

func hideLeases(s *cluster.Snapshot, kept int) {
	s.Nodes = slices.Clone(s.Nodes)
	for i := len(s.Nodes) * kept / 100; i < len(s.Nodes); i++ {
		s.Nodes[i].LeaseRenewed, s.Nodes[i].LeaseDuration = time.Time{}, 0
	}
}

// hideDaemonSets leaves it open whether the DaemonSet of a pod is still there.
func hideDaemonSets(s *cluster.Snapshot, _ int) {
	s.Pods = slices.Clone(s.Pods)
	for i := range s.Pods {
		if s.Pods[i].Owner == cluster.OwnerDaemonSet {
			s.Pods[i].Owner = cluster.OwnerUnknown
		}
	}
}

// without is the snapshot as it is seen where a kind cannot be read.
func (w *World) without(s *cluster.Snapshot, u Unread) (*cluster.Snapshot, error) {
	out := *s
	gap := cluster.Gap{Kind: u.Kind, Reason: u.Reason, Detail: fmt.Sprintf("%s cannot be read, so it goes (%d%% came)", u.Kind, u.Kept)}
	for _, k := range readables() {
		if k.kind == u.Kind {
			k.hide(&out, u.Kept)
			gap.Needed, gap.ForDrain = k.needed, k.forDrain
			out.Gaps = append([]cluster.Gap{gap}, s.Gaps...)
			return &out, nil
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.partial.storages == nil || w.partial.unread != u || w.partial.revision != w.seen {
		if err := w.readWithout(u, gap); err != nil {
			return nil, err
		}
	}
	out.Storages, out.Gaps = w.partial.storages, slices.Clip(w.partial.gaps)
	return &out, nil
}

// partial is what a reader makes of a part of the objects.
type partial struct {
	unread   Unread
	revision uint64 // the model's
	storages []cluster.Storage
	gaps     []cluster.Gap
}

// readWithout joins the storage's objects without what cannot be read.
func (w *World) readWithout(u Unread, gap cluster.Gap) error {
	reader := longhorn.New().NewReader()
	byName := func(a, b model.Ref) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name)) }
	all := map[plugin.Kind][]model.Ref{}
	for _, ref := range slices.SortedFunc(maps.Keys(w.known), byName) {
		kind := w.kinds[string(ref.Kind)]
		all[kind] = append(all[kind], ref)
	}
	for _, kind := range longhorn.New().Kinds() {
		refs := all[kind]
		if kind.Resource+"."+kind.Group == u.Kind {
			refs = cut(refs, u.Kept)
			gap.Needed, gap.OfStorage = kind.Need == plugin.Needed, true
		}
		for _, ref := range refs {
			if err := reader.Put(kind, w.known[ref].raw); err != nil {
				return fmt.Errorf("read %s %s: %w", ref.Kind, ref.Name, err)
			}
		}
	}
	storage, gaps := reader.Storage()
	w.partial = partial{unread: u, revision: w.seen, storages: []cluster.Storage{storage}, gaps: append([]cluster.Gap{gap}, gaps...)}
	return nil
}

// shown is the snapshot as the process sees it: now and then without a kind.
func (p *Process) shown(s *cluster.Snapshot) (*cluster.Snapshot, error) {
	if p.faults.Unread == nil {
		return s, nil
	}
	now := time.Now()
	if !now.Before(p.hidden) {
		if u, d := p.faults.Unread(); d > 0 {
			p.unread, p.hidden = u, now.Add(d)
			p.world.tell("%s cannot be read for %s (%d)", u.Kind, d.Round(time.Second), u.Reason)
		}
	}
	if !now.Before(p.hidden) {
		return s, nil
	}
	return p.world.without(s, p.unread)
}

// Hidden are faults by which up to three times one kind cannot be read for a while,
// of the seed's; whatever else goes wrong stays.
func (f Faults) Hidden(seed uint64) Faults {
	reasons := []cluster.GapReason{cluster.GapForbidden, cluster.GapFailed, cluster.GapTruncated}
	r := rand.New(rand.NewPCG(seed, 0x676170))
	var kinds []string
	for _, k := range readables() {
		kinds = append(kinds, k.kind)
	}
	for _, k := range longhorn.New().Kinds() {
		kinds = append(kinds, k.Resource+"."+k.Group)
	}
	left, looks := 3, r.IntN(50)
	f.Unread = func() (Unread, time.Duration) {
		if looks--; looks >= 0 || left == 0 {
			return Unread{}, 0
		}
		left, looks = left-1, r.IntN(50)
		u := Unread{Kind: kinds[r.IntN(len(kinds))]}
		u.Reason = reasons[r.IntN(len(reasons))]
		if u.Reason != cluster.GapForbidden && r.IntN(2) == 0 {
			u.Kept = r.IntN(100)
		}
		longest := []time.Duration{10 * time.Second, 2 * time.Minute, 20 * time.Minute}[r.IntN(3)]
		return u, time.Second + time.Duration(r.Int64N(int64(longest)))
	}
	return f
}
