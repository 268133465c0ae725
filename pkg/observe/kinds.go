// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// source is one kind to be read, and where it goes.
type source struct {
	plugin.Kind
	// storage is the index of the storage whose kind it is, or -1 for
	// Kubernetes' own.
	storage int
	// namespace restricts the reading; empty for all.
	namespace string
	// forDrain: only questions about draining need it; liveOnly restricts that
	// to a cluster, since from files nothing may be deleted anyway.
	forDrain bool
	liveOnly bool
}

// spelled is the resource with its group, as RBAC and kubectl spell it.
func (s source) spelled() string {
	if s.Group == "" {
		return s.Resource
	}
	return s.Resource + "." + s.Group
}

// The namespace in which the kubelets renew the leases of their nodes.
const leaseNamespace = "kube-node-lease"

const (
	kindNode       = "Node"
	kindLease      = "Lease"
	kindPod        = "Pod"
	kindBudget     = "PodDisruptionBudget"
	kindPersistent = "PersistentVolume"
	kindAttachment = "VolumeAttachment"
	kindDaemonSet  = "DaemonSet"
)

// kubernetes lists Kubernetes' own kinds. Leases change every ten seconds, so
// they are not watched. DaemonSets are, though nothing waits for one: a pod of one
// that is not known yet would be a pod whose DaemonSet is gone.
func kubernetes() []source {
	kind := func(group, resource, name string) plugin.Kind {
		return plugin.Kind{Group: group, Version: "v1", Resource: resource, Name: name, Decides: true}
	}
	needed := func(k plugin.Kind) plugin.Kind { k.Need = plugin.Needed; return k }
	quiet := func(k plugin.Kind) plugin.Kind { k.Decides = false; return k }
	out := []source{
		{Kind: needed(kind("", "nodes", kindNode))},
		{Kind: needed(kind("", "persistentvolumes", kindPersistent))},
		{Kind: kind("", "pods", kindPod), forDrain: true},
		{Kind: kind("policy", "poddisruptionbudgets", kindBudget), forDrain: true},
		{Kind: kind("storage.k8s.io", "volumeattachments", kindAttachment), forDrain: true, liveOnly: true},
		{Kind: quiet(kind("coordination.k8s.io", "leases", kindLease)), namespace: leaseNamespace},
		{Kind: kind("apps", "daemonsets", kindDaemonSet)},
	}
	for i := range out {
		out[i].storage = -1
	}
	return out
}

// sources lists every kind that is read: Kubernetes' own, then each storage's,
// in the given namespace (all where it is empty).
func sources(storages []plugin.Storage, namespace string) []source {
	out := kubernetes()
	for i, st := range storages {
		for _, k := range st.Kinds() {
			out = append(out, source{Kind: k, storage: i, namespace: namespace})
		}
	}
	return out
}

// gap is the Gap of a kind that was not, or not wholly, read.
func (s source) gap(reason cluster.GapReason, detail string) cluster.Gap {
	return cluster.Gap{
		Kind: s.spelled(), Reason: reason, Detail: detail, Needed: s.Need == plugin.Needed,
		OfStorage: s.storage >= 0,
		ForDrain:  s.forDrain && !(s.liveOnly && reason == cluster.GapNotGiven),
	}
}
