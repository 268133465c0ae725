// SPDX-License-Identifier: Apache-2.0

package roll_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// refuses is a shelf that has no room for some kinds of events.
type refuses struct {
	*shelf
	kinds []record.Kind
	times int
}

func (b *refuses) Append(ctx context.Context, es ...record.Event) error {
	if slices.Contains(b.kinds, es[0].Kind) {
		b.times++
		return record.ErrFull
	}
	return b.shelf.Append(ctx, es...)
}

func TestRun_NoRollEndsForWantOfWhatOnlyTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := worlds()["refill, retire and create"]()
		p, b := propose(t, w, c), &refuses{shelf: &shelf{}, kinds: []record.Kind{record.Looked, record.Noticed}}
		cfg, told := config(w, b.shelf, &p), 0
		cfg.Book = b
		cfg.Watch = func(r roll.Report) {
			if r.Kind == roll.ReportTrouble && strings.Contains(r.Text, "the journal fills up") {
				told++
			}
		}
		looks := 0
		cfg.World = meddled{w, &looks}
		res, err := roll.Run(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		check(t, w, res)
		if b.times < 2 || told != 1 {
			t.Errorf("%d events had no room, and that was told %d times", b.times, told)
		}
	})
}

// meddled is a world in which somebody changes a setting at first.
type meddled struct {
	*toy
	looks *int
}

func (w meddled) Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error) {
	s, err := w.toy.Observe(ctx, f)
	if *w.looks++; err == nil {
		s.Storages[0].Settings = []cluster.Fact{{Name: "a setting", Value: fmt.Sprint(min(*w.looks, 4))}}
	}
	return s, err
}

// No deed follows one whose outcome is not written, not even one that puts back.
func TestRun_AnOutcomeThatHasNoRoomIsTheLastThingDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := worlds()["refill, retire and create"]()
		p, b := propose(t, w, c), &refuses{shelf: &shelf{}, kinds: []record.Kind{record.Done}}
		cfg := config(w, b.shelf, &p)
		cfg.Book = b
		res, err := roll.Run(t.Context(), cfg)
		if !errors.Is(err, record.ErrFull) || res.Exit != 1 || w.calls != 1 || b.times != 1 {
			t.Errorf("exit %d after %d deeds: %v", res.Exit, w.calls, err)
		}
		b.kinds = nil
		cfg.Plan = nil
		if res, err = roll.Run(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		check(t, w, res)
	})
}
