// SPDX-License-Identifier: Apache-2.0

package booktest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
)

// anyHistory has three processes come, write, stall, go and die at random, and
// compares the journal with what the books said that they had written.
func anyHistory(t *testing.T, s Shelf) {
	const steps = 400
	r := rand.New(rand.NewPCG(1, 2))
	names := []string{"a", "b", "c"}
	books := make([]record.Book, len(names))
	for i, n := range names {
		books[i] = s.Open(n)
	}
	holder, rolls, deeds := -1, 0, 0
	var want []string
	for step := range steps {
		i := r.IntN(len(books))
		b := books[i]
		switch r.IntN(8) {
		case 0:
			s.Advance(time.Duration(r.Int64N(int64(s.TakeOver))))
		case 1:
			_, err := b.Acquire(t.Context())
			if err == nil {
				holder = i
			} else if !errors.Is(err, record.ErrHeld) {
				t.Fatalf("step %d: %s acquires: %v", step, names[i], err)
			}
		case 2:
			if err := b.Renew(t.Context()); err == nil && holder != i {
				t.Fatalf("step %d: %s renewed what %d holds", step, names[i], holder)
			}
		case 3:
			if r.IntN(4) == 0 {
				must(t, b.Release(t.Context()))
				if holder == i {
					holder = -1
				}
			}
		case 4:
			books[i] = s.Open(names[i]) // killed and started again
		default:
			batch, said := newBatch(r, &rolls, &deeds)
			err := b.Append(t.Context(), batch...)
			if err == nil && holder != i {
				t.Fatalf("step %d: %s wrote while %d holds the lock", step, names[i], holder)
			}
			if err == nil {
				if batch[0].Kind == record.Started {
					want = nil
				}
				want = append(want, said...)
			}
		}
		if got := texts(t, books[r.IntN(len(books))]); got != strings.Join(want, ", ") {
			t.Fatalf("step %d: the journal reads %q, want %q", step, got, strings.Join(want, ", "))
		}
	}
	if rolls < 5 || deeds < 50 || len(want) == 0 {
		t.Errorf("the history was too quiet: %d rolls, %d deeds", rolls, deeds)
	}
}

func newBatch(r *rand.Rand, rolls, deeds *int) (batch []record.Event, said []string) {
	if r.IntN(10) == 0 || *rolls == 0 {
		*rolls++
		batch, said = append(batch, Started(fmt.Sprintf("r%d", *rolls))), append(said, "started")
	}
	for range 1 + r.IntN(3) {
		*deeds++
		batch, said = append(batch, Intended(*deeds)), append(said, fmt.Sprintf("deed %d", *deeds))
	}
	return batch, said
}
