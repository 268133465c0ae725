// SPDX-License-Identifier: Apache-2.0

// Package forecast says what would become of the replicas, and of the pods, if
// nodes left one after the other.
//
// A Course is the cluster as it would be: it begins as the snapshot and is
// taken on from turn to turn, each leaving node giving way to its replacement.
// Where a replica goes is asked of a Placer, which a plugin implements; what
// follows from that (space that is taken, a node that is gone) is book-keeping
// in the words of package cluster.
//
// It is pure. It must never hold a formula of one storage system, and it must
// never call something possible that hangs on the order in which a storage
// moves its replicas: whoever waits for a move that has no place waits for
// ever.
//
// Start reading at Course.
package forecast
