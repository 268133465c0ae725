// SPDX-License-Identifier: Apache-2.0

// Package model is Longhorn's behaviour as one state machine.
//
// It holds Longhorn's own API objects (v1beta2) and changes them as the
// controllers of a running Longhorn manager would: it schedules replicas,
// attaches and detaches volumes by tickets, marks replicas failed, rebuilds
// them, evicts them, keeps instance managers and their disruption budgets,
// and lies where the real one lies. A replica object that looks fine may name
// a disk that no longer exists; the model never looks at what is really on a
// disk, because Longhorn does not. Only the world behind [Disks] knows.
//
// Two worlds step the same machine: the simulator, in memory and in virtual
// time, and the API bench's stand-in, which writes the objects to a real API
// server and keeps real bytes.
//
// The behaviour is that of v1.8.1 as it was seen on a running manager, and
// for what was not seen, as its source reads; each file names the source files
// that it follows. [Behaviour] switches to v1.4, which starts a replica whose
// data is not there.
//
// It may touch nothing but its own memory and the [Disks] it was given. It
// must never read a clock, start a goroutine, draw randomness that its seed
// does not decide, or iterate a map in Go's order: the same inputs give the
// same objects.
//
// Start reading at [Model.Step].
package model
