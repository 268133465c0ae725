// SPDX-License-Identifier: Apache-2.0

// Package scale fills an API server with a large Longhorn cluster and measures
// what it costs to ask it whether every volume is whole.
//
// It may touch the bench's own control plane and start processes. It must never
// be imported by the tool, and it judges nothing: whether an answer was right is
// known from how the cluster was made.
//
// Start reading at Shape (what is made), then Compare (who is asked, and what
// it costs).
package scale
