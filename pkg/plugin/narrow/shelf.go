// SPDX-License-Identifier: Apache-2.0

package narrow

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash/maphash"
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
	at   index // places
	// first is, by the number of a stem, where the first of its objects is; each
	// object begins with the place of the next.
	first []place
	// blocks hold the packed objects, each after its link, its key and its length.
	// unused bytes are of objects that were replaced or dropped.
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
type place = uint32

const (
	blockBits = 16
	blockSize = 1 << blockBits
	// linkSize is what a place takes at the head of an object, and headSize what
	// it takes with the key.
	linkSize = 4
	headSize = linkSize + len(key{})
)

// NewShelf returns an empty shelf, whose objects share the words. stem may be
// nil. It panics where T has a field of a kind that cannot be packed.
func NewShelf[T any](words *Words, stem func(*T) string) *Shelf[T] {
	packable(reflect.TypeFor[T]())
	return &Shelf[T]{words: words, stem: stem, at: newIndex()}
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
	k := keyOf(uid)
	p := packer{words: s.words, stem: stem, key: k, buf: s.scratch[:0]}
	p.buf = binary.AppendUvarint(p.buf, uint64(s.words.of(stem)))
	p.write(reflect.ValueOf(o).Elem(), false)
	s.scratch = p.buf
	if old, _ := s.find(k); old != 0 && bytes.Equal(s.bytes(old), p.buf) {
		return false
	}
	s.drop(k)
	s.append(k, p.buf)
	s.touch(p.buf)
	return true
}

// find returns the place of the object with that key, or 0, and its slot.
func (s *Shelf[T]) find(k key) (p place, slot int) {
	return s.at.find(maphash.Bytes(s.at.seed, k[:]), func(p place) bool { return s.key(p) == k })
}

func (s *Shelf[T]) hash(p place) uint64 {
	k := s.key(p)
	return maphash.Bytes(s.at.seed, k[:])
}

// Drop forgets the object with that UID.
func (s *Shelf[T]) Drop(uid cluster.UID) { s.drop(keyOf(uid)) }

func (s *Shelf[T]) drop(k key) {
	p, slot := s.find(k)
	if p == 0 {
		return
	}
	s.unused += len(s.bytes(p))
	s.touch(s.bytes(p))
	s.unlink(p)
	s.at.remove(slot, s.hash)
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
	s.first, s.at = make([]place, len(old.first)), newIndex()
	for _, p := range old.at.slots {
		if p != 0 {
			s.append(old.key(p), old.bytes(p))
		}
	}
}

// append keeps the packed object under a key that has none.
func (s *Shelf[T]) append(k key, b []byte) {
	const most = headSize + binary.MaxVarintLen32
	last := len(s.blocks) - 1
	if last < 0 || len(s.blocks[last])+len(b)+most > cap(s.blocks[last]) {
		s.blocks = append(s.blocks, make([]byte, 1, max(blockSize, 1+len(b)+most)))
		last++
	}
	p := place(last<<blockBits | len(s.blocks[last]))
	to := binary.LittleEndian.AppendUint32(s.blocks[last], s.lead(stemOf(b), p))
	to = binary.AppendUvarint(append(to, k[:]...), uint64(len(b)))
	s.blocks[last] = append(to, b...)
	s.used += len(b)
	_, slot := s.find(k)
	s.at.add(p, slot, s.hash)
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
			binary.LittleEndian.PutUint32(s.blocks[before>>blockBits][before%blockSize:], next)
			return
		}
	}
}

// next is the place of the next object of the same stem.
func (s *Shelf[T]) next(p place) place {
	return binary.LittleEndian.Uint32(s.blocks[p>>blockBits][p%blockSize:])
}

func (s *Shelf[T]) key(p place) key {
	return key(s.blocks[p>>blockBits][p%blockSize+linkSize:])
}

func (s *Shelf[T]) bytes(p place) []byte {
	b := s.blocks[p>>blockBits][int(p%blockSize)+headSize:]
	n, size := binary.Uvarint(b)
	return b[size : size+int(n)]
}

// unpack returns the object at that place.
func (s *Shelf[T]) unpack(at place) *T {
	p := packer{words: s.words, key: s.key(at), buf: s.bytes(at)}
	p.stem = s.words.all[p.uvarint()]
	o := new(T)
	p.read(reflect.ValueOf(o).Elem())
	return o
}

// Len is how many objects there are.
func (s *Shelf[T]) Len() int { return s.at.used }

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
	if p, _ := s.find(keyOf(uid)); p != 0 {
		return s.unpack(p)
	}
	return nil
}

// All yields every object, each unpacked for whoever asks, in no order.
func (s *Shelf[T]) All() iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for _, p := range s.at.slots {
			if p != 0 && !yield(s.unpack(p)) {
				return
			}
		}
	}
}

// Stems are those of which there is an object, in no order that means anything.
func (s *Shelf[T]) Stems() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i, p := range s.first {
			if p != 0 && !yield(s.words.all[i]) {
				return
			}
		}
	}
}

// Has reports whether there is an object of that stem.
func (s *Shelf[T]) Has(stem string) bool { return s.firstOf(stem) != 0 }

func (s *Shelf[T]) firstOf(stem string) place {
	n, _ := s.words.find(stem)
	if n == 0 || int(n) > len(s.first) {
		return 0
	}
	return s.first[n-1]
}

// Of returns the objects of that stem, in no order.
func (s *Shelf[T]) Of(stem string) []*T {
	var out []*T
	for p := s.firstOf(stem); p != 0; p = s.next(p) {
		out = append(out, s.unpack(p))
	}
	return out
}
