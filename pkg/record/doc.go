// SPDX-License-Identifier: Apache-2.0

// Package record is what happened: the events of a roll, and the memory that
// is rebuilt from them.
//
// It may import cluster and the types of assess and decide, and calls none of
// their functions. It has no client; Book is the interface to wherever events
// are kept. An event is written before anything rests on it, and what was
// written is never changed.
//
// Start reading at Event, then Replay.
package record
