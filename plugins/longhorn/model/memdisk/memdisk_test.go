// SPDX-License-Identifier: Apache-2.0

package memdisk_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model/memdisk"
)

func TestDisks_BytesFollowTheDiskAndNotTheName(t *testing.T) {
	d := memdisk.New()
	d.Insert("a", d.Blank(1000))
	at := model.Place{Node: "a", Name: "vol-1"}
	if err := d.Create(at, model.Directory{Size: 10, Revision: 1}); err != nil {
		t.Fatal(err)
	}
	served := model.Attachment{Read: []model.Place{at}, Write: []model.Place{at}}
	if err := d.Write(served, nil, []byte("bytes")); err != nil {
		t.Fatal(err)
	}
	if s, ok := d.Stat(at); !ok || s.Used != 5 || s.Revision != 2 {
		t.Errorf("Stat says %+v, %t", s, ok)
	}
	old := d.Pull("a")
	if _, err := d.Read(served); !errors.Is(err, memdisk.ErrNoDisk) {
		t.Errorf("read without a disk: %v", err)
	}
	d.Insert("a", d.Blank(1000))
	if _, err := d.Read(served); !errors.Is(err, memdisk.ErrNoReplica) {
		t.Errorf("read from an empty disk of the same node: %v", err)
	}
	if got, ok := d.Look(at); ok {
		t.Errorf("%+v lies on an empty disk", got)
	}
	if len(d.Truth()) != 0 {
		t.Errorf("the truth is %v; the old disk is in a drawer", d.Truth())
	}
	d.Insert("b", old)
	if got := d.Truth(); len(got) != 1 || got[0].Node != "b" || string(got[0].Bytes) != "bytes" {
		t.Errorf("the truth is %v", got)
	}
}

func TestDisks_ACopyIsWholeOnlyWhenItEnded(t *testing.T) {
	d := memdisk.New()
	for _, n := range []string{"a", "b"} {
		d.Insert(n, d.Blank(1000))
	}
	from, to := model.Place{Node: "a", Name: "v-1"}, model.Place{Node: "b", Name: "v-2"}
	if err := errors.Join(d.Create(from, model.Directory{}), d.Create(to, model.Directory{Rebuilding: true})); err != nil {
		t.Fatal(err)
	}
	if err := d.Write(model.Attachment{Write: []model.Place{from}}, nil, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if got := d.Truth(); !got[0].Whole || got[1].Whole {
		t.Errorf("before the copy: %+v", got)
	}
	if err := d.Copy(from, to); err != nil {
		t.Fatal(err)
	}
	if got := d.Truth(); !got[1].Whole || string(got[1].Bytes) != "x" {
		t.Errorf("after the copy: %+v", got)
	}
	if err := d.Copy(model.Place{Node: "a", Name: "gone"}, to); err == nil {
		t.Error("a copy from nowhere succeeded")
	}
}

func TestDisks_AReplicaWhoseDirectoryIsGoneKeepsNobodyFromWriting(t *testing.T) {
	d := memdisk.New()
	gone, there := model.Place{Node: "a", Name: "v-1"}, model.Place{Node: "b", Name: "v-2"}
	for _, at := range []model.Place{gone, there} {
		d.Insert(at.Node, d.Blank(1000))
	}
	if err := d.Create(there, model.Directory{}); err != nil {
		t.Fatal(err)
	}
	err := d.Write(model.Attachment{Write: []model.Place{gone, there}}, nil, []byte("x"))
	if got := d.Truth(); !errors.Is(err, memdisk.ErrNoReplica) || len(got) != 1 || string(got[0].Bytes) != "x" {
		t.Errorf("%v, and the truth is %+v", err, got)
	}
}

func TestDisks_ToldOnceWhereSomethingChanged(t *testing.T) {
	d := memdisk.New()
	at := model.Place{Node: "a", Name: "v-1"}
	told := func(want ...model.Place) {
		t.Helper()
		if got, ok := d.Changed(); !ok || !slices.Equal(got, want) {
			t.Errorf("changed: %v, want %v", got, want)
		}
	}
	d.Insert("a", d.Blank(1000))
	told(model.Place{Node: "a"})
	if err := d.Create(at, model.Directory{}); err != nil {
		t.Fatal(err)
	}
	if err := d.Write(model.Attachment{Write: []model.Place{at}}, nil, []byte("x")); err != nil {
		t.Fatal(err)
	}
	told(at, at)
	told()
	if got, ok := d.Look(at); !ok || string(got.Bytes) != "x" {
		t.Errorf("there lies %+v", got)
	}
}

func TestDisks_AWriteMakesNothingWholeThatDidNotHoldWhatItIsOver(t *testing.T) {
	d := memdisk.New()
	good, stale, blank, half := model.Place{Node: "a", Name: "v-1"}, model.Place{Node: "b", Name: "v-2"}, model.Place{Node: "c", Name: "v-3"}, model.Place{Node: "d", Name: "v-4"}
	all := []model.Place{good, stale, blank, half}
	write := func(over, data string, to ...model.Place) {
		t.Helper()
		if err := d.Write(model.Attachment{Write: to}, []byte(over), []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	for _, at := range all {
		d.Insert(at.Node, d.Blank(1000))
		if err := d.Create(at, model.Directory{}); err != nil {
			t.Fatal(err)
		}
	}
	write("", "1", good, stale, half)
	write("1", "2", good, half)
	if err := d.Begin(half); err != nil {
		t.Fatal(err)
	}
	for i, data := range []string{"3", "4"} {
		write([]string{"2", "3"}[i], data, all...)
		for j, got := range d.Truth() {
			if whole := got.Whole && string(got.Bytes) == data; whole != (j == 0) {
				t.Errorf("write %s: %s is whole: %t", data, got.Directory, whole)
			}
		}
	}
	if got, err := d.Read(model.Attachment{Read: []model.Place{good, stale}}); !errors.Is(err, memdisk.ErrMixed) {
		t.Errorf("read %q, %v where the replicas differ", got, err)
	}
	write("", "new", good, stale, blank)
	if got, err := d.Read(model.Attachment{Read: []model.Place{good, stale, blank}}); err != nil || string(got) != "new" {
		t.Errorf("read %q, %v after all was written anew", got, err)
	}
	if err := d.Begin(model.Place{Node: "a", Name: "gone"}); !errors.Is(err, memdisk.ErrNoReplica) {
		t.Errorf("a copy began into nothing: %v", err)
	}
}
