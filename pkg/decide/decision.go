// SPDX-License-Identifier: Apache-2.0

package decide

import (
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Decision is what to do now: Act, Remember, Wait, Halt or Done.
type Decision interface{ decision() }

// Act says: perform this deed, then look again.
type Act struct {
	Phase  Phase
	Action Action
	// Fresh asks to decide it a second time, from consistent reads, as for what
	// cannot be taken back.
	Fresh bool
}

// Remember says: write this down, then ask again.
type Remember struct {
	Phase Phase
	Note  Note
}

// Wait says: nothing to do until something changes.
type Wait struct {
	Phase Phase
	// For is what is waited for, in one line for people.
	For string
	// Left lists what is still missing, such as volumes with their counts;
	// the first few are shown.
	Left []string
	// Progress changes whenever there is progress; equal tokens mean none.
	Progress string
	// Parts, where there are any, each have to get on within the limit, so that
	// one that is busy does not hide another that is stuck.
	Parts []Part
	// Until is when the facts must be looked at again even if nothing
	// changes; zero for the loop's own pace.
	Until time.Time
	// Fresh asks for consistent reads at that time.
	Fresh bool
	// Limit is how long it may go on without progress, LimitName its name.
	Limit     time.Duration
	LimitName string
	// Stuck says what to do when the limit passes.
	Stuck string
	// Approve is the node whose turn somebody must approve; nil in every other
	// wait.
	Approve *cluster.NodeRef
}

// Part is one of the things that a Wait waits for.
type Part struct {
	Name string
	// Token is a new one, never seen before in this wait, whenever there is
	// progress: what is begun again and again gets nowhere.
	Token string
	// Idle: nothing is expected of it now, because it is queued or held back on
	// purpose.
	Idle bool
	// Why says what keeps it, as far as it is known; empty for nothing known.
	Why string
}

// Halt says: stop here. What was changed and must not stay is undone first.
type Halt struct {
	Phase Phase
	// Exit is the exit code: 3 unsafe, 4 unknown, 5 a limit passed.
	Exit   int
	Reason string
	// Findings are the evidence.
	Findings []assess.Finding
	// Missing is what a wait was still without when its limit passed, a line each.
	Missing []string
	// Remedy says what to do, then run the same command again.
	Remedy string
}

// Done says: the plan is fulfilled.
type Done struct {
	// Deletable is the node that may be deleted now where the plan ends there.
	Deletable *cluster.NodeRef
	// Rebootable is the node that may be rebooted now, likewise.
	Rebootable *cluster.NodeRef
	Says       string
}

func (Act) decision()      {}
func (Remember) decision() {}
func (Wait) decision()     {}
func (Halt) decision()     {}
func (Done) decision()     {}

// Exit codes of a Halt, as every command returns them.
const (
	ExitUnsafe  = 3
	ExitUnknown = 4
	ExitLimit   = 5
)
