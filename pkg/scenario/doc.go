// SPDX-License-Identifier: Apache-2.0

// Package scenario is the language of test worlds: nodes, power, volumes,
// writes and the truth, and the stories that are told in it once and run in
// every world.
//
// It may import cluster and the standard library. It must never look at what
// a storage says of itself to judge whether data were lost: only Truth counts.
//
// Start reading at World, then incident.go.
package scenario
