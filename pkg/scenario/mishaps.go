// SPDX-License-Identifier: Apache-2.0

package scenario

import "context"

// Mishaps are what may happen to the machines of a World besides losing power.
// A world whose machines have disks that can be touched implements it too.
type Mishaps interface {
	// ReplaceDisk installs a machine anew: an empty disk, the same Node object.
	ReplaceDisk(ctx context.Context, node string) error
	// SwapDisks puts the disk of each of two machines into the other, as after
	// a repair; their Node objects stay.
	SwapDisks(ctx context.Context, one, other string) error
	// CloneDisk gives the disk of one machine the identity that the disk of
	// another has, as an image of that disk would.
	CloneDisk(ctx context.Context, from, to string) error
	// RemoveData deletes the directories of the volume's replicas on the node;
	// nobody is told.
	RemoveData(ctx context.Context, node, volume string) error
	// StopManager ends the storage's own process on a machine and keeps it from
	// running; StartManager lets it run again.
	StopManager(ctx context.Context, node string) error
	StartManager(ctx context.Context, node string) error
}
