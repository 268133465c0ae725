// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
)

// A roll that was begun with --probe is gone on with by "run", from wherever.
func TestLookAs_WhoeverGoesOnLooksAsTheRollWasBegun(t *testing.T) {
	for _, probe := range []bool{true, false} {
		begun := &rollOptions{policy: newPolicyFlags(), conn: &connection{probe: probe}}
		o := &rollOptions{policy: newPolicyFlags(), conn: &connection{}}
		o.lookAs(decide.Plan{Probe: begun.request().Probe})
		if o.conn.probe != probe {
			t.Errorf("begun with --probe=%t, gone on with %t", probe, o.conn.probe)
		}
	}
}
