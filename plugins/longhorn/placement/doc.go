// SPDX-License-Identifier: Apache-2.0

// Package placement holds Longhorn's rules of where a new replica goes, as far
// as they follow from facts: Longhorn v1.12.0 scheduler/replica_scheduler.go,
// and the versions down to 1.4 where they differ.
//
// It is pure: it may import the words and the forecast's contract only. It
// must never be more generous than Longhorn: a fact that is missing makes a
// place impossible, since an eviction that finds no place never ends. Where
// Longhorn would choose one of several disks by its own score, this package
// takes the one with most room, so the disks of a forecast are likely, and its
// count of what fits nowhere is what to rely on.
//
// Start reading at Placer.Place.
package placement
