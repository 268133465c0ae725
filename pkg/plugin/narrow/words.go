// SPDX-License-Identifier: Apache-2.0

package narrow

import "hash/maphash"

// Words keeps each word once: names of nodes, states, paths and the like, which
// thousands of objects repeat.
type Words struct {
	all []string
	at  index // one more than the word's number
}

// NewWords returns a table without words.
func NewWords() *Words { return &Words{at: newIndex()} }

func (w *Words) hash(n uint32) uint64 { return maphash.String(w.at.seed, w.all[n-1]) }

// find returns one more than the word's number, or 0, and its slot.
func (w *Words) find(word string) (n uint32, slot int) {
	return w.at.find(maphash.String(w.at.seed, word), func(n uint32) bool { return w.all[n-1] == word })
}

// of returns the word's number, a new one where it is new.
func (w *Words) of(word string) uint32 {
	n, slot := w.find(word)
	if n == 0 {
		// The word may be a part of something larger, which it must not hold.
		w.all = append(w.all, string(append([]byte(nil), word...)))
		n = uint32(len(w.all))
		w.at.add(n, slot, w.hash)
	}
	return n - 1
}
