// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"fmt"
	"time"
)

// astrayMargin is how long after the command limit, counted from its intent, a command
// may be running: the intent may be written slowly (20 seconds), and the node be read
// before (10); after its limit the command may clean up (10), and a machine that slept
// finds out within a second.
const astrayMargin = time.Minute

// astray waits for a command that a program began which was gone before it ended:
// cut off from the cluster, that program may be alive, and its command with it, on
// a machine that nobody sees from here. Run at once again it would run twice at the
// same time, and two machines may come of one. What the command was for shows in
// the facts, which end the wait; else it ends where the limit must have ended the
// command, or where somebody says that it has ended (CommandEnded).
func (t *tick) astray() Decision {
	if t.turn.Astray == "" {
		return nil
	}
	longest := t.policy().CommandLimit + t.policy().ClockSkew + astrayMargin
	until := t.turn.AstrayAt.Add(longest)
	if !t.now.Before(until) {
		return nil
	}
	clock := func(at time.Time) string { return at.UTC().Format("15:04:05 MST") }
	return Wait{
		For: fmt.Sprintf("the %s command for %s, begun at %s by a program that is gone: it may run until %s",
			t.turn.Astray, t.node(), clock(t.turn.AstrayAt), clock(until)),
		Left:     []string{"if it is known to have ended: stop this, and run the same command with --command-ended"},
		Progress: string(t.turn.Astray), Until: until,
		Limit: longest + t.policy().SettleLimit, LimitName: "command limit",
		Stuck: "make sure that the command has ended, then run the same command with --command-ended",
	}
}
