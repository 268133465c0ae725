// SPDX-License-Identifier: Apache-2.0

package sim_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/sim"
)

// TestJournals_OfEachKindThereIsOne makes a clean journal, an interrupted and a
// halted one. Where SIM_DOCS names the folder of the documents they are written
// into it, for report to be tried on.
func TestJournals_OfEachKindThereIsOne(t *testing.T) {
	short := sim.Standard(4, 3)
	short.Roll, short.Classes = 1, []sim.Class{sim.Busy, sim.Asleep, sim.Unused, sim.Pair, sim.Guest}
	interrupted := sim.Roll{Seed: 5, Case: short, Interrupt: 3 * time.Minute}
	halted := sim.Roll{Seed: 5, Case: short, Outage: 2 * time.Minute}
	for name, c := range map[string]struct {
		roll sim.Roll
		has  record.Kind
	}{
		"clean":       {sim.Roll{Seed: 5, Case: short}, record.Finished},
		"interrupted": {interrupted, record.Interrupted},
		"halted":      {halted, record.Halted},
	} {
		t.Run(name, func(t *testing.T) {
			h := simulate(t, c.roll)
			if h.Ending != sim.Finished || len(h.Report.Violations) > 0 {
				t.Errorf("%s %s %v", h.Ending, h.Why, h.Report.Violations)
			}
			lines, seen := []byte{}, false
			for _, e := range h.Events {
				seen = seen || e.Kind == c.has
				line, err := json.Marshal(e)
				if err != nil {
					t.Fatal(err)
				}
				lines = append(append(lines, line...), '\n')
			}
			if !seen {
				t.Errorf("no event says %s", c.has)
			}
			if docs := os.Getenv("SIM_DOCS"); docs != "" {
				if err := os.WriteFile(filepath.Join(docs, "journals", name+".jsonl"), lines, 0o644); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
