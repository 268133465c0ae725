// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"sort"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// nodeFacts translates the nodes with what other objects say of them, sorted
// by name.
func (j *join) nodeFacts() []cluster.StorageNode {
	serving := j.serving()
	j.addHolds()
	runtimes := map[string][]string{}
	for _, i := range j.engineImages {
		for name, ready := range i.nodes {
			if ready && i.Deleted == nil {
				runtimes[name] = append(runtimes[name], i.image)
			}
		}
	}
	out := make([]cluster.StorageNode, 0, len(j.nodes))
	for _, n := range sortedBy(j.nodes, func(n *node) string { return n.Name }) {
		f := n.fact()
		f.Serving = serving(n.Name)
		f.Holds = len(j.holds[n.Name])
		f.Runtimes = runtimes[n.Name]
		sort.Strings(f.Runtimes)
		out = append(out, f)
	}
	j.holds = nil // they are counted, and the rest of the joining may take long
	return out
}

// serving answers whether a node's instance managers run. Up to Longhorn 1.4
// a node has two, one for engines and one for replicas, and needs both.
// Where no instance manager was read at all, nothing is known.
func (j *join) serving() func(node string) cluster.Answer {
	type roles struct{ whole, engine, replica, unknown bool }
	seen := map[string]roles{}
	for _, m := range j.managers {
		r := seen[m.node]
		switch {
		case m.state == "running" && m.Deleted == nil:
			r.engine = r.engine || m.kind == "engine"
			r.replica = r.replica || m.kind == "replica"
			r.whole = r.whole || m.kind != "engine" && m.kind != "replica"
		case m.state == "unknown":
			r.unknown = true
		}
		seen[m.node] = r
	}
	return func(node string) cluster.Answer {
		r := seen[node]
		switch {
		case r.whole || r.engine && r.replica:
			return yes
		case r.unknown || len(j.managers) == 0:
			return cluster.Unknown
		default:
			return no
		}
	}
}

// nodeHolds are, by node, the engines and shares that are said to run there: by
// the engines themselves, by the instance managers, and by the share managers.
type nodeHolds map[string]map[string]bool

func (h nodeHolds) add(node, what string) {
	if node == "" {
		return
	}
	if h[node] == nil {
		h[node] = map[string]bool{}
	}
	h[node][what] = true
}

// addHolds adds what the managers say.
func (j *join) addHolds() {
	for _, m := range j.managers {
		if m.state == "error" || m.state == "stopped" {
			continue // its processes went with it
		}
		for _, e := range m.engines {
			j.holds.add(m.node, e)
		}
	}
	for _, s := range j.shares {
		if s.state != "stopped" && s.state != "error" && s.state != "" {
			j.holds.add(s.node, "share "+s.Name)
		}
	}
}

// bases translates the backing images, sorted by name.
func (j *join) bases() []cluster.Base {
	var out []cluster.Base
	for _, b := range sortedBy(j.backingImages, func(b *backingImage) string { return b.Name }) {
		f := cluster.Base{Name: b.Name, UID: b.UID, Created: b.Created.time(), NodeTags: b.nodeTags, DiskTags: b.diskTags}
		for _, disk := range sortedKeys(b.copies) {
			c := cluster.BaseCopy{DiskUUID: disk}
			switch b.copies[disk].State {
			case "ready":
				c.Ready, c.ReadyAt = yes, b.copies[disk].Since.time()
			case "", "unknown":
			default:
				c.Ready = no
			}
			f.Copies = append(f.Copies, c)
		}
		out = append(out, f)
	}
	return out
}
