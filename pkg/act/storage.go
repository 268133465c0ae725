// SPDX-License-Identifier: Apache-2.0

package act

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// changeStorage has the plugin say which changes the deed is made of, from the
// facts that it was decided from, and makes them.
func (a *Actor) changeStorage(ctx context.Context, s *cluster.Snapshot, d decide.Action) (decide.Outcome, error) {
	by, ok := a.storages[d.Driver]
	if !ok {
		return decide.Outcome{}, fmt.Errorf("%s: no plugin for the storage %q", d.Verb, d.Driver)
	}
	if s == nil {
		return decide.Outcome{}, fmt.Errorf("%s: no facts to act on", d.Verb)
	}
	st := s.Storage(d.Driver)
	if st == nil {
		return *missing(s, by.plugin, "nothing is known of the storage %s", d.Driver), nil
	}
	changes, outcome, err := translate(by.plugin, s, st, d)
	if err != nil {
		return decide.Outcome{}, fmt.Errorf("%s on %s: %w", d.Verb, d.Driver, err)
	}
	if outcome != nil {
		return *outcome, nil
	}
	return apply(ctx, by.client, changes, modeOf(d))
}

// modeOf: a hold and a pruned replica are by name ours to put and to take
// away; what a storage node accepts is a flag that others set too, as is a knob.
func modeOf(d decide.Action) mode {
	switch d.Verb {
	case decide.Wake, decide.Refit:
		return own
	case decide.Place:
		restricts := d.Was.Accept && !d.To.Accept || !d.Was.Evacuate && d.To.Evacuate
		if restricts {
			return impose
		}
		return restore
	case decide.SetAside:
		return impose
	case decide.PutBack:
		return restore
	default:
		return release
	}
}

// translate asks the plugin. An outcome ends the deed without any change.
func translate(p plugin.Storage, s *cluster.Snapshot, st *cluster.Storage, d decide.Action) ([]plugin.Change, *decide.Outcome, error) {
	switch d.Verb {
	case decide.Place, decide.Forget, decide.Refit:
		return translateNode(p, s, st, d)
	case decide.SetAside, decide.PutBack:
		if d.Volume.Name == "" {
			return translateKnob(p, st, nil, d)
		}
	}
	v := volume(st, d.Volume)
	if v == nil {
		if (d.Verb == decide.Sleep || d.Verb == decide.PutBack) && !gaps(s, p) {
			return nil, &decide.Outcome{Result: decide.Performed, Detail: "volume " + d.Volume.Name + " is gone, and nothing is left to take back"}, nil
		}
		return nil, missing(s, p, "volume %s is not among the facts", d.Volume.Name), nil
	}
	switch d.Verb {
	case decide.Prune:
		return translatePrune(p, st, v, d)
	case decide.SetAside, decide.PutBack:
		return translateKnob(p, st, v, d)
	default:
		r, ok := p.(plugin.Rebuilder)
		if !ok {
			return nil, nil, fmt.Errorf("the plugin of %s cannot wake volumes", p.Driver())
		}
		if d.Hold == "" || d.Verb == decide.Wake && d.HoldNode == "" {
			return nil, nil, fmt.Errorf("the hold on volume %s is not named", v.Name)
		}
		var changes []plugin.Change
		var err error
		if d.Verb == decide.Wake {
			changes, err = r.Wake(st, *v, d.HoldNode, d.Hold)
		} else {
			changes, err = r.Sleep(st, withHold(*v, d.Hold), d.Hold)
		}
		return changes, nil, err
	}
}

// withHold returns the volume as one that has the hold. The facts may be older
// than the deed that is taken back, or than one of unknown fate that took
// effect late; a hold that they do not show is no proof that there is none.
// With it the plugin says what to take away, and the server whether it is there.
func withHold(v cluster.Volume, id string) cluster.Volume {
	for _, h := range v.Holds {
		if h.ID == id {
			return v
		}
	}
	v.Holds = append(slices.Clone(v.Holds), cluster.Hold{ID: id, Kind: cluster.HoldOurs})
	return v
}

// translateNode is what is done to a storage node.
func translateNode(p plugin.Storage, s *cluster.Snapshot, st *cluster.Storage, d decide.Action) ([]plugin.Change, *decide.Outcome, error) {
	for _, n := range st.Nodes {
		if n.Name != d.StorageNode.Name || n.UID != d.StorageNode.UID {
			continue
		}
		if d.Verb == decide.Refit {
			f, ok := p.(plugin.Fitter)
			if !ok || d.Fittings == nil {
				return nil, nil, fmt.Errorf("the plugin of %s cannot set up a node", p.Driver())
			}
			changes, err := f.Fit(st, n, d.Fittings.Storage[d.Driver])
			return changes, nil, err
		}
		if d.Verb == decide.Forget {
			f, ok := p.(plugin.Forgetter)
			if !ok {
				return nil, nil, fmt.Errorf("the plugin of %s cannot remove a node", p.Driver())
			}
			changes, err := f.Forget(st, n)
			return changes, nil, err
		}
		e, ok := p.(plugin.Evacuator)
		if !ok {
			return nil, nil, fmt.Errorf("the plugin of %s cannot change what a node accepts", p.Driver())
		}
		changes, err := e.Place(st, n, d.Was, d.To)
		return changes, nil, err
	}
	return nil, missing(s, p, "storage node %s is not among the facts", d.StorageNode.Name), nil
}

// translateKnob sets a value of the storage's own; v is nil for one that belongs
// to no volume.
func translateKnob(p plugin.Storage, st *cluster.Storage, v *cluster.Volume, d decide.Action) ([]plugin.Change, *decide.Outcome, error) {
	t, ok := p.(plugin.Tuner)
	if !ok {
		return nil, nil, fmt.Errorf("the plugin of %s has nothing that could be set aside", p.Driver())
	}
	k := cluster.Knob{Name: d.Knob.Name, UID: d.Knob.UID, Value: d.From, Aside: d.Into}
	changes, err := t.Tune(st, v, k)
	return changes, nil, err
}

func translatePrune(p plugin.Storage, st *cluster.Storage, v *cluster.Volume, d decide.Action) ([]plugin.Change, *decide.Outcome, error) {
	pr, ok := p.(plugin.Pruner)
	if !ok {
		return nil, nil, fmt.Errorf("the plugin of %s cannot remove replicas", p.Driver())
	}
	for _, r := range v.Replicas {
		if r.Name == d.Replica.Name && r.UID == d.Replica.UID {
			changes, err := pr.Prune(st, *v, r)
			return changes, nil, err
		}
	}
	return nil, conflicting("replica %s is not among the facts", d.Replica.Name), nil
}

func volume(st *cluster.Storage, ref decide.ObjectRef) *cluster.Volume {
	for i := range st.Volumes {
		if st.Volumes[i].Name == ref.Name && st.Volumes[i].UID == ref.UID {
			return &st.Volumes[i]
		}
	}
	return nil
}

// missing ends a deed whose object is not among the facts. Where a kind that is
// needed could not be read this says nothing of the object, and what is to be
// put back stays to be put back; else somebody has removed it.
func missing(s *cluster.Snapshot, p plugin.Storage, format string, args ...any) *decide.Outcome {
	o := conflicting(format, args...)
	for _, g := range s.Gaps {
		if g.Needed && g.Reason != cluster.GapMissing && ofKinds(g, p) {
			o.Result = decide.Refused
			o.Detail += ", and " + g.Kind + " could not be read: " + g.Detail
			return o
		}
	}
	return o
}

// gaps reports whether any kind of the plugin could not be read: then the
// absence of an object says nothing. Of a kind that the server does not know
// there are none.
func gaps(s *cluster.Snapshot, p plugin.Storage) bool {
	for _, g := range s.Gaps {
		if g.Reason == cluster.GapMissing {
			continue
		}
		if ofKinds(g, p) {
			return true
		}
	}
	return false
}

func ofKinds(g cluster.Gap, p plugin.Storage) bool {
	return slices.ContainsFunc(p.Kinds(), func(k plugin.Kind) bool {
		return g.Kind == k.Resource || strings.HasPrefix(g.Kind, k.Resource+".")
	})
}
