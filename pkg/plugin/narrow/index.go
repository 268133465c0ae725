// SPDX-License-Identifier: Apache-2.0

package narrow

import "hash/maphash"

// index finds numbers, none of them 0, by the hash of what they stand for. It
// takes four bytes a slot, of which at most three in four are used: a map would
// hold what they stand for once more.
type index struct {
	seed  maphash.Seed
	slots []uint32
	used  int
}

func newIndex() index { return index{seed: maphash.MakeSeed(), slots: make([]uint32, 8)} }

// slot is where the search for that hash begins, or ends after a slot.
func (x *index) slot(hash uint64) int { return int(hash & uint64(len(x.slots)-1)) }

// find returns the number that is it and its slot, or 0 and the slot for it.
func (x *index) find(hash uint64, is func(uint32) bool) (n uint32, slot int) {
	for i := x.slot(hash); ; i = x.slot(uint64(i) + 1) {
		if n := x.slots[i]; n == 0 || is(n) {
			return n, i
		}
	}
}

// add puts the number into the slot that find returned for it. hash is that of
// any number here.
func (x *index) add(n uint32, slot int, hash func(uint32) uint64) {
	x.slots[slot] = n
	x.used++
	if 4*x.used <= 3*len(x.slots) {
		return
	}
	old := x.slots
	x.slots = make([]uint32, 2*len(old))
	for _, n := range old {
		if n != 0 {
			_, i := x.find(hash(n), func(uint32) bool { return false })
			x.slots[i] = n
		}
	}
}

// remove empties the slot. What follows moves up where a search for it would end
// at the gap.
func (x *index) remove(slot int, hash func(uint32) uint64) {
	x.used--
	for i := x.slot(uint64(slot) + 1); x.slots[i] != 0; i = x.slot(uint64(i) + 1) {
		home := x.slot(hash(x.slots[i]))
		if x.slot(uint64(i-home)) >= x.slot(uint64(i-slot)) {
			x.slots[slot], slot = x.slots[i], i
		}
	}
	x.slots[slot] = 0
}
