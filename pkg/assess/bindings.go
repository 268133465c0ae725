// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"cmp"
	"slices"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// bindings finds PersistentVolumes by the volumes that they refer to. There are
// as many as volumes, so the index is no more than their order.
type bindings struct {
	all []cluster.PersistentVolume
	// order are positions in all, sorted by what those refer to, each once; found
	// says which of them were asked for, and so have their volume.
	order []int32
	found []bool
	// next is behind the last one that was found: who asks in order need not
	// search.
	next int
}

// newBindings indexes the list; before, if not nil, is an index of the same one.
func newBindings(all []cluster.PersistentVolume, before *bindings) bindings {
	b := bindings{all: all}
	if before != nil {
		b.order = before.order
	} else {
		b.sort()
	}
	b.found = make([]bool, len(b.order))
	return b
}

func (b *bindings) sort() {
	b.order = make([]int32, len(b.all))
	for i := range b.order {
		b.order[i] = int32(i)
	}
	slices.SortStableFunc(b.order, func(i, k int32) int { return b.compare(i, b.all[k].Driver, b.all[k].Handle) })
	n := 0
	for _, i := range b.order {
		pv := &b.all[i]
		switch {
		case n == 0 || b.compare(b.order[n-1], pv.Driver, pv.Handle) != 0:
			b.order[n] = i
			n++
		case pv.Bound && !b.all[b.order[n-1]].Bound: // a claim that is bound says more than one that is not
			b.order[n-1] = i
		}
	}
	b.order = b.order[:n]
}

func (b *bindings) compare(i int32, driver, handle string) int {
	pv := &b.all[i]
	return cmp.Or(cmp.Compare(pv.Driver, driver), cmp.Compare(pv.Handle, handle))
}

// at returns where in the order the volume of that handle is.
func (b *bindings) at(driver, handle string) (int, bool) {
	if b.next < len(b.order) && b.compare(b.order[b.next], driver, handle) == 0 {
		b.next++
		return b.next - 1, true
	}
	i, ok := slices.BinarySearchFunc(b.order, handle, func(i int32, handle string) int { return b.compare(i, driver, handle) })
	if ok {
		b.next = i + 1
	}
	return i, ok
}

// of returns the PersistentVolume that refers to the volume, or nil, and
// remembers that the volume is there.
func (b *bindings) of(driver string, v *cluster.Volume) *cluster.PersistentVolume {
	handle := v.Handle
	if handle == "" {
		handle = v.Name
	}
	i, ok := b.at(driver, handle)
	if !ok {
		return nil
	}
	b.found[i] = true
	return &b.all[b.order[i]]
}

// lacks reports whether nobody asked for the volume that it refers to.
func (b *bindings) lacks(pv *cluster.PersistentVolume) bool {
	i, ok := b.at(pv.Driver, pv.Handle)
	return !ok || !b.found[i]
}
