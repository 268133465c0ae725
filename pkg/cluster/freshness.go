// SPDX-License-Identifier: Apache-2.0

package cluster

// Freshness says how new an observation must be.
type Freshness uint8

const (
	// Cached: as of the last event that was seen.
	Cached Freshness = iota
	// Fresh: consistent reads of every kind, all begun after the call.
	Fresh
)
