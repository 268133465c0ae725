// SPDX-License-Identifier: Apache-2.0

// Package forecast says where replicas would go if a node left.
//
// It is pure. The rules of placement belong to the storage: they are behind
// Placer, which a plugin implements. This package must never hold a formula
// of one storage system.
//
// Start reading at Evacuation.
package forecast

import (
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Placer knows a storage system's placement rules. It is pure.
type Placer interface {
	// Place says for every replica on the leaving node where the storage would
	// put its successor, one after the other, each taking its space. The nodes
	// are Kubernetes' own; leaving is the name that the storage uses.
	Place(s *cluster.Snapshot, st *cluster.Storage, leaving string) []Placement
}

// Placement is where one replica would go.
type Placement struct {
	Volume  string `json:"volume"`
	Replica string `json:"replica"`
	// Node and Disk are empty where it fits nowhere.
	Node string `json:"node,omitempty"`
	Disk string `json:"disk,omitempty"`
	// Bytes is how much the storage will copy at most.
	Bytes int64 `json:"bytes,omitempty"`
	// Why says in one sentence why it fits nowhere.
	Why string `json:"why,omitempty"`
}

// Forecast is what would become of a node's replicas.
type Forecast struct {
	Node   string      `json:"node"`
	Placed []Placement `json:"placed,omitempty"`
	Stuck  []Placement `json:"stuck,omitempty"`
	Bytes  int64       `json:"bytes"`
}

// Fits reports whether every replica has a place: the storage's eviction ends
// only then, so it is all or nothing.
func (f Forecast) Fits() bool { return len(f.Stuck) == 0 }

// Evacuation asks the placers, by driver, where every replica of the node
// would go. A storage without a placer cannot be forecast: each of its
// replicas on the node is stuck.
func Evacuation(s *cluster.Snapshot, placers map[string]Placer, node string) Forecast {
	f := Forecast{Node: node}
	for i := range s.Storages {
		st := &s.Storages[i]
		p := placers[st.Driver]
		if p == nil {
			f.Stuck = append(f.Stuck, unplaceable(st, node)...)
			continue
		}
		for _, at := range p.Place(s, st, node) {
			if at.Node == "" {
				f.Stuck = append(f.Stuck, at)
				continue
			}
			f.Placed = append(f.Placed, at)
			f.Bytes += at.Bytes
		}
	}
	return f
}

func unplaceable(st *cluster.Storage, node string) []Placement {
	var out []Placement
	for i := range st.Volumes {
		for _, r := range st.Volumes[i].Replicas {
			if r.Node == node {
				out = append(out, Placement{
					Volume: st.Volumes[i].Name, Replica: r.Name,
					Why: "nothing knows how " + st.Driver + " places replicas",
				})
			}
		}
	}
	return out
}
