// SPDX-License-Identifier: Apache-2.0

package act

import "time"

// SetGrace shortens how long a command may clean up.
func (a *Actor) SetGrace(d time.Duration) { a.grace = d }
