// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"reflect"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// What the plugin makes of excerpts is, at every look of whole rolls, what a new
// reader makes of the whole objects.
func TestShown_IsAllThatThePluginLooksAt(t *testing.T) {
	everyLook(t, 8, func(t *testing.T, seed uint64, w *World, _ roll.Report) {
		t.Helper()
		reader := longhorn.New().NewReader()
		for _, k := range model.Kinds() {
			for _, o := range w.model.List(k) {
				if err := w.showTo(t, reader, k, o); err != nil {
					t.Fatal(err)
				}
			}
		}
		storage, gaps := reader.Storage()
		if !reflect.DeepEqual(storage, w.storage) || !reflect.DeepEqual(gaps, w.gaps) {
			t.Fatalf("seed %d, %s: whole objects are\n%+v\nand their excerpts\n%+v", seed, w.now, storage, w.storage)
		}
	})
}
