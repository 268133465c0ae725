// SPDX-License-Identifier: Apache-2.0

package cluster

// Fittings are what was set up on a node besides the machine itself, and what
// is placed by: a replacement without them is another kind of node.
type Fittings struct {
	Labels map[string]string `json:"labels,omitempty"`
	// Taints are spelled key=value:Effect.
	Taints []string `json:"taints,omitempty"`
	// Storage is by driver.
	Storage map[string]StorageFittings `json:"storage,omitempty"`
}

// StorageFittings are what was set up on a storage node.
type StorageFittings struct {
	Tags []string `json:"tags,omitempty"`
	// Disks are by path.
	Disks map[string]DiskFittings `json:"disks,omitempty"`
}

// DiskFittings are what was set up on one disk.
type DiskFittings struct {
	Tags []string `json:"tags,omitempty"`
	// Reserved, in bytes, was chosen for a disk of Maximum bytes.
	Reserved int64 `json:"reserved,omitempty"`
	Maximum  int64 `json:"maximum,omitempty"`
}
