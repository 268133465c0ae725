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
	// first is, by the number of a stem, where the first of its objects is; each
	// object begins with the place of the next.
	first []place
	// blocks hold the packed objects, each after its link and its length. unused
	// bytes are of objects that were replaced or dropped.
	blocks       [][]byte
	used, unused int
	scratch      []byte
	// touched are the stems of what was put or dropped since Changed was asked;
	// nil where it never was.
	touched map[uint32]bool
}

// key is a UID in sixteen bytes.
type key [16]byte

// place is a block and a position in it; 0 is none.
type place uint32

const (
	blockBits = 16
	blockSize = 1 << blockBits
	// linkSize is what a place takes at the head of an object.
	linkSize = 4
)

// NewShelf returns an empty shelf, whose objects share the words. stem may be
// nil. It panics where T has a field of a kind that cannot be packed.
func NewShelf[T any](words *Words, stem func(*T) string) *Shelf[T] {
	packable(reflect.TypeFor[T]())
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
	stem := ""
	if s.stem != nil {
		stem = s.stem(o)
	}
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
	s.unlink(p)
	delete(s.at, k)
	if s.unused > blockSize && s.unused > s.used/2 {
		s.tidy()
	}
}

// touch notes that something of the packed object's stem is different now.
func (s *Shelf[T]) touch(b []byte) {
	if s.touched != nil {
		s.touched[stemOf(b)] = true
	}
}

// stemOf is the number of a packed object's stem.
func stemOf(b []byte) uint32 {
	n, _ := binary.Uvarint(b)
	return uint32(n)
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
	s.first = make([]place, len(old.first))
	for k, p := range old.at {
		s.at[k] = s.append(old.bytes(p))
	}
}

func (s *Shelf[T]) append(b []byte) place {
	const most = linkSize + binary.MaxVarintLen32
	last := len(s.blocks) - 1
	if last < 0 || len(s.blocks[last])+len(b)+most > cap(s.blocks[last]) {
		s.blocks = append(s.blocks, make([]byte, 1, max(blockSize, 1+len(b)+most)))
		last++
	}
	p := place(last<<blockBits | len(s.blocks[last]))
	s.blocks[last] = binary.LittleEndian.AppendUint32(s.blocks[last], uint32(s.lead(stemOf(b), p)))
	s.blocks[last] = append(binary.AppendUvarint(s.blocks[last], uint64(len(b))), b...)
	s.used += len(b)
	return p
}

// lead puts the place before the others of its stem, and returns the one that
// was the first. Without stems nobody asks for what belongs together.
func (s *Shelf[T]) lead(stem uint32, p place) place {
	if s.stem == nil {
		return 0
	}
	if int(stem) >= len(s.first) {
		s.first = append(s.first, make([]place, len(s.words.all)-len(s.first))...)
	}
	next := s.first[stem]
	s.first[stem] = p
	return next
}

// unlink takes the place out from among those of its stem.
func (s *Shelf[T]) unlink(p place) {
	if s.stem == nil {
		return
	}
	stem, next := stemOf(s.bytes(p)), s.next(p)
	if s.first[stem] == p {
		s.first[stem] = next
		return
	}
	for before := s.first[stem]; before != 0; before = s.next(before) {
		if s.next(before) == p {
			binary.LittleEndian.PutUint32(s.blocks[before>>blockBits][before%blockSize:], uint32(next))
			return
		}
	}
}

// next is the place of the next object of the same stem.
func (s *Shelf[T]) next(p place) place {
	return place(binary.LittleEndian.Uint32(s.blocks[p>>blockBits][p%blockSize:]))
}

func (s *Shelf[T]) bytes(p place) []byte {
	b := s.blocks[p>>blockBits][p%blockSize+linkSize:]
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

// Stems are those of which there is an object, in no order that means anything.
func (s *Shelf[T]) Stems() []string {
	var out []string
	for i, p := range s.first {
		if p != 0 {
			out = append(out, s.words.all[i])
		}
	}
	return out
}

// Has reports whether there is an object of that stem.
func (s *Shelf[T]) Has(stem string) bool { return s.firstOf(stem) != 0 }

func (s *Shelf[T]) firstOf(stem string) place {
	i, ok := s.words.index[stem]
	if !ok || int(i) >= len(s.first) {
		return 0
	}
	return s.first[i]
}

// Of returns the objects of that stem, in no order.
func (s *Shelf[T]) Of(stem string) []*T {
	var out []*T
	for p := s.firstOf(stem); p != 0; p = s.next(p) {
		out = append(out, s.unpack(p))
	}
	return out
}
