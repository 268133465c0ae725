// SPDX-License-Identifier: Apache-2.0

package act

import (
	"fmt"
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// Rights are what the deeds ask for. Those on a storage's objects are read off
// the changes that its plugin makes of one deed of each kind.
func Rights(storages []plugin.Storage) ([]cluster.Right, error) {
	out := []cluster.Right{
		{Resource: "nodes", Verbs: []string{"get", "patch"}, For: "to cordon"},
		{Resource: "nodes", Verbs: []string{"delete"}, For: "for --delete-node alone"},
		{Resource: "pods", Verbs: []string{"get"}, For: "to drain"},
		{Resource: "pods/eviction", Verbs: []string{"create"}, For: "to drain"},
	}
	for _, s := range storages {
		for _, d := range sampleDeeds(s) {
			facts := sampleFacts(s)
			changes, _, err := translate(s, facts, facts.Storage(s.Driver()), d)
			if err != nil {
				return nil, fmt.Errorf("what %s asks for on %s: %w", d.Verb, s.Driver(), err)
			}
			for _, c := range changes {
				out = with(out, c)
			}
		}
	}
	return out, nil
}

// with adds what one change asks for: check reads the object first.
func with(out []cluster.Right, c plugin.Change) []cluster.Right {
	verb, why := "patch", "to bar, evacuate, wake and let sleep, set aside and put back"
	if c.Delete {
		verb, why = "delete", "to remove the objects of replicas whose data are proven gone, and of nodes that are"
	}
	r := cluster.Right{Group: c.Object.Kind.Group, Resource: c.Object.Kind.Resource, Verbs: []string{"get", verb}, For: why}
	same := func(o cluster.Right) bool {
		return o.Group == r.Group && o.Resource == r.Resource && slices.Equal(o.Verbs, r.Verbs)
	}
	if slices.ContainsFunc(out, same) {
		return out
	}
	return append(out, r)
}

// The names in the sample; a hold bears the prefix of ours.
const (
	sampleName = "sample"
	sampleHold = "safe-roll-sample"
)

// sampleDeeds is one deed of each kind that a plugin translates.
func sampleDeeds(s plugin.Storage) []decide.Action {
	ref := decide.ObjectRef{Name: sampleName, UID: sampleName}
	base := decide.Action{Driver: s.Driver(), StorageNode: ref, Volume: ref, Replica: ref, Hold: sampleHold, HoldNode: sampleName}
	place, wake, sleep, prune := base, base, base, base
	place.Verb, place.Was, place.To = decide.Place, cluster.Placement{Accept: true}, cluster.Placement{Evacuate: true}
	wake.Verb, sleep.Verb, prune.Verb = decide.Wake, decide.Sleep, decide.Prune
	return append([]decide.Action{place, wake, sleep, prune}, sampleExtras(s, base)...)
}

// sampleExtras are the deeds that not every plugin knows.
func sampleExtras(s plugin.Storage, base decide.Action) []decide.Action {
	var out []decide.Action
	add := func(change func(*decide.Action)) {
		d := base
		change(&d)
		out = append(out, d)
	}
	if _, ok := s.(plugin.Forgetter); ok {
		add(func(d *decide.Action) { d.Verb = decide.Forget })
	}
	if _, ok := s.(plugin.Fitter); ok {
		tags := map[string]cluster.StorageFittings{s.Driver(): {Tags: []string{sampleName}}}
		add(func(d *decide.Action) { d.Verb, d.Fittings = decide.Refit, &cluster.Fittings{Storage: tags} })
	}
	t, ok := s.(plugin.Tuner)
	if !ok {
		return out
	}
	ofStorage, ofVolume := t.Knobs()
	for i, name := range append(ofStorage, ofVolume...) {
		add(func(d *decide.Action) {
			d.Verb, d.From, d.Into, d.Knob = decide.SetAside, "0", "1", decide.ObjectRef{Name: name, UID: sampleName}
			if i < len(ofStorage) {
				d.Volume = decide.ObjectRef{}
			}
		})
	}
	return out
}

// sampleFacts is a cluster with one node and one volume with one replica.
func sampleFacts(s plugin.Storage) *cluster.Snapshot {
	return &cluster.Snapshot{Storages: []cluster.Storage{{
		Driver: s.Driver(), Namespace: s.DefaultNamespace(),
		Nodes: []cluster.StorageNode{{Name: sampleName, UID: sampleName}},
		Volumes: []cluster.Volume{{
			Name: sampleName, UID: sampleName, HoldsUID: sampleName,
			Replicas: []cluster.Replica{{Name: sampleName, UID: sampleName, Node: sampleName}},
		}},
	}}}
}
