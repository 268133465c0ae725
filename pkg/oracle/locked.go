// SPDX-License-Identifier: Apache-2.0

package oracle

import "time"

// locked: nobody changes anything once another process has the lock. What was sent
// before may still arrive.
func (c *court) locked(d Deed) {
	if d.By == 0 {
		return
	}
	holder, since := 0, time.Time{}
	for _, t := range c.truth.Takings {
		if t.At.Before(d.Sent) {
			holder, since = t.By, t.At
		}
	}
	if holder != 0 && holder != d.By {
		c.saw(I4, d.At, "%s of %s was sent by process %d at %s, and process %d has the lock since %s", d.Verb, d.Node.Name, d.By,
			d.Sent.UTC().Format("15:04:05.000"), holder, since.UTC().Format("15:04:05.000"))
	}
}
