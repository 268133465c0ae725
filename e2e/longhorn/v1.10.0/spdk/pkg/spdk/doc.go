// SPDX-License-Identifier: Apache-2.0

// Package spdk stands in for the one word that Longhorn manager v1.10.0 takes
// from the engine of the second data engine, whose module, in the version that
// the manager names, is not on the module proxy. The manager writes the word into
// what it notes of a disk, and reads it there again; the lab has no disks of that
// engine.
//
// It may touch nothing. It must never hold more of that engine than the manager
// needs to be built.
//
// Start reading at DiskState, which is all there is.
package spdk

// DiskState says how a disk does.
type DiskState string

// DiskStateReady is the state of a disk that can be used.
const DiskStateReady DiskState = "ready"
