// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// large rolls so many nodes of a cluster of that size: three of ten volumes are
// in use, the others asleep, and the disks are large enough for all.
func large(workers, volumes, turns int, tick time.Duration) (History, error) {
	c := Case{Workers: workers, Roll: turns, Replicas: 3, Goal: decide.UntilReplaced, Strategy: policy.Auto,
		Commands: decide.Commands{Retire: "retire", Create: "create"}}
	for i := range volumes {
		c.Classes = append(c.Classes, Asleep)
		if i%10 < 3 {
			c.Classes[i] = Busy
		}
	}
	w, err := New(Options{Seed: 1, DiskSize: int64(volumes*12/workers+100) * 2 * gib})
	if err != nil {
		return History{}, err
	}
	if err := w.populate(c); err != nil {
		return History{}, err
	}
	return w.rolled(context.Background(), Roll{Seed: 1, Case: c, Tick: tick})
}

// What a roll takes is what machines, storage and policy take. A program that
// looks a hundred times as often, and decides at once, is hardly faster: that is
// the sum of the waits that the world imposes. SIM_LARGE=10x500 is ten nodes and
// five hundred volumes, SIM_LARGE=50x10000x1 one turn of fifty.
func TestRoll_TakesHardlyLongerThanItsWaits(t *testing.T) {
	var workers, volumes, turns int
	switch n, _ := fmt.Sscanf(os.Getenv("SIM_LARGE"), "%dx%dx%d", &workers, &volumes, &turns); n {
	case 2:
		turns = workers
	case 3:
	default:
		workers, volumes, turns = 4, 20, 4
	}
	took := map[time.Duration]time.Duration{}
	const usual, instant = time.Second, 10 * time.Millisecond
	for _, tick := range []time.Duration{instant, usual} {
		synctest.Test(t, func(t *testing.T) {
			h, err := large(workers, volumes, turns, tick)
			if err != nil {
				t.Fatal(err)
			}
			if h.Ending != Finished || len(h.Lost) > 0 {
				t.Fatalf("%s (%s), %d volumes lost", h.Ending, h.Why, len(h.Lost))
			}
			t.Logf("%d of %d nodes, %d volumes, tick %s: %s, %d events, %v calls", turns, workers, volumes, tick, h.Took, len(h.Events), h.Calls)
			took[tick] = h.Took
		})
	}
	if ratio := took[usual].Seconds() / took[instant].Seconds(); ratio > 1.03 {
		t.Errorf("a roll takes %.3f times its waits, at most 1.03", ratio)
	}
}
