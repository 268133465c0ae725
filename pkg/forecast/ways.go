// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"fmt"
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// moreNodes is how many further nodes are tried.
const moreNodes = 3

// WaysOut adds to every stuck placement of an evacuation what would make it
// possible, beside what the placers say: one more node like the leaving one,
// and fewer replicas. Each is tried, not guessed.
func (c *Course) WaysOut(f Forecast) Forecast {
	if f.Fits() {
		return f
	}
	f.Stuck = slices.Clone(f.Stuck)
	node, fewer := c.withNodes(f.Node, f.Stuck), c.withFewer(f.Node, f.Stuck)
	for i := range f.Stuck {
		p := &f.Stuck[i]
		ways := slices.Clone(p.Ways)
		if says := node[p.Volume]; says != "" {
			ways = append(ways, Way{Kind: WayNode, Says: says})
		}
		if want := fewer[p.Volume]; want > 0 {
			ways = append(ways, Way{Kind: WayCount, Says: fmt.Sprintf("%d instead of %d replicas of volume %s", want, want+1, p.Volume)})
		}
		p.Ways = ways
	}
	return f
}

// withNodes says, by volume, with how many nodes more its replicas would have
// a place: empty ones like the leaving node, in its zone or in zones of their
// own.
func (c *Course) withNodes(node string, stuck []Placement) map[string]string {
	out := map[string]string{}
	for n := 1; n <= moreNodes; n++ {
		for _, zoned := range []string{"", " in another zone"} {
			wide := &Course{s: clone(c.s), placers: c.placers}
			for k := range n {
				wide.twin(node, fmt.Sprintf("%s+%d", node, k+1), zoned != "")
			}
			left := map[string]bool{}
			for _, p := range wide.worst(node).Stuck {
				left[p.Volume] = true
			}
			for _, p := range stuck {
				if !left[p.Volume] && out[p.Volume] == "" {
					out[p.Volume] = fmt.Sprintf("%s like %s%s", more(n), node, zoned)
				}
			}
			if len(left) == 0 {
				return out
			}
		}
	}
	return out
}

func more(n int) string {
	if n == 1 {
		return "one more node"
	}
	return fmt.Sprintf("%d more nodes", n)
}

// twin adds an empty node like the given one, under another name.
func (c *Course) twin(node, name string, ownZone bool) {
	n := c.s.Node(node)
	if n == nil {
		return
	}
	k := *n
	reborn(&k, c.now())
	k.Ref = cluster.NodeRef{Name: name, UID: cluster.UID(name)}
	c.s.Nodes = append(c.s.Nodes, k)
	for i := range c.s.Storages {
		st := &c.s.Storages[i]
		at := slices.IndexFunc(st.Nodes, func(sn cluster.StorageNode) bool { return sn.Name == node })
		if at < 0 {
			continue
		}
		sn := st.Nodes[at]
		sn.Disks = slices.Clone(sn.Disks)
		emptied(&sn, Replacement{}, c.held(node))
		for d := range sn.Disks {
			sn.Disks[d].UUID += name
		}
		sn.Name = name
		if ownZone {
			sn.Zone = name
		}
		st.Nodes = append(st.Nodes, sn)
	}
}

// withFewer says, by volume, the replica count at which the stuck ones would
// fit: one less than now, and never a single copy.
func (c *Course) withFewer(node string, stuck []Placement) map[string]int {
	out := map[string]int{}
	for _, p := range stuck {
		out[p.Volume] = 0
	}
	fewer := &Course{s: clone(c.s), placers: c.placers}
	each(fewer.s, func(v *cluster.Volume) {
		if _, ok := out[v.Name]; ok && v.Want > max(v.Need, 2) {
			v.Want--
			out[v.Name] = v.Want
		}
	})
	for _, p := range fewer.ask(node, nil).Stuck {
		delete(out, p.Volume)
	}
	return out
}

// DiskFor is the smallest disk, in bytes and whole GiB, with which the node's
// replacement would take what must be rebuilt; 0 where none does up to the old
// one's size.
func (c *Course) DiskFor(node string) int64 {
	const gib = int64(1) << 30
	fits := func(size int64) bool { return c.Refill(node, Replacement{Disk: size}).Fits() }
	low, high := int64(0), c.largest(node)/gib+1 // in GiB: low does not fit
	if !fits(high * gib) {
		return 0
	}
	for high-low > 1 {
		if mid := (low + high) / 2; fits(mid * gib) {
			high = mid
		} else {
			low = mid
		}
	}
	return high * gib
}

// DisksFor is the smallest size, in bytes and whole GiB, of the disks of these
// nodes with which everything that is lacking now would have a place; 0 where
// larger disks help nothing.
func (c *Course) DisksFor(nodes map[string]bool) int64 {
	const gib, most = int64(1) << 30, int64(1) << 20
	fits := func(size int64) bool {
		larger := &Course{s: clone(c.s), placers: c.placers}
		larger.grow(nodes, size)
		return larger.worst("").Fits()
	}
	low, high := int64(0), int64(1) // in GiB: low does not fit
	for !fits(high * gib) {
		if high >= most {
			return 0
		}
		low, high = high, high*2
	}
	for high-low > 1 {
		if mid := (low + high) / 2; fits(mid * gib) {
			high = mid
		} else {
			low = mid
		}
	}
	return high * gib
}

// grow makes every disk of the nodes at least that large.
func (c *Course) grow(nodes map[string]bool, size int64) {
	for i := range c.s.Storages {
		for _, sn := range c.s.Storages[i].Nodes {
			if !nodes[sn.Name] {
				continue
			}
			for k := range sn.Disks {
				if d := &sn.Disks[k]; d.Maximum < size {
					d.Available += size - d.Maximum
					d.Maximum, d.Schedulable = size, cluster.Yes
				}
			}
		}
	}
}

// largest is the size of the node's largest disk, in bytes.
func (c *Course) largest(node string) int64 {
	var most int64
	for i := range c.s.Storages {
		for _, sn := range c.s.Storages[i].Nodes {
			if sn.Name != node {
				continue
			}
			for _, d := range sn.Disks {
				most = max(most, d.Maximum)
			}
		}
	}
	return most
}
