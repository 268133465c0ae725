// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import "time"

// Status is the answer of `kubectl safe-roll status`: the latest roll, as its
// journal in the cluster tells it.
type Status struct {
	// APIVersion is always safe-roll.io/v1alpha1.
	APIVersion string `json:"apiVersion"`
	// Kind is always Status.
	Kind string `json:"kind"`
	// Run is the identity of the roll; empty where there never was one.
	Run string `json:"run,omitempty"`
	// State is None, Running, Stopped, Halted, Deletable, Rebootable, Finished
	// or Aborted. Running means that somebody holds the lock now; Stopped, that
	// nobody does and the same command goes on; Deletable and Rebootable, that
	// a drain ended and the turn is open; Aborted, that it was given up and put
	// back.
	State string `json:"state"`
	// Phase is the last phase that the journal speaks of.
	Phase string `json:"phase,omitempty"`
	// Says is the last thing that happened, in one line.
	Says string `json:"says,omitempty"`
	// At is when that was (RFC 3339, UTC).
	At *time.Time `json:"at,omitempty"`
	// Exit is the exit code with which a halted roll stopped.
	Exit int `json:"exit,omitempty"`
	// Goal is deletable (drain) or replaced (run); for reboots rebootable or
	// rebooted.
	Goal string `json:"goal,omitempty"`
	// Turns are the planned nodes, in order.
	Turns []Turn `json:"turns"`
	// Holder is who holds the lock; absent where nobody does.
	Holder *Holder `json:"holder,omitempty"`
}

// Turn is one node's replacement or reboot.
type Turn struct {
	// Node and UID name the node that goes.
	Node string `json:"node"`
	UID  string `json:"uid"`
	// Strategy is evict, refill or (a reboot's) stay, Why the reason for it.
	Strategy string `json:"strategy"`
	Why      string `json:"why,omitempty"`
	// State is Waiting, Open, Retired, Rebooted, Joined, Closed or GivenUp.
	State string `json:"state"`
	// Replacement is the node that took its place, once it has joined.
	Replacement    string     `json:"replacement,omitempty"`
	ReplacementUID string     `json:"replacementUID,omitempty"`
	OpenedAt       *time.Time `json:"openedAt,omitempty"`
	DrainedAt      *time.Time `json:"drainedAt,omitempty"`
	RetiredAt      *time.Time `json:"retiredAt,omitempty"`
	RebootedAt     *time.Time `json:"rebootedAt,omitempty"`
	ClosedAt       *time.Time `json:"closedAt,omitempty"`
}

// Holder is who holds the lock of a roll.
type Holder struct {
	Identity string     `json:"identity"`
	Since    *time.Time `json:"since,omitempty"`
	Renewed  *time.Time `json:"renewed,omitempty"`
	Expires  *time.Time `json:"expires,omitempty"`
}

// Event is one line of what `kubectl safe-roll run -o json` prints: something
// that the roll did, noted, waits for, or ended with. One JSON object per line.
type Event struct {
	// APIVersion is always safe-roll.io/v1alpha1.
	APIVersion string `json:"apiVersion"`
	// Kind is always Event.
	Kind string `json:"kind"`
	// At is when it was printed (RFC 3339, UTC).
	At  time.Time `json:"at"`
	Run string    `json:"run,omitempty"`
	// Type is started, resumed, acting, acted, noted, waiting, trouble,
	// undoing, halted or finished.
	Type string `json:"type"`
	// Turn counts from 1; Turns is how many there are.
	Turn  int    `json:"turn,omitempty"`
	Turns int    `json:"turns,omitempty"`
	Node  string `json:"node,omitempty"`
	Phase string `json:"phase,omitempty"`
	// Says is one line for people. Do not parse it.
	Says string `json:"says,omitempty"`
	// Verb and Outcome are of a deed.
	Verb    string `json:"verb,omitempty"`
	Outcome string `json:"outcome,omitempty"`
	// Left is what a wait still misses, or missed when its limit passed.
	Left []string `json:"left,omitempty"`
	// Exit, Findings and Remedy are of a halt.
	Exit     int       `json:"exit,omitempty"`
	Findings []Finding `json:"findings,omitempty"`
	Remedy   string    `json:"remedy,omitempty"`
}
