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
	if err := d.Write(served, []byte("bytes")); err != nil {
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
	if err := d.Write(model.Attachment{Write: []model.Place{from}}, []byte("x")); err != nil {
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
	err := d.Write(model.Attachment{Write: []model.Place{gone, there}}, []byte("x"))
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
	if err := d.Write(model.Attachment{Write: []model.Place{at}}, []byte("x")); err != nil {
		t.Fatal(err)
	}
	told(at, at)
	told()
	if got, ok := d.Look(at); !ok || string(got.Bytes) != "x" {
		t.Errorf("there lies %+v", got)
	}
}
