// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

const (
	// offlineKnob is the field of a volume by which Longhorn rebuilds it while it
	// is detached.
	offlineKnob    = "offlineRebuilding"
	offlineSetting = "offline-replica-rebuilding"
	// offlineMinor is the first that can be trusted with it: 1.9.0 left a volume
	// attached for ever where it found no disk (mended in 1.10.0, a4363dedb).
	offlineMinor = 10
	// keepsMinor is the first whose Node object outlives the Kubernetes node
	// (1.10.0, a56819105).
	keepsMinor = 10
)

// addKnobs says what may be set aside for a time, and what outlives a machine.
func (j *join) addKnobs(st *cluster.Storage) {
	minor, known := minorOf(st.Version)
	if known {
		st.KeepsNodes = cluster.AnswerOf(minor >= keepsMinor)
	}
	var wait *setting // of two the same one as in settingsOf
	for _, s := range j.Reader.settings {
		if s.Name == replenishWait && !strings.HasPrefix(s.value, "{") && (wait == nil || s.key() > wait.key()) {
			wait = s
		}
	}
	if wait != nil {
		st.HoldBack = &cluster.Knob{Name: wait.Name, UID: wait.UID, Value: wait.value, Aside: "0"}
	}
	if !known || minor < offlineMinor {
		return
	}
	everywhere := perEngine(j.settings[offlineSetting]) == "true"
	j.selfRebuild = func(v *volume) *cluster.Knob {
		k := &cluster.Knob{Name: offlineKnob, UID: v.UID, Value: v.OfflineRebuilding, Aside: "enabled"}
		if everywhere && v.OfflineRebuilding != "disabled" {
			k.Value = k.Aside // Longhorn does so already
		}
		return k
	}
}

// Knobs names what Tune sets.
func (Storage) Knobs() (ofStorage, ofVolume []string) {
	return []string{replenishWait}, []string{offlineKnob}
}

// Tune returns the change of one knob: a setting of Longhorn's, or the offline
// rebuilding of one volume.
func (Storage) Tune(st *cluster.Storage, v *cluster.Volume, k cluster.Knob) ([]plugin.Change, error) {
	switch {
	case k.UID == "":
		return nil, fmt.Errorf("%s is changed only by the identity of what holds it", k.Name)
	case k.Value == k.Aside:
		return nil, nil
	case v == nil && k.Name == replenishWait:
		patch, err := json.Marshal(map[string]any{"value": k.Aside})
		if err != nil {
			return nil, fmt.Errorf("the patch of setting %s: %w", k.Name, err)
		}
		return []plugin.Change{{
			Object: plugin.Object{Kind: kindOf(settings), Namespace: st.Namespace, Name: k.Name, UID: k.UID},
			Patch:  patch,
			Expect: []cluster.Fact{{Name: "value", Value: k.Value}},
			Says:   fmt.Sprintf("setting %s: %s to %s", k.Name, k.Value, k.Aside),
		}}, nil
	case v != nil && k.Name == offlineKnob && v.UID == k.UID:
		return offlineChange(st, v, k)
	default:
		return nil, errors.New(k.Name + " is nothing that safe-roll sets aside")
	}
}

// offlineChange sets spec.offlineRebuilding; a field that was absent is taken
// away again.
func offlineChange(st *cluster.Storage, v *cluster.Volume, k cluster.Knob) ([]plugin.Change, error) {
	var value any
	if k.Aside != "" {
		value = k.Aside
	}
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{offlineKnob: value}})
	if err != nil {
		return nil, fmt.Errorf("the patch of volume %s: %w", v.Name, err)
	}
	return []plugin.Change{{
		Object: plugin.Object{Kind: kindOf(volumes), Namespace: st.Namespace, Name: v.Name, UID: v.UID},
		Patch:  patch,
		Expect: []cluster.Fact{{Name: "spec." + offlineKnob, Value: k.Value}},
		Says:   fmt.Sprintf("volume %s: %s %q to %q", v.Name, offlineKnob, k.Value, k.Aside),
	}}, nil
}

// Forget returns the deletion of Longhorn's object of a node whose machine is
// gone. From 1.10 on its webhook refuses while replicas, engines or scheduling
// are left there (v1.12.0 webhook/resources/node/validator.go).
func (Storage) Forget(st *cluster.Storage, n cluster.StorageNode) ([]plugin.Change, error) {
	if n.Name == "" || n.UID == "" {
		return nil, errors.New("a storage node is removed only by name and UID")
	}
	if n.Deleting {
		return nil, nil
	}
	return []plugin.Change{{
		Object: plugin.Object{Kind: kindOf(nodes), Namespace: st.Namespace, Name: n.Name, UID: n.UID},
		Delete: true,
		Expect: []cluster.Fact{{Name: "spec.allowScheduling", Value: "false"}},
		Says:   fmt.Sprintf("Longhorn node %s, whose machine is gone, is deleted", n.Name),
	}}, nil
}
