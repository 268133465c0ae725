// SPDX-License-Identifier: Apache-2.0

package oracle

import (
	"testing"
	"time"
)

func TestCheck_WhatIsSentOnceAnotherHasTheLockIsFound(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	takings := []Taking{{At: at(10), By: 1}, {At: at(100), By: 2}}
	for name, k := range map[string]struct {
		d    Deed
		want int
	}{
		"its own":               {Deed{By: 1, Sent: at(20), At: at(20)}, 0},
		"sent before":           {Deed{By: 1, Sent: at(99), At: at(150)}, 0},
		"sent after":            {Deed{By: 1, Sent: at(101), At: at(101)}, 1},
		"the other's":           {Deed{By: 2, Sent: at(101), At: at(101)}, 0},
		"before it had it":      {Deed{By: 2, Sent: at(50), At: at(50)}, 1},
		"nobody knows whose":    {Deed{Sent: at(101), At: at(101)}, 0},
		"before anybody had it": {Deed{By: 2, Sent: at(1), At: at(1)}, 0},
	} {
		c := &court{truth: &Truth{Takings: takings}}
		c.locked(k.d)
		if got := len(c.report.Violations); got != k.want {
			t.Errorf("%s: %d violations: %v", name, got, c.report.Violations)
		}
	}
}
