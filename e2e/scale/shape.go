// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"crypto/sha256"
	"fmt"
)

// Shape is the size of a cluster.
type Shape struct {
	// Volumes, each with Replicas replicas, on Nodes nodes of one disk each.
	Volumes, Replicas, Nodes int
}

// ShapeFor returns the shape of a cluster with that many volumes: three
// replicas each, and a node for every fifty volumes, from three to a thousand.
func ShapeFor(volumes int) Shape {
	return Shape{Volumes: volumes, Replicas: 3, Nodes: min(max(volumes/50, 3), 1000)}
}

// String says the shape in a line.
func (s Shape) String() string {
	return fmt.Sprintf("%d volumes, %d replicas, %d nodes", s.Volumes, s.Volumes*s.Replicas, s.Nodes)
}

// attached reports whether volume i is in use: three of ten are, as in a
// service whose users come and go.
func (s Shape) attached(i int) bool { return i%10 < 3 }

// Phantom is the name of the one volume that is not whole: it is detached,
// Longhorn says nothing bad of it, and one of its replicas lies on a disk that
// is gone.
func (s Shape) Phantom() string { return volumeName(s.phantom()) }

func (s Shape) phantom() int { return s.Volumes/20*10 + 9 }

// place returns the node of replica k of volume i.
func (s Shape) place(i, k int) int { return (i*7 + k) % s.Nodes }

func volumeName(i int) string { return "pvc-" + id("volume", i) }

func nodeName(n int) string { return fmt.Sprintf("worker-%04d", n) }

func diskUUID(n int) string { return id("disk", n) }

func replicaName(i, k int) string {
	return fmt.Sprintf("%s-r-%s", volumeName(i), id("replica", i*16+k)[:8])
}

// id is a UUID that is the same in each run.
func id(what string, n int) string {
	b := sha256.Sum256(fmt.Appendf(nil, "%s %d", what, n))
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
