// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Placer knows a storage system's placement rules. It is pure.
type Placer interface {
	// Place says where the storage would put the successors of the replicas on
	// the leaving node, one after the other, each taking its space; with an
	// empty name, the replicas that its volumes lack. The nodes are Kubernetes'
	// own; leaving is the name that the storage uses.
	Place(s *cluster.Snapshot, st *cluster.Storage, leaving string) []Placement
}

// Insister is a Placer whose storage may insist on moving replicas away before
// it lets a node be drained.
type Insister interface {
	// Insists names the volumes whose replicas it would move off the cordoned
	// node by itself, and the setting that says so; none where it does not.
	Insists(st *cluster.Storage, node string) (setting string, volumes []string)
}

// Sceptic is a Placer that knows when its storage's own moving of replicas is
// not to be trusted, and what it would have to know for a forecast.
type Sceptic interface {
	// Distrust says why evacuating the node may never end although every
	// replica has a place; empty for nothing.
	Distrust(st *cluster.Storage, node string) string
	// Unread names the kinds that were not read and without which its answers
	// rest on defaults.
	Unread(st *cluster.Storage) []string
}

// Placement is where one replica would go.
type Placement struct {
	Volume string `json:"volume"`
	// Replica is the one whose successor it is; empty for one that is lacking.
	Replica string `json:"replica,omitempty"`
	// Node and Disk are empty where it fits nowhere.
	Node string `json:"node,omitempty"`
	Disk string `json:"disk,omitempty"`
	// Bytes is how much the storage will copy at most.
	Bytes int64 `json:"bytes,omitempty"`
	// Why says in one sentence why it fits nowhere.
	Why string `json:"why,omitempty"`
	// Unclear: it fits nowhere only as long as something is not known.
	Unclear bool `json:"unclear,omitempty"`
	// Ways are what would make it possible, the least change first.
	Ways []Way `json:"ways,omitempty"`
}

// WayKind is a kind of change that makes a placement possible.
type WayKind string

// The kinds of ways out.
const (
	// WayNode: another node.
	WayNode WayKind = "node"
	// WayCount: fewer replicas of the volume.
	WayCount WayKind = "count"
	// WaySetting: another value of a setting, of the storage or of the volume.
	WaySetting WayKind = "setting"
	// WaySpace: more space on a disk.
	WaySpace WayKind = "space"
	// WayRepair: something of the volume must end, or be put right, first.
	WayRepair WayKind = "repair"
)

// Way is one change that would make a placement possible.
type Way struct {
	Kind WayKind `json:"kind"`
	Says string  `json:"says"`
}

// Forecast is what would become of a node's replicas.
type Forecast struct {
	Node   string      `json:"node,omitempty"`
	Placed []Placement `json:"placed,omitempty"`
	Stuck  []Placement `json:"stuck,omitempty"`
	Bytes  int64       `json:"bytes"`
}

// Fits reports whether every replica has a place: the storage's eviction ends
// only then, so it is all or nothing.
func (f Forecast) Fits() bool { return len(f.Stuck) == 0 }

func (f *Forecast) add(at Placement) {
	if at.Node == "" {
		f.Stuck = append(f.Stuck, at)
		return
	}
	f.Placed = append(f.Placed, at)
	f.Bytes += at.Bytes
}

// Evacuation asks the placers, by driver, where every replica of the node
// would go now. A storage without a placer cannot be forecast: each of its
// replicas on the node is stuck.
func Evacuation(s *cluster.Snapshot, placers map[string]Placer, node string) Forecast {
	return Begin(s, placers).Evict(node)
}

func unplaceable(st *cluster.Storage, node string) []Placement {
	var out []Placement
	for i := range st.Volumes {
		for _, r := range st.Volumes[i].Replicas {
			if r.Node == node && node != "" {
				out = append(out, Placement{
					Volume: st.Volumes[i].Name, Replica: r.Name, Unclear: true,
					Why: "nothing knows how " + st.Driver + " places replicas",
				})
			}
		}
	}
	return out
}
