// SPDX-License-Identifier: Apache-2.0

package act

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// refitNode adds labels and taints to a Node. A merge patch replaces a list
// whole, so it is made from the taints that are read now, under their version.
func (a *Actor) refitNode(ctx context.Context, d decide.Action) (decide.Outcome, error) {
	if d.Fittings == nil {
		return decide.Outcome{}, fmt.Errorf("%s: nothing to set up on %s", d.Verb, d.Node.Name)
	}
	p := path(nodes(), "", d.Node.Name)
	what := "node " + d.Node.Name
	o, err := a.core.get(ctx, p)
	if err != nil {
		return beforeChange(what, err)
	}
	uid := valueAt(o, []string{"metadata", "uid"})
	if uid != string(d.Node.UID) {
		return *conflicting("%s is another one by now (UID %s, not %s)", what, uid, d.Node.UID), nil
	}
	patch := object{"metadata": object{
		"uid": uid, "resourceVersion": valueAt(o, []string{"metadata", "resourceVersion"}), "labels": d.Fittings.Labels,
	}}
	if len(d.Fittings.Taints) > 0 {
		spec, _ := o["spec"].(object)
		have, _ := spec["taints"].([]any)
		patch["spec"] = object{"taints": withTaints(have, d.Fittings.Taints)}
	}
	body, err := json.Marshal(patch)
	if err != nil {
		return decide.Outcome{}, fmt.Errorf("the patch of %s: %w", what, err)
	}
	if err := a.core.patch(ctx, p, body); err != nil {
		return ofChange(what, err)
	}
	return decide.Outcome{Result: decide.Performed, Detail: fmt.Sprintf("%s got %d labels and %d taints", what, len(d.Fittings.Labels), len(d.Fittings.Taints))}, nil
}

// withTaints adds taints, spelled key=value:Effect, that are not there.
func withTaints(have []any, missing []string) []any {
	out := slices.Clone(have)
	for _, word := range missing {
		rest, effect, _ := strings.Cut(word, ":")
		key, value, _ := strings.Cut(rest, "=")
		there := slices.ContainsFunc(have, func(t any) bool {
			return valueAt(t, []string{"key"}) == key && valueAt(t, []string{"effect"}) == effect
		})
		if there {
			continue
		}
		taint := object{"key": key, "effect": effect}
		if value != "" {
			taint["value"] = value
		}
		out = append(out, taint)
	}
	return out
}
