// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/live"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

var _ roll.World = (*live.World)(nil)

type eyes struct {
	err      error
	next     cluster.Revision
	expected [][]cluster.Mark
}

func (e *eyes) Observe(context.Context, cluster.Freshness) (*cluster.Snapshot, error) {
	e.next++
	return &cluster.Snapshot{Revision: e.next}, e.err
}
func (e *eyes) Await(context.Context, cluster.Revision) error { return nil }
func (e *eyes) Expect(marks []cluster.Mark)                   { e.expected = append(e.expected, marks) }

type hand struct{ by cluster.Revision }

func (h *hand) Marks() []cluster.Mark {
	return []cluster.Mark{{Kind: "nodes", Version: strconv.Itoa(int(h.by))}}
}

func (h *hand) Perform(_ context.Context, s *cluster.Snapshot, _ decide.Action) (decide.Outcome, error) {
	h.by = s.Revision
	return decide.Outcome{Result: decide.Performed}, nil
}

// crossing takes some time for a deed, and has the marks of the last one.
type crossing struct {
	mu   sync.Mutex
	last string
}

func (c *crossing) Marks() []cluster.Mark {
	c.mu.Lock()
	defer c.mu.Unlock()
	return []cluster.Mark{{Kind: "nodes", UID: cluster.UID(c.last)}}
}

func (c *crossing) Perform(_ context.Context, _ *cluster.Snapshot, a decide.Action) (decide.Outcome, error) {
	c.mu.Lock()
	c.last = a.Node.Name
	c.mu.Unlock()
	time.Sleep(20 * time.Millisecond)
	return decide.Outcome{Result: decide.Performed}, nil
}

func TestPerform_ActsByTheLastThingThatWasSeen(t *testing.T) {
	e, h := &eyes{}, &hand{}
	w := live.New(e, h)
	if _, err := w.Perform(t.Context(), decide.Action{}); err != nil || h.by != 1 {
		t.Errorf("acted on nothing: revision %d, %v", h.by, err)
	}
	if _, err := w.Observe(t.Context(), cluster.Cached); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Perform(t.Context(), decide.Action{}); err != nil || h.by != 2 {
		t.Errorf("acted by revision %d: %v", h.by, err)
	}
	e.err = errors.New("down")
	_, _ = w.Observe(t.Context(), cluster.Cached)
	if _, err := w.Perform(t.Context(), decide.Action{}); err != nil || h.by != 2 {
		t.Errorf("a read that failed counts as seen: %d %v", h.by, err)
	}
	blind := live.New(e, h)
	if _, err := blind.Perform(t.Context(), decide.Action{}); err == nil {
		t.Error("acted although nothing could be read")
	}
}

func TestPerform_TellsTheObserverWhatItMustHaveSeenBeforeItIsBelieved(t *testing.T) {
	e := &eyes{}
	w := live.New(e, &hand{})
	for range 2 {
		if _, err := w.Perform(t.Context(), decide.Action{}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Observe(t.Context(), cluster.Cached); err != nil {
			t.Fatal(err)
		}
	}
	if len(e.expected) != 2 || e.expected[0][0].Version != "1" || e.expected[1][0].Version != "2" {
		t.Errorf("expected is %v, want the marks of each deed after it", e.expected)
	}
}

func TestPerform_DeedsAtTheSameTimeEachHandOnTheirOwnMarks(t *testing.T) {
	e := &eyes{}
	w := live.New(e, &crossing{})
	if _, err := w.Observe(t.Context(), cluster.Cached); err != nil {
		t.Fatal(err)
	}
	var deeds sync.WaitGroup
	for _, name := range []string{"a", "b", "c"} {
		deeds.Go(func() {
			if _, err := w.Perform(t.Context(), decide.Action{Node: cluster.NodeRef{Name: name}}); err != nil {
				t.Error(err)
			}
		})
	}
	deeds.Wait()
	told := map[cluster.UID]bool{}
	for _, marks := range e.expected {
		told[marks[0].UID] = true
	}
	if len(told) != 3 {
		t.Errorf("marks of %v, want those of three deeds", told)
	}
}
