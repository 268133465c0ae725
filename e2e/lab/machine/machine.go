// SPDX-License-Identifier: Apache-2.0

// Package machine is what the lab and the first process of each of its machines
// say to each other: words, and no deeds.
//
// It imports only what Go brings, and may touch nothing. It must never depend on
// the lab: the first process is small because this is.
//
// Start reading at Setup, then Order and Event.
package machine

// Setup is what the first process of a machine is told, as JSON in the
// environment variable SetupEnv.
type Setup struct {
	// Name is the host name.
	Name string
	// Root is an empty folder that becomes the machine's root.
	Root string
	// Binds are folders of the site by the place where the machine sees them.
	Binds map[string]string
	// Files are written into the root; those of a folder named bin can be
	// executed.
	Files map[string]string
}

// SetupEnv names the environment variable with the Setup.
const SetupEnv = "SAFE_ROLL_LAB_MACHINE"

// File descriptors of the first process.
const (
	OrdersFD = 3 // it reads Order after Order
	EventsFD = 4 // it writes Event after Event, the first when it is ready
)

// Order tells it to start or to kill a process.
type Order struct {
	ID   int // given by who orders
	Kill bool
	Path string
	Args []string
	Env  []string
	// Log is the number of a file that the machine sees, appended to.
	Log string
}

// Event tells that it is ready (ID 0) or that a process has ended.
type Event struct {
	ID     int
	Status string
}
