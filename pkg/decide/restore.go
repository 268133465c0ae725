// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"
	"slices"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// A replacement gets what was set up on the node before it: labels and taints
// of the Node, tags and reserved space of the storage. It is no undo: nothing of
// it was changed by us. What the machine lacks cannot be given to it.

// restore re-applies what is missing on the replacement, by its own UID, and
// halts where a volume could not be rebuilt for want of it.
func (t *tick) restore() Decision {
	had, n := t.turn.Open.Had, t.s.NodeByUID(t.turn.Joined.UID)
	if n == nil || had == nil {
		return nil
	}
	now := fittings(t.s, n)
	if !t.policy().LeaveAsJoined {
		if d := t.refitNode(n, lacking(*had, now)); d != nil {
			return d
		}
		if d := t.refitStorage(n, *had, now); d != nil {
			return d
		}
	}
	return t.unplaceable(n)
}

// fittings are what is set up on the node now.
func fittings(s *cluster.Snapshot, n *cluster.Node) cluster.Fittings {
	out := cluster.Fittings{Labels: map[string]string{}, Storage: map[string]cluster.StorageFittings{}}
	for k, v := range n.Labels {
		if setUp(k) {
			out.Labels[k] = v
		}
	}
	for _, taint := range n.Taints {
		if key, _, _ := strings.Cut(taint, "="); setUp(key) {
			out.Taints = append(out.Taints, taint)
		}
	}
	for i := range s.Storages {
		st := &s.Storages[i]
		for k := range st.Nodes {
			sn := &st.Nodes[k]
			if sn.Name != n.Ref.Name || sn.Deleting {
				continue
			}
			f := cluster.StorageFittings{Tags: sn.Tags, Disks: map[string]cluster.DiskFittings{}}
			for _, d := range sn.Disks {
				if d.Declared {
					f.Disks[d.Path] = cluster.DiskFittings{Tags: d.Tags, Reserved: d.Reserved, Maximum: d.Maximum}
				}
			}
			out.Storage[st.Driver] = f
		}
	}
	return out
}

// setUp reports whether a label or taint of that key was set up by people, and
// not by the kubelet, the cloud or whoever takes nodes out.
func setUp(key string) bool {
	domain, _, ok := strings.Cut(key, "/")
	switch {
	case !ok:
		return !strings.Contains(key, "ClusterAutoscaler")
	case domain == "node-role.kubernetes.io":
		return true
	case domain == "karpenter.sh", domain == "kubernetes.io", domain == "k8s.io", strings.HasPrefix(domain, "topology."):
		return false // a topology is the machine's own, and its driver refuses another one
	default:
		return !strings.HasSuffix(domain, ".kubernetes.io") && !strings.HasSuffix(domain, ".k8s.io")
	}
}

// lacking is what of the Node's own is missing; a label or taint that has
// another value now was meant to have it.
func lacking(had, now cluster.Fittings) cluster.Fittings {
	out := cluster.Fittings{Labels: map[string]string{}}
	for k, v := range had.Labels {
		if _, ok := now.Labels[k]; !ok {
			out.Labels[k] = v
		}
	}
	for _, taint := range had.Taints {
		if !slices.ContainsFunc(now.Taints, func(has string) bool { return valueless(has) == valueless(taint) }) {
			out.Taints = append(out.Taints, taint)
		}
	}
	return out
}

// valueless is a taint, spelled key=value:Effect, by what identifies it.
func valueless(taint string) string {
	rest, effect, _ := strings.Cut(taint, ":")
	key, _, _ := strings.Cut(rest, "=")
	return key + ":" + effect
}

func (t *tick) refitNode(n *cluster.Node, lacks cluster.Fittings) Decision {
	if len(lacks.Labels)+len(lacks.Taints) == 0 {
		return nil
	}
	return t.act(Action{
		Verb: Refit, Node: n.Ref, Fittings: &lacks,
		Why: fmt.Sprintf("%s gets the %d labels and %d taints of %s that it lacks", n.Ref.Name, len(lacks.Labels), len(lacks.Taints), t.node()),
	})
}

// refitStorage gives the storage node the tags of the old one, and each disk at
// the same path its tags and, where it is as big, its reserved space.
func (t *tick) refitStorage(n *cluster.Node, had, now cluster.Fittings) Decision {
	for i := range t.s.Storages {
		st := &t.s.Storages[i]
		want, differs := refitted(had.Storage[st.Driver], now.Storage[st.Driver])
		if !differs {
			continue
		}
		for k := range st.Nodes {
			if sn := &st.Nodes[k]; sn.Name == n.Ref.Name {
				return t.act(Action{
					Verb: Refit, Node: n.Ref, Driver: st.Driver, StorageNode: ObjectRef{sn.Name, sn.UID},
					Fittings: &cluster.Fittings{Storage: map[string]cluster.StorageFittings{st.Driver: want}},
					Why:      "the storage of " + n.Ref.Name + " gets the tags and the reserved space of " + t.node(),
				})
			}
		}
	}
	return nil
}

// refitted is what the storage node shall have, and whether it differs from
// what it has. Nothing is taken away.
func refitted(had, now cluster.StorageFittings) (want cluster.StorageFittings, differs bool) {
	want = cluster.StorageFittings{Tags: union(now.Tags, had.Tags), Disks: map[string]cluster.DiskFittings{}}
	differs = len(want.Tags) > len(now.Tags)
	for path, d := range now.Disks {
		old, ok := had.Disks[path]
		if !ok {
			continue
		}
		w := cluster.DiskFittings{Tags: union(d.Tags, old.Tags), Reserved: d.Reserved, Maximum: d.Maximum}
		if old.Maximum == d.Maximum {
			w.Reserved = old.Reserved
		}
		if len(w.Tags) > len(d.Tags) || w.Reserved != d.Reserved {
			want.Disks[path], differs = w, true
		}
	}
	return want, differs
}

func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

// unplaceable halts where a volume wants tags that no disk has any more: what
// carried them went with the old machine, and waiting brings it not back.
func (t *tick) unplaceable(n *cluster.Node) Decision {
	var fs []assess.Finding
	for i := range t.j.Volumes {
		v := &t.j.Volumes[i]
		if v.Condition != assess.Degraded || tagged(t.s.Storage(v.Driver), v.Volume) || t.policy().Accepts(CodeNotRestored, v.Volume.Name) {
			continue
		}
		fs = append(fs, assess.Finding{
			Code: CodeNotRestored, Severity: assess.Danger,
			Subject: assess.Subject{Kind: "Volume", Name: v.Volume.Name},
			Message: sentence("volume %s wants a node tagged %v and a disk tagged %v, and none is left since %s was replaced by %s",
				v.Volume.Name, v.Volume.NodeTags, v.Volume.DiskTags, t.node(), n.Ref.Name),
			Evidence: []cluster.Fact{
				{Name: "volume.nodeTags", Value: strings.Join(v.Volume.NodeTags, ", ")}, {Name: "volume.diskTags", Value: strings.Join(v.Volume.DiskTags, ", ")},
			},
			Risk: policy.Risk{Code: CodeNotRestored, Name: v.Volume.Name},
		})
	}
	if len(fs) == 0 {
		return nil
	}
	return t.refuse(fs, "give "+n.Ref.Name+" the disks and tags of the node before it; then run the same command again")
}

// tagged reports whether some disk bears every tag that the volume wants.
func tagged(st *cluster.Storage, v *cluster.Volume) bool {
	if st == nil || len(v.NodeTags)+len(v.DiskTags) == 0 {
		return true
	}
	for i := range st.Nodes {
		if sn := &st.Nodes[i]; len(union(sn.Tags, v.NodeTags)) == len(sn.Tags) {
			for k := range sn.Disks {
				if d := &sn.Disks[k]; len(union(d.Tags, v.DiskTags)) == len(d.Tags) {
					return true
				}
			}
		}
	}
	return false
}
