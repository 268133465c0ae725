// SPDX-License-Identifier: Apache-2.0

package plugin

// Guide adds to the remedy of a code, whoever raises it, what it takes with one
// storage: its commands, its documents, and what is known of it.
type Guide struct {
	Code string
	// Do and Not are sentences: what to do, and what not to do.
	Do  []string
	Not []string
	// See are links, or titles of documents, that the advice rests on, each with
	// a few words.
	See []string
}

// Guider gives such advice.
type Guider interface {
	Guides() []Guide
}
