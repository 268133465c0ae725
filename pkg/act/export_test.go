// SPDX-License-Identifier: Apache-2.0

package act

import "time"

// SetGrace shortens how long a command may clean up.
func (a *Actor) SetGrace(d time.Duration) { a.grace = d }

// SetWall sets the clock that goes on while the machine sleeps, and how often a
// command's limit is looked at by it.
func (a *Actor) SetWall(clock func() time.Time, glance time.Duration) {
	a.wall, a.glance = clock, glance
}
