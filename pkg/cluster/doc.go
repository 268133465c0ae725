// SPDX-License-Identifier: Apache-2.0

// Package cluster holds the words of safe-roll: what a cluster is, as facts
// without opinions.
//
// It may import the standard library only, and nothing in it reads a clock, a
// file or an API. It must never decide whether something is good: a Claim is
// what the storage says, a Standing is what package assess concludes from it.
// The zero value of everything that resembles health is Unknown.
//
// A field tagged keep:"own" has words that hardly two objects share (package
// narrow keeps the others once).
//
// Start reading at Snapshot.
package cluster
