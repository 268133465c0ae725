// SPDX-License-Identifier: Apache-2.0

package roll_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// looking notes what is asked for before and after each deed, and refuses some.
type looking struct {
	*toy
	t     *testing.T
	asked cluster.Freshness
	// after is what must be asked for next.
	after *cluster.Freshness
	// cached counts deeds after which nothing was read anew.
	cached, fresh int
	deeds         int
}

func (w *looking) Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error) {
	if w.after != nil && f != *w.after {
		w.t.Errorf("after the deed %d the look is %d, want %d", w.deeds, f, *w.after)
	}
	w.after, w.asked = nil, f
	s, err := w.toy.Observe(ctx, f)
	if err == nil {
		s.Look.Fresh = f == cluster.Fresh
	}
	return s, err
}

func (w *looking) Perform(ctx context.Context, a decide.Action) (decide.Outcome, error) {
	w.deeds++
	if a.Irreversible() && w.asked != cluster.Fresh {
		w.t.Errorf("%s rests on what was cached", a.Verb)
	}
	o, err := decide.Outcome{Result: []decide.Result{decide.Refused, decide.Uncertain, decide.Conflict}[w.deeds%3]}, error(nil)
	if w.deeds%4 != 0 {
		o, err = w.toy.Perform(ctx, a)
	}
	next := cluster.Fresh
	if o.Result == decide.Performed && !a.Irreversible() {
		next = cluster.Cached
		w.cached++
	} else {
		w.fresh++
	}
	w.after = &next
	return o, err
}

// A deed that was performed and can be taken back is seen by its events. What was
// not performed, or cannot be taken back, is followed by consistent reads.
func TestRun_OnlySomeDeedsAreFollowedByConsistentReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		toy, c := worlds()["evict and replace"]()
		p := propose(t, toy, c)
		w := &looking{toy: toy, t: t}
		cfg := config(toy, &shelf{}, &p)
		cfg.World = w
		res, err := roll.Run(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		check(t, toy, res)
		if w.cached < 6 || w.fresh < 6 {
			t.Errorf("of %d deeds %d were followed by cached looks and %d by fresh ones: it shows little", w.deeds, w.cached, w.fresh)
		}
	})
}

// mistaken sees pods whose DaemonSets are gone, which nobody would start again: in
// all looks, or only in those that are cached.
type mistaken struct {
	*toy
	always bool
	// misled counts such pods, asked the consistent looks that were asked for.
	misled, asked int
}

func (w *mistaken) Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error) {
	s, err := w.toy.Observe(ctx, f)
	if err != nil {
		return nil, err
	}
	s.Look.Fresh = f == cluster.Fresh && !w.always
	if f == cluster.Fresh {
		w.asked++
	}
	if !s.Look.Fresh {
		for i := range s.Pods {
			s.Pods[i].Owner = cluster.OwnerOrphan
			w.misled++
		}
	}
	return s, nil
}

// Nobody is told to give up by what only a cached look says.
func TestRun_HaltsOnlyByConsistentReads(t *testing.T) {
	for _, always := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			toy, c := worlds()["evict and replace"]()
			p := propose(t, toy, c)
			w := &mistaken{toy: toy, always: always}
			cfg := config(toy, &shelf{}, &p)
			cfg.World = w
			res, err := roll.Run(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			if w.misled == 0 || w.asked == 0 {
				t.Errorf("%d pods were mistaken and %d looks were consistent: it shows nothing", w.misled, w.asked)
			}
			if _, halted := res.Decision.(decide.Halt); halted != always {
				t.Errorf("always %t: ended with %T %+v", always, res.Decision, res.Decision)
			}
		})
	}
}

// behind sees its other machines as they were long ago, by what is cached.
type behind struct {
	*toy
	behind int // looks in which they were
}

func (w *behind) Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error) {
	s, err := w.toy.Observe(ctx, f)
	if err != nil {
		return nil, err
	}
	if s.Look.Fresh = f == cluster.Fresh; s.Look.Fresh {
		return s, nil
	}
	w.behind++
	for i := range s.Nodes {
		if s.Nodes[i].Ref.Name != "worker-1" {
			s.Nodes[i].Ready = cluster.No
		}
	}
	return s, nil
}

// A wait has its limit, and before that ends the roll it is looked once more.
func TestRun_ALimitHaltsOnlyByAConsistentLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		toy, c := worlds()["evict and replace"]()
		p := propose(t, toy, c)
		w := &behind{toy: toy}
		cfg := config(toy, &shelf{}, &p)
		cfg.World = w
		res, err := roll.Run(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if _, done := res.Decision.(decide.Done); !done || w.behind == 0 {
			t.Errorf("after %d looks at what was long ago: %T %+v", w.behind, res.Decision, res.Decision)
		}
	})
}
