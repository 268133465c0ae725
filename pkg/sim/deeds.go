// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// deeds says up to which revision there were deeds of a process, by what they
// were about: what it observes of that afterwards is from a later one, as the
// watches of the living cluster have caught up with it. All else may be older
// than the deed, for it comes by watches of its own.
type deeds struct{ nodes, pods, storages, all cluster.Revision }

// note takes in a deed that has ended.
func (d *deeds) note(a decide.Action, at cluster.Revision) {
	switch a.Verb {
	case decide.EvictPods:
		d.pods = at
	case decide.Cordon, decide.Uncordon:
		d.nodes = at
	case decide.Place, decide.Wake, decide.Sleep, decide.SetAside, decide.PutBack:
		d.storages = at
	case decide.Refit:
		if a.StorageNode.Name == "" {
			d.nodes = at
		} else {
			d.storages = at
		}
	default: // everything is read anew after what cannot be taken back
		d.all = at
	}
}

// shown is the old snapshot, with whatever in it would be older than a deed as it
// is now.
func (d *deeds) shown(old, now *cluster.Snapshot) cluster.Snapshot {
	if old.Revision <= d.all {
		return *now
	}
	s := *old
	s.Nodes = renewed(s.Nodes, now)
	if old.Revision <= d.nodes {
		s.Nodes = now.Nodes
	}
	if old.Revision <= d.pods {
		s.Pods = now.Pods
	}
	if old.Revision <= d.storages {
		s.Storages, s.Gaps = now.Storages, now.Gaps
	}
	return s
}

// renewed are the nodes with their leases as they are now: those are not watched, but
// read every few seconds.
func renewed(nodes []cluster.Node, now *cluster.Snapshot) []cluster.Node {
	out := slices.Clone(nodes)
	for i := range out {
		if n := now.NodeByUID(out[i].Ref.UID); n != nil {
			out[i].LeaseRenewed = n.LeaseRenewed
		}
	}
	return out
}

// revised is the revision of the last snapshot.
func (w *World) revised() cluster.Revision {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.revision
}
