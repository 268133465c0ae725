// SPDX-License-Identifier: Apache-2.0

package book

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// A laptop that slept has a monotonic clock that stood still.
func TestGuard_ASleepDoesNotProlongTheLease(t *testing.T) {
	start := time.Now()
	h := hold{held: true, renewed: start, duration: time.Minute}
	if err := h.guard(start, time.Minute); err != nil {
		t.Error(err)
	}
	slept := start.Round(0).Add(2 * time.Minute) // the wall clock alone went on
	if err := h.guard(slept, 0); !errors.Is(err, record.ErrExpiring) {
		t.Errorf("after a sleep: %v", err)
	}
	h.renewed = start.Add(-2 * time.Minute)
	if err := h.guard(start, 0); !errors.Is(err, record.ErrExpiring) {
		t.Errorf("two minutes later: %v", err)
	}
}

func TestAdd_AnyLinesInSegmentsOfAnySizeReadAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(16, 80).Draw(t, "size")
		segments := map[int]page{}
		var stream strings.Builder
		var end tail
		for range rapid.IntRange(1, 6).Draw(t, "batches") {
			var lines []string
			for range rapid.IntRange(1, 5).Draw(t, "lines") {
				lines = append(lines, strings.ReplaceAll(rapid.StringN(0, 60, 120).Draw(t, "line"), "\n", " ")+"\n")
			}
			var pages []page
			end, pages = end.add(lines, size)
			for _, p := range pages {
				if len(p.text) > size || !utf8.ValidString(p.text) {
					t.Fatalf("segment %d: %q", p.n, p.text)
				}
				if old, ok := segments[p.n]; ok && (old.from != p.from || !strings.HasPrefix(p.text, old.text)) {
					t.Fatalf("segment %d lost what it held", p.n)
				}
				segments[p.n] = p
			}
			stream.WriteString(strings.Join(lines, ""))
		}
		var got strings.Builder
		for n := 1; n <= end.n; n++ {
			if segments[n].from != got.Len() {
				t.Fatalf("segment %d begins at %d, not %d", n, segments[n].from, got.Len())
			}
			got.WriteString(segments[n].text)
		}
		if got.String() != stream.String() || end.end() != got.Len() {
			t.Fatalf("got %q, want %q", got.String(), stream.String())
		}
	})
}
