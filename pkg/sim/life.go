// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"time"
)

// live begins what the users of the volumes do while a roll goes on.
func (w *World) live(c Case) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.touched = true
	for i, k := range c.Classes {
		name := fmt.Sprintf("%s-%d", k, i)
		switch k {
		case Guest:
			w.after(w.some(3*time.Minute), func() { w.comeOrGo(name, 40) })
		case ByHand:
			w.hold(name, "")
		case Newcomer:
			w.after(w.some(10*time.Minute), func() {
				w.must(w.bear(c, k, i))
				if c.Old { // which cannot move it away from a node to come
					w.disturbed++
				}
			})
		case Vanishing:
			w.after(w.some(15*time.Minute), func() {
				if v := w.volume(name); v != nil && !v.deleted {
					w.drop(v)
				}
			})
		default:
		}
	}
}

// some is a part of d that the seed decides.
func (w *World) some(d time.Duration) time.Duration {
	return time.Duration(w.rand.Int64N(int64(d/time.Second)))*time.Second + time.Second
}

// comeOrGo has a user log in or out, and again some minutes later, so many
// times.
func (w *World) comeOrGo(name string, times int) {
	for _, l := range w.loads {
		if l.name == name {
			l.want = 1 - l.want
			w.say("user of %s: %d pods", name, l.want)
		}
	}
	if times > 0 {
		w.after(w.some(6*time.Minute), func() { w.comeOrGo(name, times-1) })
	}
}
