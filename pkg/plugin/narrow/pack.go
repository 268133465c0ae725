// SPDX-License-Identifier: Apache-2.0

package narrow

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// An object is packed field by field: for each struct a bit for every field
// that is not zero, and then those fields. Text is written as the number of a
// word, as what follows the stem (the name of what the object belongs to), as a
// UUID, which may be that of the object's key, or as it is: keys of maps, and
// fields that are tagged `keep:"own"` because hardly two objects share their
// words.
//
// The bytes never leave the process: what they mean may change with every
// build.

// The ways of writing text, in the lowest two bits of its head.
const (
	textUUID = iota
	textWord
	textOwn
	textStem
)

// packer writes or reads one object.
type packer struct {
	words *Words
	stem  string
	key   key
	at    int64 // the last time, in seconds: most follow each other closely
	buf   []byte
}

// textKey is the head of the UUID that is the object's key.
const textKey = 1<<2 + textUUID

const uuidLength = 36

func isTime(t reflect.Type) bool {
	return t.NumField() == 3 && t.ConvertibleTo(reflect.TypeFor[time.Time]())
}

// write appends a value that is not zero. own is whether its text is its own.
func (p *packer) write(v reflect.Value, own bool) {
	switch v.Kind() {
	case reflect.Struct:
		if isTime(v.Type()) {
			p.writeTime(v.Convert(reflect.TypeFor[time.Time]()).Interface().(time.Time))
			return
		}
		p.writeStruct(v, own)
	case reflect.String:
		p.writeText(v.String(), own)
	case reflect.Bool: // that it is there says that it is true
	case reflect.Int, reflect.Int64:
		p.buf = binary.AppendVarint(p.buf, v.Int())
	case reflect.Uint8:
		p.buf = append(p.buf, byte(v.Uint()))
	case reflect.Pointer:
		p.writeOptional(v.Elem(), own)
	case reflect.Slice:
		p.buf = binary.AppendUvarint(p.buf, uint64(v.Len()))
		for i := range v.Len() {
			p.writeOptional(v.Index(i), own)
		}
	case reflect.Map:
		p.buf = binary.AppendUvarint(p.buf, uint64(v.Len()))
		byKey := map[string]reflect.Value{}
		for k, e := range v.Seq2() {
			byKey[k.String()] = e
		}
		for _, k := range slices.Sorted(maps.Keys(byKey)) {
			p.writeText(k, true)
			p.writeOptional(byKey[k], own)
		}
	default:
		panic(unpackable(v.Type())) // packable has refused it before
	}
}

// packable panics where any part of the type cannot be packed. A shelf asks it
// when it is made, so that no object in a cluster is the first to find out.
func packable(t reflect.Type) {
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64, reflect.Uint8:
	case reflect.Pointer, reflect.Slice:
		packable(t.Elem())
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			panic(unpackable(t))
		}
		packable(t.Elem())
	case reflect.Struct:
		if isTime(t) {
			return
		}
		for i := range t.NumField() {
			packable(t.Field(i).Type)
		}
	default:
		panic(unpackable(t))
	}
}

func unpackable(t reflect.Type) string { return fmt.Sprintf("a %s cannot be packed", t) }

// writeOptional writes a value that may be zero.
func (p *packer) writeOptional(v reflect.Value, own bool) {
	if v.IsZero() {
		p.buf = append(p.buf, 0)
		return
	}
	p.buf = append(p.buf, 1)
	p.write(v, own)
}

func (p *packer) writeStruct(v reflect.Value, own bool) {
	t, at := v.Type(), len(p.buf)
	p.buf = append(p.buf, make([]byte, (v.NumField()+7)/8)...)
	for i := range v.NumField() {
		f := v.Field(i)
		if f.IsZero() {
			continue
		}
		p.buf[at+i/8] |= 1 << (i % 8)
		p.write(f, own || t.Field(i).Tag.Get("keep") == "own")
	}
}

func (p *packer) writeText(s string, own bool) {
	rest, follows := strings.CutPrefix(s, p.stem)
	raw, uuid := uuidOf(s)
	switch {
	case p.stem != "" && follows:
		p.buf = append(binary.AppendUvarint(p.buf, uint64(len(rest))<<2|textStem), rest...)
	case own && uuid && raw == p.key:
		p.buf = binary.AppendUvarint(p.buf, textKey)
	case own && uuid:
		p.buf = append(binary.AppendUvarint(p.buf, textUUID), raw[:]...)
	case own:
		p.buf = append(binary.AppendUvarint(p.buf, uint64(len(s))<<2|textOwn), s...)
	default:
		p.buf = binary.AppendUvarint(p.buf, uint64(p.words.of(s))<<2|textWord)
	}
}

func (p *packer) writeTime(t time.Time) {
	since, nanos := (t.Unix()-p.at)<<1, t.Nanosecond()
	p.at = t.Unix()
	if nanos == 0 {
		p.buf = binary.AppendVarint(p.buf, since)
		return
	}
	p.buf = binary.AppendVarint(p.buf, since|1)
	p.buf = binary.AppendUvarint(p.buf, uint64(nanos))
}

func (p *packer) time() time.Time {
	since, nanos := p.varint(), uint64(0)
	if since&1 != 0 {
		nanos = p.uvarint()
	}
	p.at += since >> 1
	return time.Unix(p.at, int64(nanos)).UTC()
}

// read fills in a value that was written, and is zero now.
func (p *packer) read(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if isTime(v.Type()) {
			v.Set(reflect.ValueOf(p.time()).Convert(v.Type()))
			return
		}
		mask := p.buf[:(v.NumField()+7)/8]
		p.buf = p.buf[len(mask):]
		for i := range v.NumField() {
			if mask[i/8]&(1<<(i%8)) != 0 {
				p.read(v.Field(i))
			}
		}
	case reflect.String:
		v.SetString(p.text())
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(p.varint())
	case reflect.Uint8:
		v.SetUint(uint64(p.buf[0]))
		p.buf = p.buf[1:]
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		p.readOptional(v.Elem())
	case reflect.Slice:
		n := int(p.uvarint())
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			p.readOptional(v.Index(i))
		}
	case reflect.Map:
		p.readMap(v)
	default:
		panic(unpackable(v.Type()))
	}
}

func (p *packer) readOptional(v reflect.Value) {
	is := p.buf[0] != 0
	p.buf = p.buf[1:]
	if is {
		p.read(v)
	}
}

func (p *packer) readMap(v reflect.Value) {
	n := int(p.uvarint())
	v.Set(reflect.MakeMapWithSize(v.Type(), n))
	for range n {
		k := reflect.New(v.Type().Key()).Elem()
		k.SetString(p.text())
		e := reflect.New(v.Type().Elem()).Elem()
		p.readOptional(e)
		v.SetMapIndex(k, e)
	}
}

func (p *packer) text() string {
	head := p.uvarint()
	n := int(head >> 2)
	switch head & 3 {
	case textWord:
		return p.words.all[n]
	case textUUID:
		if head == textKey {
			return spelledUUID(p.key[:])
		}
		s := spelledUUID(p.buf[:16])
		p.buf = p.buf[16:]
		return s
	}
	s := string(p.buf[:n])
	p.buf = p.buf[n:]
	if head&3 == textStem {
		if n == 0 {
			return p.stem
		}
		return p.stem + s
	}
	return s
}

func (p *packer) uvarint() uint64 {
	n, size := binary.Uvarint(p.buf)
	p.buf = p.buf[size:]
	return n
}

func (p *packer) varint() int64 {
	n, size := binary.Varint(p.buf)
	p.buf = p.buf[size:]
	return n
}

// uuidOf returns the bytes of a UUID in its usual spelling.
func uuidOf(s string) (raw [16]byte, ok bool) {
	if len(s) != uuidLength || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' || strings.ContainsAny(s, "ABCDEF") {
		return raw, false
	}
	var digits [32]byte
	n := copy(digits[:], s[:8])
	n += copy(digits[n:], s[9:13])
	n += copy(digits[n:], s[14:18])
	n += copy(digits[n:], s[19:23])
	copy(digits[n:], s[24:])
	_, err := hex.Decode(raw[:], digits[:])
	return raw, err == nil
}

func spelledUUID(raw []byte) string {
	var out [uuidLength]byte
	hex.Encode(out[:8], raw[:4])
	hex.Encode(out[9:13], raw[4:6])
	hex.Encode(out[14:18], raw[6:8])
	hex.Encode(out[19:23], raw[8:10])
	hex.Encode(out[24:], raw[10:])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}
