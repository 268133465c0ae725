// SPDX-License-Identifier: Apache-2.0

package act

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"pgregory.net/rapid"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

func TestClassify_ABare404SaysNothingOfTheObject(t *testing.T) {
	things := schema.GroupResource{Group: "toy.example.com", Resource: "things"}
	for _, c := range []struct {
		err  error
		want failure
	}{
		{apierrors.NewNotFound(things, "a"), gone},
		{apierrors.NewGenericServerResponse(404, "get", things, "a", "404 page not found", 0, true), fatal},
		{apierrors.NewGenericServerResponse(502, "patch", things, "a", "<html>bad gateway</html>", 0, true), lost},
		{apierrors.NewGenericServerResponse(405, "patch", things, "a", "", 0, true), fatal},
		{apierrors.NewBadRequest("what?"), fatal},
		{apierrors.NewAlreadyExists(things, "a"), conflict},
		{fmt.Errorf("read: %w", apierrors.NewTooManyRequests("slow", 1)), refused},
		{errors.New("connection reset by peer"), lost},
	} {
		if got := classify(c.err); got != c.want {
			t.Errorf("%v: %d, want %d", c.err, got, c.want)
		}
	}
}

func TestUnmet_ReadsDottedPaths(t *testing.T) {
	o := object{}
	d := json.NewDecoder(strings.NewReader(`{"a":{"b.c":"x","n":12345678901234567,"t":true,"f":false,"z":null,"l":[{"u":"1"}],"o":{"k":1}}}`))
	d.UseNumber()
	if err := d.Decode(&o); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		`a.b\.c`: "x", "a.n": "12345678901234567", "a.t": "true", "a.f": "false", "a.z": "", "a.gone": "", "gone.too": "",
		"a.l.0.u": "1", "a.l.1.u": "", "a.l.x": "", "a.t.deeper": "", "a.o": `{"k":1}`,
	} {
		if why := unmet(o, []cluster.Fact{{Name: name, Value: value}}); why != "" {
			t.Error(why)
		}
		if unmet(o, []cluster.Fact{{Name: name, Value: value + "!"}}) == "" {
			t.Errorf("%s passes with another value", name)
		}
	}
}

// merged applies a merge patch as RFC 7386 has it.
func merged(have any, patch any) any {
	p, ok := patch.(object)
	if !ok {
		return patch
	}
	out := object{}
	if in, ok := have.(object); ok {
		for k, v := range in {
			out[k] = v
		}
	}
	for k, v := range p {
		if v == nil {
			delete(out, k)
		} else {
			out[k] = merged(out[k], v)
		}
	}
	return out
}

// values leaves out empty objects.
func values(v any) any {
	in, ok := v.(object)
	if !ok {
		return v
	}
	out := object{}
	for k, v := range in {
		if v = values(v); !reflect.DeepEqual(v, object{}) {
			out[k] = v
		}
	}
	return out
}

func document(nulls int) *rapid.Generator[object] {
	return rapid.Custom(func(t *rapid.T) object { return draw(t, 3, nulls) })
}

func draw(t *rapid.T, depth, nulls int) object {
	o := object{}
	for _, k := range []string{"a", "b"} {
		switch n := rapid.IntRange(0, 4+nulls).Draw(t, "shape"); {
		case n == 0:
		case n <= 1 && depth > 0:
			o[k] = draw(t, depth-1, nulls)
		case n == 2:
			o[k] = true
		case n == 3:
			o[k] = []any{"x"}
		case n <= 4:
			o[k] = "x"
		default:
			o[k] = nil
		}
	}
	return o
}

func TestAlreadySo_HoldsJustWhenTheMergePatchChangesNothing(t *testing.T) {
	seen := map[bool]int{}
	rapid.Check(t, func(t *rapid.T) {
		have, patch := document(0).Draw(t, "have"), document(2).Draw(t, "patch")
		same := reflect.DeepEqual(values(merged(have, patch)), values(have))
		if got := alreadySo(have, patch); got != same {
			t.Fatalf("have %v, patch %v: %v, want %v", have, patch, got, same)
		}
		seen[same]++
	})
	if seen[true] == 0 || seen[false] == 0 {
		t.Errorf("the generator is one-sided: %v", seen)
	}
}

func TestOutput_LinesOfTheTwoStreamsDoNotMix(t *testing.T) {
	var w bytes.Buffer
	shared := struct{ io.Writer }{&w} // the same buffer, and another writer
	o := newOutput(&w, shared, "> ")
	for _, s := range []string{"one ", "two\nthr", "ee\r\n"} {
		_, _ = o.out.Write([]byte(s))
		_, _ = o.err.Write([]byte("E" + s))
	}
	_, _ = o.out.Write([]byte(strings.Repeat("x", longest+5)))
	if got := o.end(); !strings.HasPrefix(got, "; its last words:\n  Eone Etwo\n  thrEee\n  one two\n  three\n  xxx") {
		t.Errorf("the last words: %.100q", got)
	}
	want := "> one two\n> Eone Etwo\n> three\n> thrEee\n> " + strings.Repeat("x", longest) + "\n> xxxxx\n"
	if w.String() != want {
		t.Errorf("got %q", w.String())
	}
}

func TestOutput_OneWriterIsOneStreamAndNoneIsSilence(t *testing.T) {
	var w bytes.Buffer
	if o := newOutput(&w, &w, ""); o.out != o.err {
		t.Error("the order of the two streams is lost")
	}
	o := newOutput(nil, nil, "")
	_, _ = o.err.Write([]byte("word\n"))
	if got := o.end(); !strings.Contains(got, "word") {
		t.Error(got)
	}
}
