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
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// fills is a bounded journal that is full after so many writes, or, to the brim,
// for everything. What fills it means nothing.
type fills struct {
	record.Book
	after int
	brim  bool
	world *toy
	calls int // deeds before it was full to the brim
	done  bool
}

func (b *fills) Append(ctx context.Context, es ...record.Event) error {
	if err := b.Book.Append(ctx, es...); err != nil {
		return err
	}
	if b.after--; b.after != 0 {
		return nil
	}
	b.done, b.calls = true, b.world.calls
	kinds := []record.Kind{record.Waiting}
	if b.brim {
		kinds = append(kinds, record.Interrupted)
	}
	for _, k := range kinds {
		for _, long := range []int{1800, 0} {
			var err error
			for err == nil {
				err = b.Book.Append(ctx, record.Event{Kind: k, Phase: decide.Rebuild, At: time.Now(), Text: strings.Repeat("x", long)})
			}
			if !errors.Is(err, record.ErrFull) {
				return err
			}
		}
	}
	return nil
}

// ways is who does what the halts of a roll say, until it is done.
type ways struct {
	w     *toy
	c     decide.Commands
	b     record.Book
	old   []*toyNode
	plans int
	said  []string
}

// plan is over the nodes that are left.
func (x *ways) plan(t *testing.T) *decide.Plan {
	t.Helper()
	x.plans++
	s, err := x.w.Observe(t.Context(), cluster.Fresh)
	if err != nil {
		t.Fatal(err)
	}
	p := policy.Default()
	p.NoReplenishWait = x.w.hasty
	req := decide.Request{Run: fmt.Sprintf("r%d", x.plans), Goal: decide.UntilReplaced, Commands: x.c, Policy: p}
	for _, n := range x.w.nodes {
		if slices.Contains(x.old, n) {
			req.Nodes = append(req.Nodes, cluster.NodeRef{Name: n.name, UID: n.uid})
		}
	}
	full := len(x.w.nodes) == x.w.volumes[0].want
	plan, refused := decide.Propose(assess.Judge(s, p, time.Now()), req, map[string]forecast.Placer{toyDriver: placer{full}})
	if len(refused) > 0 {
		t.Fatalf("refused: %+v", refused)
	}
	return &plan
}

func (x *ways) end(t *testing.T) roll.Result {
	t.Helper()
	p := x.plan(t)
	for range 20 {
		res, err := roll.Run(t.Context(), roll.Config{World: x.w, Book: x.b, Plan: p})
		p = nil
		h, halted := res.Decision.(decide.Halt)
		switch {
		case errors.Is(err, roll.ErrNothing): // full before anything was done
			p = x.plan(t)
			continue
		case err != nil:
			x.brimful(t, err)
			continue
		case !halted:
			return res
		case res.Exit != decide.ExitLimit || !strings.Contains(h.Reason, "the journal is full"):
			t.Fatalf("exit %d, %+v", res.Exit, h)
		}
		x.said = append(x.said, h.Reason)
		x.halted(t, res)
		abort, anew := strings.Contains(h.Remedy, "kubectl safe-roll abort"), strings.Contains(h.Remedy, "begin the roll anew")
		if abort || anew {
			x.idle(t)
			p = x.plan(t)
		}
		if abort {
			if res, err := roll.Abort(t.Context(), roll.Config{World: x.w, Book: x.b}); err != nil || res.Exit != 0 {
				t.Fatalf("abort: %+v, %v", res.Decision, err)
			}
		}
	}
	t.Fatal("it never ends")
	return roll.Result{}
}

// brimful: nothing could be written any more, so nothing more was done.
func (x *ways) brimful(t *testing.T, err error) {
	t.Helper()
	b, ok := x.b.(*fills)
	if !ok || !b.brim || !errors.Is(err, record.ErrFull) || !strings.Contains(err.Error(), "the same command") {
		t.Fatal(err)
	}
	if more := x.w.calls - b.calls; more > 1 {
		t.Errorf("%d deeds after the journal was full to the brim", more)
	}
	x.said = append(x.said, err.Error())
	b.brim = false
}

// halted: a full journal takes back what any halt takes back, and says so in it.
func (x *ways) halted(t *testing.T, res roll.Result) {
	t.Helper()
	if x.w.wait != "600" {
		t.Errorf("the setting is left %s", x.w.wait)
	}
	for _, v := range x.w.volumes {
		if v.held != "" {
			t.Errorf("%s is left awake", v.name)
		}
	}
	h, _, err := x.b.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if e := h.Events[len(h.Events)-1]; e.Kind != record.Halted || e.Exit != res.Exit || e.Remedy == "" {
		t.Errorf("the journal ends with %+v", e)
	}
}

// idle: before a turn nothing is out.
func (x *ways) idle(t *testing.T) {
	t.Helper()
	for _, n := range x.w.nodes {
		if n.cordoned || !n.place.Accept || n.place.Evacuate {
			t.Errorf("between turns %s is left %+v", n.name, n)
		}
	}
}

// bounded is a journal with segments of that many bytes.
func bounded(bytes, segments int) record.Book {
	m := book.NewInMemory(time.Minute, time.Now)
	m.Bound(bytes, segments)
	return m.Open("a")
}

func TestRun_AFullJournalEndsTheRollBeforeATurnAndTheNextOneGoesOn(t *testing.T) {
	for name, build := range worlds() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, c := build()
				bytes := 800
				if strings.HasPrefix(name, "refill") { // it writes more
					bytes = 2500
				}
				x := &ways{w: w, c: c, b: bounded(bytes, 32), old: slices.Clone(w.nodes)}
				check(t, w, x.end(t))
				if x.plans < 2 || !slices.ContainsFunc(x.said, func(s string) bool { return strings.Contains(s, "another turn") }) {
					t.Errorf("%d rolls: %q", x.plans, x.said)
				}
				x.replaced(t)
			})
		})
	}
}

func (x *ways) replaced(t *testing.T) {
	t.Helper()
	for _, n := range x.old {
		if slices.Contains(x.w.nodes, n) {
			t.Errorf("%s was not replaced", n.name)
		}
	}
}

func TestRun_AJournalThatIsFullAtAnyMomentIsNoDeadEnd(t *testing.T) {
	for name, build := range worlds() {
		for _, brim := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s,%v", name, brim), func(t *testing.T) {
				moments, stops := 0, 0
				for n := 1; fillAt(t, build, n, brim, &stops); n += 3 {
					moments++
				}
				if moments < 20 || stops < moments*3/4 {
					t.Errorf("of %d moments %d stopped the roll: it shows little", moments, stops)
				}
			})
		}
	}
}

// fillAt has the journal full after its nth write, and reports whether there was one.
func fillAt(t *testing.T, build func() (*toy, decide.Commands), n int, brim bool, stops *int) (reached bool) {
	t.Run(fmt.Sprint(n), func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, c := build()
			b := &fills{Book: bounded(2000, 150), after: n, brim: brim, world: w}
			x := &ways{w: w, c: c, b: b, old: slices.Clone(w.nodes)}
			check(t, w, x.end(t))
			x.replaced(t)
			reached = b.done
			if slices.ContainsFunc(x.said, func(s string) bool { return brim || strings.Contains(s, "in the turn of node") }) {
				*stops++
			}
		})
	})
	return reached
}

func TestAbort_WorksWithAFullJournal(t *testing.T) {
	for _, name := range []string{"evict and replace", "refill, retire and create"} {
		back, gone := 0, 0
		for n := 2; n < 60; n += 2 {
			synctest.Test(t, func(t *testing.T) {
				w, c := worlds()[name]()
				b := &fills{Book: bounded(2000, 150), after: n, world: w}
				x := &ways{w: w, c: c, b: b, old: slices.Clone(w.nodes)}
				res, err := roll.Run(t.Context(), roll.Config{World: w, Book: b, Plan: x.plan(t)})
				if err != nil {
					t.Fatal(err)
				}
				turn := res.Memory.Current()
				if turn == nil {
					return
				}
				out := w.node(turn.Node.Name) == nil || w.node(turn.Node.Name).uid != turn.Node.UID
				res, err = roll.Abort(t.Context(), roll.Config{World: w, Book: b})
				h, _ := res.Decision.(decide.Halt)
				switch {
				case err != nil:
					t.Fatal(err)
				case !out:
					back++
					x.idle(t)
					if res.Exit != 0 || len(res.Left) > 0 {
						t.Errorf("%d: exit %d, left %+v", n, res.Exit, res.Left)
					}
				default:
					gone++
					if res.Exit != decide.ExitUnsafe || !strings.Contains(h.Remedy, "finish the turn: kubectl safe-roll run") {
						t.Fatalf("%d: %+v", n, res.Decision)
					}
					if res, err = roll.Run(t.Context(), roll.Config{World: w, Book: b}); err != nil || res.Memory.Current() != nil {
						t.Errorf("%d: %+v, %v", n, res.Decision, err)
					}
				}
			})
		}
		if back < 3 || gone < 3 {
			t.Errorf("%s: %d times it was put back, %d times too late: it shows little", name, back, gone)
		}
	}
}
