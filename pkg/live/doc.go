// SPDX-License-Identifier: Apache-2.0

// Package live is the living cluster as a roll.World: it joins observe, which
// reads, and act, which does.
//
// It may hold the two and the last snapshot, by whose facts a deed becomes
// changes. It must never hold logic: what to do is decided elsewhere, and what
// a deed requires is checked where it is done.
//
// Start reading at World.
package live
