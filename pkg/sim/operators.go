// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
)

// confuse has other people do foolish things, each at a time of the seed's.
func (w *World) confuse(times int, within time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for range times {
		w.theirs(within, w.somethingFoolish)
	}
}

// theirs has others do something within the time; what finds nothing to do
// disturbs nobody.
func (w *World) theirs(within time.Duration, do func()) {
	w.after(w.some(within), func() {
		said := len(w.log)
		if do(); len(w.log) > said {
			w.disturbed++
		}
	})
}

// outage has the last worker fail for good.
func (w *World) outage(r Roll) {
	if r.Outage == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.machine(fmt.Sprintf("worker-%d", r.Case.Workers))
	w.after(r.Outage, func() { w.powerOff(n) })
}

// mend is what people do before they run the same command again: they bring
// back what they switched off, and take back what they forbade.
func (w *World) mend(attempt int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.catchUp()
	w.touched = true
	if attempt == 0 {
		return // whoever only sees that it stopped just runs it again
	}
	for _, n := range w.machines {
		if !n.doomed {
			w.powerOn(n)
		}
		if n.cordonedBy == oracle.Theirs {
			w.cordon(n, false, oracle.Theirs)
		}
	}
	for _, name := range []string{"concurrent-replica-rebuild-per-node-limit"} {
		w.must(w.set(name, "5"))
	}
	w.must(w.set("node-drain-policy", "block-if-contains-last-replica"))
	for _, v := range w.volumes {
		w.letGo(v.name)
	}
	w.mu.Unlock()
	lapse(2 * time.Minute)
	w.mu.Lock()
	w.catchUp()
}

// somethingFoolish is one thing that somebody does without asking.
func (w *World) somethingFoolish() {
	n := w.machines[w.rand.IntN(len(w.machines))]
	if n.role != "worker" {
		return
	}
	switch w.rand.IntN(16) {
	case 0:
		w.cordon(n, true, oracle.Theirs)
		w.theirs(10*time.Minute, func() { w.cordon(n, false, oracle.Theirs) })
	case 1:
		w.cordon(n, true, oracle.Theirs)
		w.drain(n)
		w.theirs(10*time.Minute, func() { w.cordon(n, false, oracle.Theirs) })
	case 2:
		w.cordon(n, false, oracle.Theirs)
	case 3:
		w.strike(n)
		w.powerOff(n)
		w.theirs(10*time.Minute, func() {
			if !n.doomed {
				w.powerOn(n)
			}
		})
	case 4:
		w.strike(n)
		w.powerOff(n)
		w.powerOn(n)
	case 5:
		w.recreate(n)
	case 6:
		w.must(w.set("replica-soft-anti-affinity", "true"))
	case 7:
		w.must(w.set("concurrent-replica-rebuild-per-node-limit", "0"))
		w.theirs(10*time.Minute, func() { w.must(w.set("concurrent-replica-rebuild-per-node-limit", "5")) })
	case 8:
		w.must(w.set("node-drain-policy", []string{"allow-if-replica-is-stopped", "always-allow", "block-for-eviction"}[w.rand.IntN(3)]))
	case 9:
		if v := w.anyVolume(); v != nil {
			w.hold(v.name, n.name)
		}
	case 10:
		w.killManagers(n)
	case 11:
		w.unbar(n)
	case 12:
		w.register(n)
	case 13:
		w.swap(n)
	default:
		if v := w.anyVolume(); v != nil {
			w.conceal(v)
		}
	}
}
