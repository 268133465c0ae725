// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// An old look shows what our deed was about as it left that, and all else as it
// was: both matter, for the living cluster promises the one and not the other.
func TestDeeds_AnOldLookShowsWhatWeDidAndNothingElse(t *testing.T) {
	snapshot := func(r cluster.Revision, cordoned bool) *cluster.Snapshot {
		s := &cluster.Snapshot{Revision: r, Nodes: []cluster.Node{{Cordoned: cordoned}}, Pods: []cluster.Pod{{Deleting: cordoned}}, Storages: []cluster.Storage{{}}}
		s.Attachments = []cluster.Attachment{{Deleting: cordoned}}
		if cordoned {
			s.Storages[0].Driver = "new"
		}
		return s
	}
	for _, c := range []struct {
		action                        decide.Action
		at                            cluster.Revision
		nodes, pods, storages, others bool
	}{
		{decide.Action{Verb: decide.Cordon}, 3, true, false, false, false},
		{decide.Action{Verb: decide.Cordon}, 2, false, false, false, false}, // the look is younger
		{decide.Action{Verb: decide.Refit}, 3, true, false, false, false},
		{decide.Action{Verb: decide.Refit, StorageNode: decide.ObjectRef{Name: "n"}}, 3, false, false, true, false},
		{decide.Action{Verb: decide.EvictPods}, 3, false, true, false, false},
		{decide.Action{Verb: decide.Wake}, 3, false, false, true, false},
		{decide.Action{Verb: decide.Prune}, 3, true, true, true, true},
		{decide.Action{Verb: decide.RunCommand}, 3, true, true, true, true},
	} {
		var d deeds
		d.note(c.action, c.at)
		s := d.shown(snapshot(3, false), snapshot(4, true))
		if s.Nodes[0].Cordoned != c.nodes || s.Pods[0].Deleting != c.pods || (s.Storages[0].Driver != "") != c.storages || s.Attachments[0].Deleting != c.others {
			t.Errorf("after %s at %d: %+v", c.action.Verb, c.at, s)
		}
	}
}
