// SPDX-License-Identifier: Apache-2.0

package model

import (
	"cmp"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Object is any of Longhorn's API objects.
type Object interface {
	metav1.Object
	runtime.Object
}

// table keeps the objects of one kind by name, and by the volume they belong
// to, and hands them out in the order of their names.
type table[T Object] struct {
	byName  map[string]T
	sorted  []T
	volume  func(T) string // nil where objects belong to no volume
	members map[string][]T
}

func newTable[T Object](volume func(T) string) *table[T] {
	return &table[T]{byName: map[string]T{}, volume: volume, members: map[string][]T{}}
}

// get returns the zero value, a nil pointer, for a name that is not there.
func (t *table[T]) get(name string) T { return t.byName[name] }

// all returns the objects by name. The slice survives adding and removing.
func (t *table[T]) all() []T { return t.sorted }

// of returns the objects of one volume by name.
func (t *table[T]) of(volume string) []T { return t.members[volume] }

func (t *table[T]) add(o T) {
	if _, ok := t.byName[o.GetName()]; ok {
		t.remove(o.GetName())
	}
	t.byName[o.GetName()] = o
	t.sorted = inserted(t.sorted, o)
	if t.volume != nil {
		v := t.volume(o)
		t.members[v] = inserted(t.members[v], o)
	}
}

func (t *table[T]) remove(name string) {
	o, ok := t.byName[name]
	if !ok {
		return
	}
	delete(t.byName, name)
	t.sorted = without(t.sorted, name)
	if t.volume == nil {
		return
	}
	v := t.volume(o)
	if t.members[v] = without(t.members[v], name); len(t.members[v]) == 0 {
		delete(t.members, v)
	}
}

func position[T Object](list []T, name string) (int, bool) {
	return slices.BinarySearchFunc(list, name, func(o T, n string) int { return cmp.Compare(o.GetName(), n) })
}

// inserted and without return new slices, so that a loop over the old one may
// add and remove.
func inserted[T Object](list []T, o T) []T {
	i, _ := position(list, o.GetName())
	return slices.Insert(slices.Clone(list), i, o)
}

func without[T Object](list []T, name string) []T {
	i, ok := position(list, name)
	if !ok {
		return list
	}
	return slices.Delete(slices.Clone(list), i, i+1)
}
