// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// A roll may set values of the storage's own aside for a time. Each is recorded
// with what it was, put back on every exit, and left alone once somebody else
// has changed it.

// holdNothingBack sets aside, where the operator asked for it, what makes the
// storage hold rebuilds back in the hope that a failed replica returns.
func (t *tick) holdNothingBack() Decision {
	if !t.policy().NoReplenishWait {
		return nil
	}
	for i := range t.s.Storages {
		st := &t.s.Storages[i]
		if d := t.setAside(st.Driver, ObjectRef{}, st.HoldBack, "a rebuild shall not wait for what will not return"); d != nil {
			return d
		}
	}
	return nil
}

// rebuildAsleep has the storage rebuild a sleeping volume by itself, where it
// can: it gives way to a workload without being asked.
func (t *tick) rebuildAsleep(v *assess.VolumeJudgement) Decision {
	return t.opening(v, t.setAside(v.Driver, ObjectRef{v.Volume.Name, v.Volume.UID}, v.Volume.SelfRebuild,
		"volume "+v.Volume.Name+" sleeps; its storage shall rebuild it"))
}

// setAside sets a knob aside once. One that we have set aside and that is not
// so any more was changed by somebody else, whose word it is then.
func (t *tick) setAside(driver string, volume ObjectRef, k *cluster.Knob, why string) Decision {
	if k == nil || k.IsAside() || t.asideOf(volume, ObjectRef{k.Name, k.UID}) != nil {
		return nil
	}
	return t.act(Action{
		Verb: SetAside, Driver: driver, Volume: volume, Knob: ObjectRef{k.Name, k.UID},
		From: k.Value, Into: k.Aside, Why: why,
	})
}

// asideOf returns the way back of a knob that we have set aside, or nil.
func (t *tick) asideOf(volume, knob ObjectRef) *Action {
	for i := range t.m.Undo {
		if u := &t.m.Undo[i]; u.Verb == PutBack && u.Volume == volume && u.Knob == knob {
			return u
		}
	}
	return nil
}

// entrusted returns the way back of the knob by which the storage rebuilds the
// volume for us, or nil.
func (t *tick) entrusted(v *cluster.Volume) *Action {
	if v.SelfRebuild == nil {
		return nil
	}
	return t.asideOf(ObjectRef{v.Name, v.UID}, ObjectRef{v.SelfRebuild.Name, v.SelfRebuild.UID})
}
