// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestWords_TheZeroValueIsUnknown(t *testing.T) {
	var (
		a  Answer
		s  Standing
		v  Verdict
		c  Claim
		k  Class
		st VolumeState
		o  Owner
		h  HoldKind
		g  GapReason
		so Source
	)
	if a != Unknown || s != StandingUnknown || v != VerdictUnknown || c != ClaimUnknown || k != ClassUnknown ||
		st != StateUnknown || o != OwnerUnknown || h != HoldUnknown || g != GapUnknown || so != SourceUnknown {
		t.Error("a zero value says something")
	}
	if (Node{}).Ready == Yes || (Disk{}).Ready == Yes || (StorageNode{}).Ready == Yes || (Engine{}).Running == Yes || (Look{}).Fresh {
		t.Error("what was never read is healthy")
	}
}

func TestWords_AreTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for s := StandingUnknown; s <= StandingUnused; s++ {
		if seen[s.String()] {
			t.Errorf("two standings are called %s", s)
		}
		seen[s.String()] = true
	}
	for s, want := range map[interface{ String() string }]string{
		StandingGood: "Good", StandingAbsent: "Absent", StandingFailed: "Failed", StandingRebuilding: "Rebuilding",
		StandingLeaving: "Leaving", StandingUnproven: "Unproven", StandingUnused: "Unused", Standing(99): "Unknown",
		Plausible: "Plausible", Proven: "Proven", ProofNone: "", Safe: "Safe", Unsafe: "Unsafe", VerdictUnknown: "Unknown",
		Verdict(99): "Unknown",
	} {
		if s.String() != want {
			t.Errorf("%q, want %q", s.String(), want)
		}
	}
}

func TestVerdict_UnsafeOutranksUnknownOutranksSafe(t *testing.T) {
	order := []Verdict{Safe, VerdictUnknown, Unsafe}
	for i, a := range order {
		for k, b := range order {
			if got, want := a.Worse(b), order[max(i, k)]; got != want {
				t.Errorf("%v and %v: %v, want %v", a, b, got, want)
			}
		}
	}
}

func TestAnswerOf(t *testing.T) {
	if AnswerOf(true) != Yes || AnswerOf(false) != No {
		t.Error("what was read became something else")
	}
}

func TestSnapshot_FindsByNameAndIdentity(t *testing.T) {
	s := &Snapshot{
		Nodes:    []Node{{Ref: NodeRef{"a", "1"}}, {Ref: NodeRef{"b", "2"}}},
		Storages: []Storage{{Driver: "x"}, {Driver: "y"}},
	}
	if n := s.Node("b"); n == nil || n.Ref.UID != "2" || n != &s.Nodes[1] {
		t.Errorf("%+v", n)
	}
	if n := s.NodeByUID("1"); n == nil || n.Ref.Name != "a" || n != &s.Nodes[0] {
		t.Errorf("%+v", n)
	}
	if st := s.Storage("y"); st == nil || st != &s.Storages[1] {
		t.Errorf("%+v", st)
	}
	if s.Node("c") != nil || s.NodeByUID("3") != nil || s.Storage("z") != nil {
		t.Error("something was found that is not there")
	}
}

// The facts are plain data: nothing in them can act, wait or point at what is
// shared, so that a snapshot can be kept, compared and replayed. A pointer is a
// fact that may be missing, and never one of the objects.
func TestSnapshot_IsPlainData(t *testing.T) {
	objects := []reflect.Type{reflect.TypeFor[Snapshot](), reflect.TypeFor[Node](), reflect.TypeFor[Pod](), reflect.TypeFor[Storage](),
		reflect.TypeFor[StorageNode](), reflect.TypeFor[Disk](), reflect.TypeFor[Volume](), reflect.TypeFor[Replica]()}
	seen := map[reflect.Type]bool{}
	var walk func(path string, x reflect.Type)
	walk = func(path string, x reflect.Type) {
		if seen[x] || x.PkgPath() == "time" {
			return
		}
		seen[x] = true
		switch x.Kind() {
		case reflect.Pointer:
			if slices.Contains(objects, x.Elem()) {
				t.Errorf("%s points at an object", path)
			}
			walk(path, x.Elem())
		case reflect.Func, reflect.Chan, reflect.Interface, reflect.UnsafePointer:
			t.Errorf("%s is a %s", path, x.Kind())
		case reflect.Struct:
			for i := range x.NumField() {
				walk(path+"."+x.Field(i).Name, x.Field(i).Type)
			}
		case reflect.Slice, reflect.Array, reflect.Map:
			walk(path+"[]", x.Elem())
		}
	}
	walk("Snapshot", reflect.TypeFor[Snapshot]())
}

func TestVolume_IsTheSameOnlyWhereNoFieldDiffers(t *testing.T) {
	v := Volume{}
	if o := v; !v.SameAs(&o) {
		t.Error("a copy is another")
	}
	for i := range reflect.TypeFor[Volume]().NumField() {
		o := v
		set := reflect.ValueOf(&o).Elem().Field(i)
		switch set.Kind() {
		case reflect.Slice:
			set.Set(reflect.MakeSlice(set.Type(), 1, 1))
		case reflect.Pointer:
			set.Set(reflect.New(set.Type().Elem()))
		case reflect.Struct:
			part := set.Field(0)
			if set.Type() == reflect.TypeFor[time.Time]() {
				o.Created = time.Unix(1, 0)
				break
			}
			part.SetUint(1)
		case reflect.String:
			set.SetString("x")
		case reflect.Bool:
			set.SetBool(true)
		case reflect.Uint8:
			set.SetUint(1)
		default:
			set.SetInt(1)
		}
		if o.SameAs(&v) || v.SameAs(&o) {
			t.Errorf("%s differs and nobody sees it", reflect.TypeFor[Volume]().Field(i).Name)
		}
		if p := o; !p.SameAs(&o) {
			t.Errorf("%s is copied and is another", reflect.TypeFor[Volume]().Field(i).Name)
		}
	}
	one, two := []string{"a"}, []string{"a"}
	if SameList(one, two) || !SameList(one, one) || SameList(one, append(one, "b")) || !SameList(one[:0], two[:0]) {
		t.Error("two lists are the same where they are the same memory, or empty")
	}
}

func TestNamesNode(t *testing.T) {
	for label, want := range map[string]bool{
		"kubernetes.io/hostname": true, "topology.topolvm.io/node": true, "openebs.io/nodename": true, "openebs.io/nodeid": true,
		"example.org/node-id": true, "example.org/Node_Name": true, "hostname": true,
		"topology.kubernetes.io/zone": false, "topology.kubernetes.io/region": false, "node.kubernetes.io/instance-type": false,
		"example.org/nodepool": false, "node/": false, "": false,
	} {
		if got := NamesNode(label); got != want {
			t.Errorf("%q: %v", label, got)
		}
	}
}
