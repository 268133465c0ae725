// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// A worker that somebody has replaced by hand under a new name leaves volumes
// short of a copy, and phantoms. A roll mends them first, or refuses what is
// lost already; nothing is lost by it, in any version.
func TestHeal_WhatAnImpatientOperatorLeft(t *testing.T) {
	for _, kept := range []bool{false, true} {
		for seed := range uint64(10) {
			t.Run(fmt.Sprintf("kept %v, seed %d", kept, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { impatient(t, seed, kept) })
			})
		}
	}
}

func impatient(t *testing.T, seed uint64, kept bool) {
	c := Draw(seed)
	c.Old, c.Kept, c.Workers = false, kept, max(4, c.Workers)
	if kept {
		c.Commands.Retire, c.Commands.Create, c.Commands.Replace, c.Commands.DeleteNode = "retire", "create", "", false
	}
	w, err := world(seed, c)
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	w.catchUp()
	w.remove(w.machine(fmt.Sprintf("worker-%d", c.Workers)), oracle.Theirs)
	w.mu.Unlock()
	time.Sleep(2 * time.Minute)
	w.mu.Lock()
	w.catchUp()
	w.join("worker-new", "worker", w.disks.Blank(40<<30))
	w.mu.Unlock()
	time.Sleep(5 * time.Minute)
	lost := w.Lost()
	h, err := w.rolled(t.Context(), Roll{Seed: seed, Case: c})
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case len(h.Report.Violations) > 0:
		t.Errorf("%v", h.Report.Violations)
	case len(h.Lost) > len(lost):
		t.Errorf("lost before %v, after %v", lost, h.Lost)
	case len(lost) > 0 && (h.Ending != Refused || !strings.Contains(h.Why, lost[0])):
		t.Errorf("%v were lost, and it %s: %s", lost, h.Ending, h.Why)
	case len(lost) == 0 && h.Ending != Finished:
		t.Errorf("%s: %s\n%s", h.Ending, h.Why, strings.Join(h.Log[max(0, len(h.Log)-12):], "\n"))
	}
}

// Rolls over a storage whose node objects outlive their machines and which
// rebuilds what sleeps by itself, and over one that has no tickets and starts a
// replica without its data. The latter is trusted to move what sleeps only where
// the operator takes that upon himself: without, nothing may depend on it.
func TestVersions_RollsEndWithEverything(t *testing.T) {
	kept, old := func(c *Case) { c.Kept = true }, func(c *Case) { c.Old = true }
	for name, x := range map[string]struct {
		workers int
		change  func(*Case)
	}{
		"1.10, refilled": {3, kept}, "1.10, moved": {4, kept},
		"1.4, refilled": {3, old},
		"1.4, refilled although there is room": {4, func(c *Case) {
			old(c)
			c.Classes = slices.DeleteFunc(slices.Clone(c.Classes), Class.few)
		}},
		"1.4, moved": {4, func(c *Case) {
			old(c)
			c.Accepted = []policy.Risk{{Code: decide.CodeMayHang}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := Standard(x.workers, 3)
				x.change(&c)
				h, err := Run(t.Context(), Roll{Seed: 1, Case: c})
				if err != nil {
					t.Fatal(err)
				}
				if h.Ending != Finished || len(h.Report.Violations) > 0 || len(h.Lost) > 0 || len(h.Missing()) > 0 {
					t.Errorf("%s %s, violations %v, lost %v, missing %v", h.Ending, h.Why, h.Report.Violations, h.Lost, h.Missing())
				}
			})
		})
	}
}
