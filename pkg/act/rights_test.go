// SPDX-License-Identifier: Apache-2.0

package act_test

import (
	"slices"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

func TestRights_AreWhatThePluginsChangesAskFor(t *testing.T) {
	got, err := act.Rights([]plugin.Storage{toy{}})
	if err != nil {
		t.Fatal(err)
	}
	has := func(group, resource, verb string) bool {
		return slices.ContainsFunc(got, func(r cluster.Right) bool {
			return r.Group == group && r.Resource == resource && slices.Contains(r.Verbs, verb)
		})
	}
	for _, want := range [][3]string{
		{"", "nodes", "patch"}, {"", "pods/eviction", "create"},
		{driver, "nodes", "patch"}, {driver, "nodes", "get"}, {driver, "replicas", "delete"}, {driver, "nodes", "delete"},
	} {
		if !has(want[0], want[1], want[2]) {
			t.Errorf("%v is asked for and not named", want)
		}
	}
	for _, never := range [][3]string{{"", "pods", "delete"}, {driver, "volumes", "delete"}, {"", "secrets", "get"}} {
		if has(never[0], never[1], never[2]) {
			t.Errorf("%v is named and never asked for", never)
		}
	}
}
