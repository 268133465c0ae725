// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import "time"

// KindReport is the kind of Report.
const KindReport = "Report"

// Report is what `kubectl safe-roll report -o json` prints: a roll as its
// journal tells it, to be read by whoever was not there. All times are RFC
// 3339, UTC, by the clock of the cluster.
type Report struct {
	// APIVersion is always safe-roll.io/v1alpha1.
	APIVersion string `json:"apiVersion"`
	// Kind is always Report.
	Kind string `json:"kind"`
	// Run is the identity of the roll.
	Run string `json:"run"`
	// Goal is deletable (drain) or replaced (run); for reboots rebootable or
	// rebooted.
	Goal string `json:"goal"`
	// State is as in Status.
	State string     `json:"state"`
	Begun *time.Time `json:"begun,omitempty"`
	// Ended is when the journal was written last.
	Ended *time.Time `json:"ended,omitempty"`
	// Exit is the exit code with which a halted roll stopped, Says the last
	// line of the journal, Remedy what a halt says to do.
	Exit   int    `json:"exit,omitempty"`
	Says   string `json:"says,omitempty"`
	Remedy string `json:"remedy,omitempty"`
	// Authors are who began, resumed or widened it, in order.
	Authors []Author `json:"authors"`
	// Storages are the storage systems, as "driver version"; more than one of a
	// driver where it was upgraded meanwhile.
	Storages []string `json:"storages"`
	// AcceptedRisks are the named risks of the plan, as CODE or CODE:NAME.
	AcceptedRisks []string     `json:"acceptedRisks"`
	Turns         []ReportTurn `json:"turns"`
	// Spans are what the roll was at, in order and without overlap.
	Spans []Span   `json:"spans"`
	Waits []Waited `json:"waits"`
	Deeds []Deed   `json:"deeds"`
	// Redundancy is how many good replicas the volumes had, by class.
	Redundancy []ClassHistory `json:"redundancy"`
	// Unjudged is the most volumes that could not be judged at one look, because
	// they were busy or something was not known; they are not counted there.
	Unjudged int `json:"unjudged,omitempty"`
	// Findings are those with which a halt was decided, of the last halt.
	Findings []Finding `json:"findings"`
	// Check is what `--check` found; absent without it.
	Check *Check `json:"check,omitempty"`
}

// Author is who ran a roll, and with what.
type Author struct {
	At time.Time `json:"at"`
	// Did is started, resumed or replanned.
	Did string `json:"did"`
	Who string `json:"who,omitempty"`
	// Program is the version of safe-roll, Server that of the API server.
	Program string `json:"program,omitempty"`
	Server  string `json:"server,omitempty"`
}

// ReportTurn is one node's replacement, with what it took.
type ReportTurn struct {
	Turn
	// Seconds from its opening to its closing; 0 where it is not closed.
	Seconds float64 `json:"seconds,omitempty"`
}

// Span is a stretch of time in one phase.
type Span struct {
	// Turn counts from 1; 0 for outside of any turn.
	Turn int    `json:"turn,omitempty"`
	Node string `json:"node,omitempty"`
	// Phase is one of the phases of a turn, or "stopped" while nobody rolled.
	Phase string    `json:"phase"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
}

// Waited is one wait.
type Waited struct {
	Node  string `json:"node,omitempty"`
	Phase string `json:"phase"`
	// For is what was waited for, Left what was missing when it began, the
	// first few.
	For  string    `json:"for"`
	Left []string  `json:"left,omitempty"`
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Deed is one change that was made, or tried.
type Deed struct {
	At    time.Time `json:"at"`
	Node  string    `json:"node,omitempty"`
	Phase string    `json:"phase,omitempty"`
	Verb  string    `json:"verb"`
	Says  string    `json:"says"`
	// Outcome is performed, conflict, refused, uncertain, or empty where the
	// program ended before it was known; Detail the server's words.
	Outcome string `json:"outcome,omitempty"`
	Detail  string `json:"detail,omitempty"`
	// Seconds is how long it took.
	Seconds float64 `json:"seconds"`
}

// ClassHistory is how one class of volumes stood over time: those with as many
// configured replicas, and attached or not.
type ClassHistory struct {
	Want     int  `json:"want"`
	Attached bool `json:"attached"`
	// Floor is what a mirrored volume of the class keeps while a node is out.
	Floor int `json:"floor"`
	// Lowest is the fewest good replicas that any volume of the class had.
	Lowest int     `json:"lowest"`
	Points []Point `json:"points"`
}

// Point is how a class stood at a moment.
type Point struct {
	At time.Time `json:"at"`
	// Volumes is how many there were, Whole how many of them were whole.
	Volumes int `json:"volumes"`
	Whole   int `json:"whole"`
	// Least is the number of good replicas of the volume that had the fewest,
	// Might with those of which it was not known, Lowest the lowest Least
	// since the point before.
	Least  int `json:"least"`
	Might  int `json:"might"`
	Lowest int `json:"lowest"`
}

// Check is what a journal proves about the invariants of a roll.
type Check struct {
	// Verdict is Safe where nothing is violated and Unsafe where something is.
	Verdict    Verdict     `json:"verdict"`
	Invariants []Invariant `json:"invariants"`
}

// Invariant is one of I1 to I10.
type Invariant struct {
	ID string `json:"id"`
	// Means is the invariant in a line.
	Means string `json:"means"`
	// Result is Holds, Violated, or CannotJudge: a journal alone does not tell.
	Result string `json:"result"`
	// Details are the violations with their places in the journal, or why it
	// cannot be judged.
	Details []string `json:"details,omitempty"`
}
