// SPDX-License-Identifier: Apache-2.0

package narrow

// Words keeps each word once: names of nodes, states, paths and the like, which
// thousands of objects repeat.
type Words struct {
	index map[string]uint32
	all   []string
}

// NewWords returns a table without words.
func NewWords() *Words { return &Words{index: map[string]uint32{}} }

// of returns the word's number, a new one where it is new.
func (w *Words) of(word string) uint32 {
	if i, ok := w.index[word]; ok {
		return i
	}
	// The word may be a part of something larger, which it must not hold.
	word = string(append([]byte(nil), word...))
	i := uint32(len(w.all))
	w.index[word], w.all = i, append(w.all, word)
	return i
}
