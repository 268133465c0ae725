// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"encoding/json"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// What the plugin makes of excerpts is, at every look of whole rolls, what a new
// reader makes of the whole objects.
func TestShown_IsAllThatThePluginLooksAt(t *testing.T) {
	looks := 0
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			c := Draw(seed)
			w, err := world(seed, c)
			if err != nil {
				t.Fatal(err)
			}
			plan, why, err := w.propose(t.Context(), c)
			if why != "" || err != nil {
				t.Fatal(why, err)
			}
			w.live(c)
			w.confuse(int(seed % 4))
			cfg := config(w.Connect(book.NewInMemory(leaseTime, time.Now).Open("somebody@laptop"), plan.Commands, Faults{}), &plan, time.Second)
			cfg.Watch = func(r roll.Report) {
				if r.Kind != roll.ReportDecided {
					return
				}
				looks++
				reader := longhorn.New().NewReader()
				for _, k := range model.Kinds() {
					for _, o := range w.model.List(k) {
						raw, err := json.Marshal(o)
						if err == nil {
							err = reader.Put(w.kinds[string(k)], raw)
						}
						if err != nil {
							t.Fatal(err)
						}
					}
				}
				storage, gaps := reader.Storage()
				if !reflect.DeepEqual(storage, w.storage) || !reflect.DeepEqual(gaps, w.gaps) {
					t.Fatalf("seed %d, %s: whole objects are\n%+v\nand their excerpts\n%+v", seed, w.now, storage, w.storage)
				}
			}
			if _, err := roll.Run(t.Context(), cfg); err != nil {
				t.Log(err) // others are at work
			}
		})
	}
	if looks < 500 {
		t.Errorf("only %d looks: it shows little", looks)
	}
}
