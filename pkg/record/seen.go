// SPDX-License-Identifier: Apache-2.0

package record

import (
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Author is who runs a roll, and with what.
type Author struct {
	// Who is a person at a machine, as the lock names them.
	Who string `json:"who,omitempty"`
	// Program is the version of safe-roll, Server that of the API server.
	Program string `json:"program,omitempty"`
	Server  string `json:"server,omitempty"`
}

// Seen sums up how the volumes stand in a few numbers, so that a journal can
// show afterwards that redundancy never dipped, or how far.
type Seen struct {
	// Storages are the storage systems, as "driver version".
	Storages []string `json:"storages,omitempty"`
	// Classes are sorted by Want, the attached ones first.
	Classes []Class `json:"classes,omitempty"`
	// Unjudged is the most volumes that could not be judged at one look since
	// the summary before: they were busy, or something was not known. They are
	// in no class.
	Unjudged int `json:"unjudged,omitempty"`
}

// Class is how the volumes stand that have the same number of configured
// replicas and are all attached, or all not. Volumes that never held data or
// are being deleted are in none.
type Class struct {
	Want     int  `json:"want"`
	Attached bool `json:"attached,omitempty"`
	// Volumes is how many there are, Whole how many of them are whole.
	Volumes int `json:"volumes"`
	Whole   int `json:"whole"`
	// Least is how many good replicas the volume has that has the fewest; one
	// that the storage moves away counts until it is gone. Might counts those
	// too of which it is not known.
	Least int `json:"least"`
	Might int `json:"might"`
	// Lowest is the lowest Least since the summary before this one.
	Lowest int `json:"lowest"`
}

// Same reports whether both are about the same volumes.
func (c Class) Same(o Class) bool { return c.Want == o.Want && c.Attached == o.Attached }

// Equal reports whether both say the same; how many volumes could not be
// judged is no news by itself.
func (s Seen) Equal(o Seen) bool {
	return slices.Equal(s.Storages, o.Storages) && slices.Equal(s.Classes, o.Classes)
}

// Finding is a finding as the journal keeps it.
type Finding struct {
	Code     string         `json:"code"`
	Severity string         `json:"severity"`
	Subject  assess.Subject `json:"subject"`
	Message  string         `json:"message"`
	Evidence []cluster.Fact `json:"evidence,omitempty"`
	// Remedy says what to do, Accept is the flag that accepts it; empty for none.
	Remedy string `json:"remedy,omitempty"`
	Accept string `json:"accept,omitempty"`
}
