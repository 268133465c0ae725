// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sort"
	"strings"
)

// Node is a machine to be added.
type Node struct {
	Name string
	// Role is the suffix of the node-role.kubernetes.io label; "worker" nodes
	// carry storage, "control-plane" nodes do not.
	Role string
}

// Volume is a volume to be created, with a claim of the same name.
type Volume struct {
	Name     string
	Replicas int
	// Bytes is its size.
	Bytes int64
	// Local keeps its only replica where it is used; Shared lets pods on several
	// nodes use it at once; Standby follows a backup elsewhere; Image names what
	// it begins as a copy of.
	Local, Shared, Standby bool
	Image                  string
}

// Workload is a Deployment or StatefulSet, one pod unless Replicas says more.
type Workload struct {
	Name string
	// Volume that its pod mounts; empty for none.
	Volume   string
	Replicas int
}

// World is a cluster that can be built, broken and asked for the truth.
type World interface {
	// AddNode adds a machine with an empty disk and waits until it is usable.
	AddNode(ctx context.Context, n Node) error
	// PowerOff stops a machine; its objects stay. PowerOn brings it back with
	// its disk.
	PowerOff(ctx context.Context, node string) error
	PowerOn(ctx context.Context, node string) error
	// Recreate deletes the machine with its disk and its Node object, and adds
	// one with an empty disk under the name as, which may be the same. It waits
	// until the new one is usable.
	Recreate(ctx context.Context, node, as string) error
	// CreateVolume creates a volume that nobody has used yet.
	CreateVolume(ctx context.Context, v Volume) error
	// Run starts a workload and waits until it is ready; Stop ends it and waits
	// until its volume sleeps.
	Run(ctx context.Context, w Workload) error
	Stop(ctx context.Context, workload string) error
	// Write writes the bytes through the running workload that mounts the volume.
	Write(ctx context.Context, volume string, data []byte) error
	// Truth says which bytes really lie where, asked of the disks.
	Truth(ctx context.Context) (Truth, error)
}

// Copy is one replica directory that really exists on a disk that is there.
type Copy struct {
	Node      string
	Directory string
	// Sum is the hex SHA-256 of the bytes that were written, empty for a blank
	// or half-built copy.
	Sum string
}

// Truth is what lies on the disks, by volume.
type Truth map[string][]Copy

// Expected is what was written, by volume: the hex SHA-256 of its bytes.
type Expected map[string]string

// Sum is the hex SHA-256 of the bytes.
func Sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// Lost names the volumes of which no complete copy exists, sorted.
func (t Truth) Lost(e Expected) []string {
	return t.fewer(e, 1)
}

// Short names the volumes with fewer than want complete copies on distinct
// nodes, sorted.
func (t Truth) Short(e Expected, want int) []string {
	return t.fewer(e, want)
}

func (t Truth) fewer(e Expected, want int) []string {
	var out []string
	for volume, sum := range e {
		nodes := map[string]bool{}
		for _, c := range t[volume] {
			if c.Sum == sum {
				nodes[c.Node] = true
			}
		}
		if len(nodes) < want {
			out = append(out, volume)
		}
	}
	sort.Strings(out)
	return out
}

// Statement is what a world says at the end: how many volumes were compared
// and which of them are lost or short of copies.
func (t Truth) Statement(e Expected, want int) string {
	lost, short := t.Lost(e), t.Short(e, want)
	switch {
	case len(lost) > 0:
		return fmt.Sprintf("LOST: %d of %d volumes have no copy of their bytes on any disk: %s",
			len(lost), len(e), strings.Join(lost, ", "))
	case len(short) > 0:
		return fmt.Sprintf("nothing lost, but %d of %d volumes have fewer than %d copies: %s",
			len(short), len(e), want, strings.Join(short, ", "))
	default:
		return fmt.Sprintf("nothing lost: all %d volumes have their bytes, each on %d nodes", len(e), want)
	}
}
