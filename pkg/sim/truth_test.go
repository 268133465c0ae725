// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// inWorld runs a test in a world of four workers with one volume of the class, and
// under its lock.
func inWorld(t *testing.T, seed uint64, k Class, do func(*World, *volume)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := Standard(4, 3)
		c.Classes = []Class{k}
		w, err := world(seed, c)
		if err != nil {
			t.Fatal(err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		do(w, w.volumes[0])
	})
}

func (w *World) pass(d time.Duration) {
	w.touched = true
	w.settleFor(d)
}

// away is a machine with a copy of the volume, and not the engine.
func away(t *testing.T, w *World, v *volume) *machine {
	t.Helper()
	a, ok := w.model.Attached(v.name)
	if !ok {
		t.Fatalf("%s is not attached", v.name)
	}
	i := slices.IndexFunc(v.copies, func(node string) bool { return node != a.Node })
	return w.machine(v.copies[i])
}

// A user writes on at once when a replica has left: what failed is stale from
// there on, until it is rebuilt, and not only at the next write four minutes later.
func TestTruth_AFailedReplicaIsNoCopyUntilItIsRebuilt(t *testing.T) {
	inWorld(t, 1, Slow, func(w *World, v *volume) {
		const limit = "concurrent-replica-rebuild-per-node-limit"
		w.must(w.set(limit, "0"))
		w.pass(time.Minute)
		n := away(t, w, v)
		w.killManagers(n)
		for _, p := range w.pods {
			p.nextWrite = w.now.Add(time.Hour)
		}
		w.pass(50 * time.Second)
		if len(v.copies) != 2 || slices.Contains(v.copies, n.name) {
			t.Errorf("copies on %v after the replica on %s failed", v.copies, n.name)
		}
		w.must(w.set(limit, "5"))
		for range 6 { // it is rebuilt in place, for seven minutes, and written to meanwhile
			w.pass(time.Minute)
			if slices.Contains(v.copies, n.name) {
				t.Fatalf("%s counts, and the copy has not ended\n%v", n.name, w.log)
			}
		}
		w.pass(10 * time.Minute)
		if len(v.copies) != 3 || len(w.truth.Losses) > 0 {
			t.Errorf("in the end there are copies on %v, losses %v", v.copies, w.truth.Losses)
		}
	})
}

// An engine comes up on what was there before the last write: that write is lost,
// and what is written then is what counts.
func TestTruth_OldBytesThatComeUpAreALoss(t *testing.T) {
	inWorld(t, 2, Asleep, func(w *World, v *volume) {
		newest := v.bytes
		old, mixed := "older", false
		wear := func() {
			for i, d := range w.disks.Truth() {
				if len(d.Directory) > suffix && d.Directory[:len(d.Directory)-suffix] == v.name && (i == 0 || !mixed) {
					at := []model.Place{{Node: d.Node, Name: d.Directory}}
					w.must(w.disks.Write(model.Attachment{Write: at}, nil, []byte(old)))
				}
			}
		}
		open := func(want int) {
			t.Helper()
			w.pass(time.Second)
			for _, l := range w.loads {
				if l.volume == v.name {
					l.want = want
				}
			}
			w.pass(time.Minute)
		}
		wear()
		open(1)
		if len(w.truth.Losses) != 1 || len(w.lost()) != 1 || v.bytes == newest || v.bytes == old || len(v.copies) != 3 {
			t.Fatalf("losses %v, lost %v, %q on %v", w.truth.Losses, w.lost(), v.bytes, v.copies)
		}
		open(0)
		mixed = true // what does not fit together is lost just as well
		wear()
		open(1)
		if len(w.truth.Losses) != 2 || len(v.copies) != 3 {
			t.Errorf("losses %v, copies on %v", w.truth.Losses, v.copies)
		}
	})
}

// Somebody takes a copy away: any, one of two only where somebody looks, and never
// the last.
func TestConceal_TakesAnyCopyAndNeverTheLast(t *testing.T) {
	held, hit := map[string]bool{}, map[string]bool{}
	for seed := range uint64(12) {
		inWorld(t, seed, Asleep, func(w *World, v *volume) {
			for _, step := range []struct {
				probing bool
				left    int
			}{{false, 2}, {false, 2}, {true, 1}, {true, 1}} {
				w.probing = step.probing
				before := slices.Clone(v.copies)
				w.conceal(v)
				if len(v.copies) != step.left {
					t.Fatalf("probing %t: of copies on %v are left %v", step.probing, before, v.copies)
				}
				for _, node := range before {
					held[node] = true
					if !slices.Contains(v.copies, node) {
						hit[node] = true
					}
				}
			}
		})
	}
	if len(held) < 3 || !maps.Equal(held, hit) {
		t.Errorf("copies on %v, taken away on %v", held, hit)
	}
}

// What others did to a volume excuses what the storage loses, until all is there
// again.
func TestTruth_WhatOthersDidIsForgottenWhenItIsMended(t *testing.T) {
	inWorld(t, 3, Busy, func(w *World, v *volume) {
		w.pass(time.Minute)
		w.recreate(away(t, w, v))
		if !v.damaged || len(v.copies) != 2 {
			t.Fatalf("damaged %t, copies on %v", v.damaged, v.copies)
		}
		w.pass(15 * time.Minute)
		if v.damaged || len(v.copies) != 3 {
			t.Errorf("damaged %t, copies on %v", v.damaged, v.copies)
		}
		w.lose(v, oracle.Storage)
		if w.truth.Losses[0].Damaged {
			t.Error("a loss by the storage is excused by what was mended long ago")
		}
		w.conceal(v)
		v.want = 2 // as if another had been made meanwhile: the engine believes in what is gone
		w.watchVolume(v, oracle.Nobody)
		if !v.damaged || len(v.copies) != 2 {
			t.Errorf("damaged %t, copies on %v, and one is believed in that is gone", v.damaged, v.copies)
		}
	})
}
