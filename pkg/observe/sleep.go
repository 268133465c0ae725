// SPDX-License-Identifier: Apache-2.0

package observe

import "time"

// wall tells the time by the clock that goes on while the machine sleeps.
func wall() time.Time { return time.Now().Round(0) }

// awoke reports whether the machine has slept since the last reading of all kinds.
// The clock by which a reading grows old stands still meanwhile (Linux), and the
// other end may have given the watches up without a word: what is cached may be of
// before the sleep, and nothing else tells. So they are lost.
func (c *Cluster) awoke() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == nil {
		return false
	}
	began := c.state.look.Began
	if c.wall().Sub(began.Round(0))-time.Since(began) < leaseAge {
		return false
	}
	if c.watches != nil {
		c.watches.note(func() { c.watches.broken = true })
	}
	return true
}
