// SPDX-License-Identifier: Apache-2.0

package narrow

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"reflect"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Shelf keeps the objects of one kind by UID, packed into few large pieces of
// memory without pointers: a large cluster has a hundred thousand of them, and
// whoever looks for garbage need not look here.
type Shelf[T any] struct {
	words *Words
	// stem is what an object's texts often begin with; empty for nothing.
	stem func(*T) string
	at   map[key]place
	// blocks hold the packed objects, each after its length. unused bytes are
	// of objects that were replaced or dropped.
	blocks       [][]byte
	used, unused int
	scratch      []byte
	// touched are the stems of what was put or dropped since Changed was asked;
	// nil where it never was.
	touched map[uint32]bool
}

// key is a UID in sixteen bytes.
type key [16]byte

// place is a block and a position in it.
type place uint32

const (
	blockBits = 16
	blockSize = 1 << blockBits
)

// NewShelf returns an empty shelf, whose objects share the words. stem may be
// nil. It panics where T has a field of a kind that cannot be packed.
func NewShelf[T any](words *Words, stem func(*T) string) *Shelf[T] {
	packable(reflect.TypeFor[T]())
	if stem == nil {
		stem = func(*T) string { return "" }
	}
	return &Shelf[T]{words: words, stem: stem, at: map[key]place{}}
}

// keyOf returns the key of a UID; one that is no UUID is hashed.
func keyOf(uid cluster.UID) key {
	if raw, ok := uuidOf(string(uid)); ok {
		return raw
	}
	sum := sha256.Sum256([]byte(uid))
	return key(sum[:16])
}

// Put keeps the object in place of its predecessor, and reports whether it
// differs from that.
func (s *Shelf[T]) Put(uid cluster.UID, o *T) bool {
	stem := s.stem(o)
	p := packer{words: s.words, stem: stem, buf: s.scratch[:0]}
	p.buf = binary.AppendUvarint(p.buf, uint64(s.words.of(stem)))
	p.write(reflect.ValueOf(o).Elem(), false)
	s.scratch = p.buf
	k := keyOf(uid)
	old, known := s.at[k]
	if known && bytes.Equal(s.bytes(old), p.buf) {
		return false
	}
	s.Drop(uid)
	s.at[k] = s.append(p.buf)
	s.touch(p.buf)
	return true
}

// Drop forgets the object with that UID.
func (s *Shelf[T]) Drop(uid cluster.UID) {
	k := keyOf(uid)
	p, ok := s.at[k]
	if !ok {
		return
	}
	s.unused += len(s.bytes(p))
	s.touch(s.bytes(p))
	delete(s.at, k)
	if s.unused > blockSize && s.unused > s.used/2 {
		s.tidy()
	}
}

// touch notes that something of the packed object's stem is different now.
func (s *Shelf[T]) touch(b []byte) {
	if s.touched != nil {
		n, _ := binary.Uvarint(b)
		s.touched[uint32(n)] = true
	}
}

// Changed returns the stems of what was put or dropped since it was asked
// before. known is false where it never was: then anything may be different.
func (s *Shelf[T]) Changed() (stems []string, known bool) {
	known = s.touched != nil
	for n := range s.touched {
		stems = append(stems, s.words.all[n])
	}
	s.touched = map[uint32]bool{}
	return stems, known
}

// tidy moves what is used into new blocks.
func (s *Shelf[T]) tidy() {
	old := *s
	s.blocks, s.used, s.unused = nil, 0, 0
	for k, p := range old.at {
		s.at[k] = s.append(old.bytes(p))
	}
}

func (s *Shelf[T]) append(b []byte) place {
	last := len(s.blocks) - 1
	if last < 0 || len(s.blocks[last])+len(b)+binary.MaxVarintLen32 > cap(s.blocks[last]) {
		s.blocks = append(s.blocks, make([]byte, 0, max(blockSize, len(b)+binary.MaxVarintLen32)))
		last++
	}
	p := place(last<<blockBits | len(s.blocks[last]))
	s.blocks[last] = append(binary.AppendUvarint(s.blocks[last], uint64(len(b))), b...)
	s.used += len(b)
	return p
}

func (s *Shelf[T]) bytes(p place) []byte {
	b := s.blocks[p>>blockBits][p%blockSize:]
	n, size := binary.Uvarint(b)
	return b[size : size+int(n)]
}

// unpack returns the object at that place.
func (s *Shelf[T]) unpack(at place) *T {
	p := packer{words: s.words, buf: s.bytes(at)}
	p.stem = s.words.all[p.uvarint()]
	o := new(T)
	p.read(reflect.ValueOf(o).Elem())
	return o
}

// Len is how many objects there are.
func (s *Shelf[T]) Len() int { return len(s.at) }

// Size is how many bytes its blocks take.
func (s *Shelf[T]) Size() int {
	n := 0
	for _, b := range s.blocks {
		n += cap(b)
	}
	return n
}

// Get returns the object with that UID, or nil.
func (s *Shelf[T]) Get(uid cluster.UID) *T {
	if p, ok := s.at[keyOf(uid)]; ok {
		return s.unpack(p)
	}
	return nil
}

// All yields every object, each unpacked for whoever asks, in no order.
func (s *Shelf[T]) All() iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for _, p := range s.at {
			if !yield(s.unpack(p)) {
				return
			}
		}
	}
}

// Grouped is a shelf's present contents by stem.
type Grouped[T any] struct {
	shelf *Shelf[T]
	// first is, by the number of the stem, where its places begin.
	first  []uint32
	places []place
}

// Group sorts the shelf's places by stem. What is put or dropped afterwards
// makes it void.
func (s *Shelf[T]) Group() Grouped[T] {
	g := Grouped[T]{shelf: s, first: make([]uint32, len(s.words.all)+1), places: make([]place, len(s.at))}
	stem := func(p place) uint64 { n, _ := binary.Uvarint(s.bytes(p)); return n }
	for _, p := range s.at {
		g.first[stem(p)+1]++
	}
	for i := 1; i < len(g.first); i++ {
		g.first[i] += g.first[i-1]
	}
	next := append([]uint32(nil), g.first...)
	for _, p := range s.at {
		n := stem(p)
		g.places[next[n]] = p
		next[n]++
	}
	return g
}

// Stems are those of which there is an object, in no order that means anything.
func (g Grouped[T]) Stems() []string {
	var out []string
	for i := range len(g.first) - 1 {
		if g.first[i+1] > g.first[i] {
			out = append(out, g.shelf.words.all[i])
		}
	}
	return out
}

// Count is how many objects of that stem there are.
func (g Grouped[T]) Count(stem string) int {
	i, ok := g.shelf.words.index[stem]
	if !ok || int(i)+1 >= len(g.first) {
		return 0
	}
	return int(g.first[i+1] - g.first[i])
}

// Of returns the objects of that stem, in no order.
func (g Grouped[T]) Of(stem string) []*T {
	n := g.Count(stem)
	if n == 0 {
		return nil
	}
	i := g.shelf.words.index[stem]
	out := make([]*T, 0, n)
	for _, p := range g.places[g.first[i]:g.first[i+1]] {
		out = append(out, g.shelf.unpack(p))
	}
	return out
}
