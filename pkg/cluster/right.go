// SPDX-License-Identifier: Apache-2.0

package cluster

// Right is something that safe-roll asks of the API server, and so must be
// allowed to. The rooms that ask name their rights; the printed roles and the
// question before a roll are made of them.
type Right struct {
	// Group and Resource are as RBAC spells them; a subresource comes after a
	// slash.
	Group    string
	Resource string
	Verbs    []string
	// Namespace is where; empty for everywhere, or for what is in none.
	Namespace string
	// Name is the only object that is meant; empty for any.
	Name string
	// For says in a few words what it is needed for.
	For string
}
