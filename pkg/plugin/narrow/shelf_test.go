// SPDX-License-Identifier: Apache-2.0

package narrow_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin/narrow"
)

type moment time.Time

type inner struct {
	Word string
	Own  string `keep:"own"`
	Many map[string]string
}

// thing has a field of every kind that can be packed.
type thing struct {
	inner
	Of      string
	Is      bool
	N       int
	Long    int64
	Small   cluster.Answer
	At      time.Time
	Other   moment
	Deleted *moment
	Names   []string
	Parts   []inner
	Inner   inner
	Some    map[string]inner
}

func anyText() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom([]string{"", "vol", "vol-r-1", "node-1", "volume",
		"0e8d1f55-2f43-4a7e-9d3a-0c7a1d1c9a11", "0E8D1F55-2f43-4a7e-9d3a-0c7a1d1c9a11", "0e8d1f55-2f43-4a7e-9d3a-0c7a1d1c9a1g",
		"0e8d1f55-2f43-4a7e-9d3a-0c7a1d1c9a1-"}), rapid.String())
}

func anyTime(t *rapid.T, label string) time.Time {
	if rapid.Bool().Draw(t, label) {
		return time.Time{}
	}
	return time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(t, label), rapid.Int64Range(0, 999999999).Draw(t, label)).UTC()
}

func anyInner(t *rapid.T) inner {
	return inner{Word: anyText().Draw(t, "word"), Own: anyText().Draw(t, "own"),
		Many: rapid.MapOfN(anyText(), anyText(), 0, 3).Draw(t, "many")}
}

func anyThing(t *rapid.T) *thing {
	o := &thing{
		inner: anyInner(t), Of: anyText().Draw(t, "of"), Is: rapid.Bool().Draw(t, "is"), N: rapid.Int().Draw(t, "n"),
		Long: rapid.Int64().Draw(t, "long"), Small: cluster.Answer(rapid.Byte().Draw(t, "small")),
		At: anyTime(t, "at"), Other: moment(anyTime(t, "other")), Names: rapid.SliceOfN(anyText(), 0, 3).Draw(t, "names"), Inner: anyInner(t),
	}
	if rapid.Bool().Draw(t, "deleted") {
		at := moment(anyTime(t, "deletedAt"))
		o.Deleted = &at
	}
	for range rapid.IntRange(0, 2).Draw(t, "parts") {
		o.Parts = append(o.Parts, anyInner(t))
	}
	if rapid.Bool().Draw(t, "some") {
		o.Some = map[string]inner{anyText().Draw(t, "key"): anyInner(t)}
	}
	return o
}

func same(a, b *thing) string {
	return cmp.Diff(a, b, cmp.AllowUnexported(thing{}, inner{}), cmp.Comparer(func(a, b moment) bool { return time.Time(a).Equal(time.Time(b)) }))
}

// What is taken from a shelf is what was put there, whatever came and went
// meanwhile.
func TestShelf_GivesBackWhatItWasGiven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := narrow.NewShelf(narrow.NewWords(), func(o *thing) string { return o.Of })
		want := map[cluster.UID]*thing{}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			uid := cluster.UID(rapid.SampledFrom([]string{"", "a", "b", "0e8d1f55-2f43-4a7e-9d3a-0c7a1d1c9a11", "name:x"}).Draw(t, "uid"))
			if rapid.IntRange(0, 4).Draw(t, "drop") == 0 {
				s.Drop(uid)
				delete(want, uid)
				continue
			}
			o := anyThing(t)
			old, known := want[uid]
			if changed := s.Put(uid, o); changed != (!known || same(old, o) != "") {
				t.Fatalf("changed %t: %s", changed, same(old, o))
			}
			want[uid] = o
		}
		if s.Len() != len(want) {
			t.Fatalf("%d objects, want %d", s.Len(), len(want))
		}
		for uid, o := range want {
			if diff := same(o, s.Get(uid)); diff != "" {
				t.Fatal(diff)
			}
		}
		stems := map[string]int{}
		for o := range s.All() {
			stems[o.Of]++
		}
		for stem, n := range stems {
			if of := s.Of(stem); len(of) != n || !s.Has(stem) || of[0].Of != stem {
				t.Fatalf("%d of stem %q, want %d", len(of), stem, n)
			}
		}
		if all := slices.Collect(s.Stems()); len(all) != len(stems) {
			t.Fatalf("stems %q, want those of %v", all, stems)
		}
		if s.Of("nobody's stem") != nil || s.Has("nobody's stem") {
			t.Fatal("something of a stem that nothing has")
		}
	})
}

// Objects that come and go for a long time leave nothing behind.
func TestShelf_DoesNotGrow(t *testing.T) {
	s := narrow.NewShelf(narrow.NewWords(), func(o *thing) string { return o.Of })
	for i := range 200_000 {
		uid := cluster.UID(fmt.Sprint(i % 100))
		s.Put(uid, &thing{Of: "vol", inner: inner{Own: fmt.Sprint("text ", i)}})
		if i%7 == 0 {
			s.Drop(uid)
		}
	}
	if n := s.Size(); n > 1<<20 {
		t.Errorf("%d bytes for %d small objects", n, s.Len())
	}
	var texts []string
	for o := range s.All() {
		texts = append(texts, o.Own)
	}
	slices.Sort(texts)
	if len(slices.Compact(texts)) != s.Len() || !strings.HasPrefix(texts[0], "text ") {
		t.Errorf("%d texts of %d objects", len(texts), s.Len())
	}
}

// An object that is larger than a block is an object all the same.
func TestShelf_TakesWhatIsLarge(t *testing.T) {
	s := narrow.NewShelf[thing](narrow.NewWords(), nil)
	large := &thing{inner: inner{Own: strings.Repeat("x", 300_000)}}
	for _, uid := range []cluster.UID{"a", "b", "c"} {
		s.Put(uid, large)
		s.Put(uid+"small", &thing{N: 1})
	}
	for _, uid := range []cluster.UID{"a", "b", "c"} {
		if same(large, s.Get(uid)) != "" || s.Get(uid+"small").N != 1 {
			t.Error("an object became another one")
		}
	}
	if s.Get("d") != nil {
		t.Error("there is something that nobody has put")
	}
}

// A field that no test filled in must not be found out in somebody's cluster.
func TestShelf_IsNotMadeOfWhatItCannotPack(t *testing.T) {
	type odd struct {
		Deep []map[string]*struct{ N float64 }
	}
	defer func() {
		if recover() == nil {
			t.Error("a shelf was made of what cannot be packed")
		}
	}()
	narrow.NewShelf[odd](narrow.NewWords(), nil)
}

// Many objects come and go; each is found as long as it is there, and not after.
func TestShelf_FindsWhatIsThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := narrow.NewShelf(narrow.NewWords(), func(o *thing) string { return o.Of })
		there := map[int]int{}
		for step, n := range rapid.SliceOfN(rapid.IntRange(-60, 60), 1, 600).Draw(t, "steps") {
			uid := cluster.UID(fmt.Sprint(max(n, -n)))
			if n < 0 {
				s.Drop(uid)
				delete(there, -n)
				continue
			}
			s.Put(uid, &thing{Of: fmt.Sprint("vol-", n%7), N: step})
			there[n] = step
		}
		for n := range 61 {
			o, step := s.Get(cluster.UID(fmt.Sprint(n))), 0
			if o != nil {
				step = o.N
			}
			if want, is := there[n]; is != (o != nil) || step != want {
				t.Fatalf("%d: %+v, want that of step %d", n, o, want)
			}
		}
		if all := slices.Collect(s.All()); len(all) != len(there) || s.Len() != len(there) {
			t.Fatalf("%d and %d objects, want %d", len(all), s.Len(), len(there))
		}
	})
}
