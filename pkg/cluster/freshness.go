// SPDX-License-Identifier: Apache-2.0

package cluster

// Freshness says how new an observation must be.
type Freshness uint8

const (
	// Cached: as of the last event that was seen, and never older than the last
	// deed of ours.
	Cached Freshness = iota
	// Fresh: consistent reads of every kind, all begun after the call.
	Fresh
)

// Mark is one object as a deed of ours read or left it. What is observed without
// it is older than the deed.
type Mark struct {
	// Kind is the plural resource with its group, as in a Gap.
	Kind string
	UID  UID
	// Version is the object's resourceVersion then; empty where no answer said,
	// as of one that is going or gone.
	Version string
}
