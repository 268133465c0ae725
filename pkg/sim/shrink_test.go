// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"strings"
	"testing"
	"testing/synctest"
)

// shrinking is a roll of all workers to smaller disks. Seven volumes of 2 GiB
// have three copies: on three workers each holds 14 GiB, of a disk of 40 GiB of
// which 30 % are reserved. A disk of 20 GiB would just do.
func shrinking(workers int, come, said int64) Case {
	return Case{
		Workers: workers, Roll: workers, Replicas: 3, Goal: Standard(workers, 3).Goal, Strategy: Standard(workers, 3).Strategy,
		Commands: Standard(workers, 3).Commands, Classes: []Class{Busy, Asleep, Asleep, Asleep, Asleep, Asleep, Asleep},
		Disk: 40 * gib, NewDisk: come * gib, Said: said * gib,
	}
}

// shrunk rolls, and returns how large the workers' disks are then, in GiB.
func shrunk(t *testing.T, c Case) (h History, disks map[string]int64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w, err := world(1, c)
		if err != nil {
			t.Fatal(err)
		}
		if h, err = w.rolled(t.Context(), Roll{Seed: 1, Case: c}); err != nil {
			t.Fatal(err)
		}
		disks = map[string]int64{}
		for _, n := range w.machines {
			if d, ok := w.disks.Mounted(n.name, "/"); ok {
				disks[n.name] = d.Maximum / gib
			}
		}
	})
	if len(h.Report.Violations) > 0 || len(h.Lost) > 0 {
		t.Errorf("violations %v, lost %v", h.Report.Violations, h.Lost)
	}
	return h, disks
}

func count(disks map[string]int64, size int64) int {
	n := 0
	for _, d := range disks {
		if d == size {
			n++
		}
	}
	return n
}

func TestShrink_WhatCannotFitIsRefusedBeforeAnyChange(t *testing.T) {
	h, disks := shrunk(t, shrinking(3, 19, 19))
	if h.Ending != Refused || len(h.Events) > 0 || count(disks, 40) != 3 || !strings.Contains(h.Why, "could not be rebuilt") {
		t.Errorf("%s: %s, %d events, disks %v", h.Ending, h.Why, len(h.Events), disks)
	}
}

func TestShrink_AllWorkersToHalfTheirDisk(t *testing.T) {
	for _, workers := range []int{3, 4} {
		for _, said := range []int64{20, 0} { // also where nobody says it
			h, disks := shrunk(t, shrinking(workers, 20, said))
			if h.Ending != Finished || len(h.Missing()) > 0 || count(disks, 20) != workers {
				t.Errorf("%d workers, said %d: %s: %s, missing %v, disks %v", workers, said, h.Ending, h.Why, h.Missing(), disks)
			}
			t.Logf("%d workers, said %d: %s in %s, disks %v", workers, said, h.Ending, h.Took, disks)
		}
	}
}

// The first replacement that is too small ends the roll, with what it lacks;
// no other machine is touched, and every volume keeps its floor.
func TestShrink_AReplacementSmallerThanSaidHalts(t *testing.T) {
	for _, said := range []int64{0, 20} {
		h, disks := shrunk(t, shrinking(3, 19, said))
		if h.Ending != Halted || count(disks, 19) != 1 || count(disks, 40) != 2 || !strings.Contains(h.Why, "less space than was foreseen") {
			t.Errorf("said %d: %s: %s, disks %v\n%s", said, h.Ending, h.Why, disks, strings.Join(h.Log[max(0, len(h.Log)-15):], "\n"))
		}
		t.Logf("said %d: %s: %s", said, h.Ending, h.Why)
	}
}
