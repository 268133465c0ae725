// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	longhornapi "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// specs are what a roll changes and must put back, as bytes; without the machines
// of the plan, which are others afterwards.
func (w *World) specs(p decide.Plan) map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.catchUp()
	planned := map[string]bool{}
	for _, t := range p.Turns {
		planned[t.Node.Name] = true
	}
	out := map[string]string{}
	put := func(name string, v any) {
		raw, err := json.Marshal(v)
		w.must(err)
		out[name] = string(raw)
	}
	for _, kind := range []model.Kind{model.Nodes, model.Settings, model.Volumes} {
		for _, o := range w.model.List(kind) {
			switch o := o.(type) {
			case *longhornapi.Node:
				if !planned[o.Name] {
					put("node "+o.Name, o.Spec)
				}
			case *longhornapi.Setting:
				put("setting "+o.Name, o.Value)
			case *longhornapi.Volume:
				put("volume "+o.Name, []any{o.Spec.OfflineRebuilding, o.Spec.NumberOfReplicas})
			}
		}
	}
	for _, n := range w.machines {
		if !planned[n.name] {
			put("machine "+n.name, fmt.Sprint(n.ref(), n.cordoned))
		}
	}
	return out
}

// changed names what was there before and is there now, and differs.
func changed(before, now map[string]string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if is, ok := now[name]; ok && is != before[name] {
			out = append(out, fmt.Sprintf("%s: %s became %s", name, before[name], is))
		}
	}
	return out
}
