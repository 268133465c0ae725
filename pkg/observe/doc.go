// SPDX-License-Identifier: Apache-2.0

// Package observe reads: a cluster's API or files become a cluster.Snapshot.
//
// It owns pages, watches, time limits and completeness. What could not be
// read is a Gap with the server's own words; an error means that nothing is
// known. It lists every kind once, several at a time, and decodes item by item
// into what the rooms need; it makes no request for a single volume or pod.
// Watches then keep it up to date, through later readings too, and what is
// observed is never older than a deed of ours that it was told of (Expect).
//
// It may import the words, the plugin contract and Kubernetes' client
// libraries. It must never judge, never write to a cluster, and never leave a
// kind out in silence.
//
// Start reading at Cluster.Observe (cluster.go) for the API and at Files for
// files; both end in snapshot (snapshot.go).
package observe
