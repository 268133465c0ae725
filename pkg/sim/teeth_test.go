// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/oracle"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// broken is a tool with one thing wrong in it, in a world in which that matters.
type broken struct {
	// want is the invariant that it breaks; empty for what is not as it was.
	want oracle.Invariant
	edit func(*Case)
	// harm is done when every volume has been proven, and let go.
	harm func(*World)
	// wire changes what is sent, book what is written.
	wire func(body map[string]any)
	book func(*record.Event) bool
	// sees changes what is observed, does leaves deeds undone.
	sees func(first, now *cluster.Snapshot)
	does func(decide.Action) bool
}

// TestTeeth_ABrokenToolIsCaught: what judges a million rolls must be able to find
// what it looks for. Each tool here has one law taken out of it.
func TestTeeth_ABrokenToolIsCaught(t *testing.T) {
	refill := func(c *Case) { c.Strategy, c.Classes = policy.Refill, []Class{Asleep, Asleep} }
	for name, b := range map[string]broken{
		"it believes that a machine that is out runs": {want: oracle.I1, edit: refill, sees: alive, harm: func(w *World) { w.powerOff(w.machine("worker-4")) }},
		"it never looks at the storage again":         {want: oracle.I2, edit: refill, sees: frozen, harm: swapped("worker-2")},
		"it takes the last copy":                      {want: oracle.I3, edit: refill, sees: frozen, harm: swapped("worker-2", "worker-3", "worker-4")},
		"it announces nothing":                        {want: oracle.I4, book: func(e *record.Event) bool { return e.Kind != record.Intent }},
		"it announces something else":                 {want: oracle.I4, book: anotherNode},
		"it means whatever bears the name":            {want: oracle.I5, wire: nameless},
		"it leaves volumes awake":                     {want: oracle.I6, edit: refill, does: func(a decide.Action) bool { return a.Verb != decide.Sleep }},
		"it says that it has put it back":             {edit: func(c *Case) { refill(c); c.Kept = true }, does: func(a decide.Action) bool { return a.Verb != decide.PutBack }},
		"it does not say how it ended":                {want: oracle.I7, book: func(e *record.Event) bool { return e.Kind != record.Finished }},
		"it proves before the node is drained":        {want: oracle.I9, edit: refill, book: func(e *record.Event) bool { return e.Note == nil || e.Note.Kind != decide.Drained }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { b.isCaught(t) })
		})
	}
}

func (b broken) isCaught(t *testing.T) {
	c := Standard(4, 3)
	c.Roll = 1
	if b.edit != nil {
		b.edit(&c)
	}
	for _, healthy := range []bool{true, false} {
		w, err := world(1, c)
		if err != nil {
			t.Fatal(err)
		}
		if !healthy {
			w.tool, w.tamper = b.in(w), b.wire
		}
		h, err := w.rolled(t.Context(), Roll{Seed: 1, Case: c})
		if err != nil {
			t.Fatal(err)
		}
		found := len(h.Changed) > 0
		for _, v := range h.Report.Violations {
			found = found || v.Invariant == b.want
		}
		if healthy && (found || len(h.Report.Violations) > 0) {
			t.Errorf("the whole tool is blamed: %v %v", h.Changed, h.Report.Violations)
		}
		if !healthy && !found {
			t.Errorf("not caught: %s %s, %v\n%s", h.Ending, h.Why, h.Report.Violations, strings.Join(h.Log[max(0, len(h.Log)-30):], "\n"))
		}
	}
}

// in is the loop with what is wrong in it.
func (b broken) in(w *World) func(roll.Config) roll.Config {
	return func(cfg roll.Config) roll.Config {
		if cfg.Plan != nil {
			cfg.Plan.Policy.LookInterval = 4 * time.Minute // long enough for others to know
		}
		cfg.World = &lame{World: cfg.World, broken: b, around: w}
		if b.book != nil {
			cfg.Book = lossy{Book: cfg.Book, keeps: b.book}
		}
		return cfg
	}
}

type lame struct {
	roll.World
	broken
	around *World
	slept  int               // how many volumes were let go
	last   time.Time         // when the last was
	first  *cluster.Snapshot // the first after all were
}

func (l *lame) Observe(ctx context.Context, f cluster.Freshness) (*cluster.Snapshot, error) {
	s, err := l.World.Observe(ctx, f)
	if err != nil || l.sees == nil {
		return s, err
	}
	if l.first == nil && l.slept == len(l.around.volumes) && time.Since(l.last) > time.Minute { // and are asleep again
		l.first = s
		if w := l.around; l.harm != nil {
			w.mu.Lock()
			w.after(time.Second, func() { l.harm(w) })
			w.mu.Unlock()
		}
	}
	now := *s
	l.sees(l.first, &now)
	return &now, nil
}

func (l *lame) Perform(ctx context.Context, a decide.Action) (decide.Outcome, error) {
	if l.does != nil && !l.does(a) {
		return decide.Outcome{Result: decide.Performed}, nil
	}
	o, err := l.World.Perform(ctx, a)
	if a.Verb == decide.Sleep {
		l.slept++
		l.last = time.Now()
	}
	return o, err
}

type lossy struct {
	record.Book
	keeps func(*record.Event) bool
}

func (l lossy) Append(ctx context.Context, es ...record.Event) error {
	var kept []record.Event
	for _, e := range es {
		if l.keeps(&e) {
			kept = append(kept, e)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return l.Book.Append(ctx, kept...)
}

// alive shows every machine as one that has just been heard of.
func alive(first, now *cluster.Snapshot) {
	if frozen(first, now); first != nil {
		now.Pods = first.Pods
	}
	now.Nodes = slices.Clone(now.Nodes)
	for i := range now.Nodes {
		now.Nodes[i].Ready, now.Nodes[i].LeaseRenewed = cluster.Yes, time.Now()
	}
}

// frozen shows the storage as it was when all was proven.
func frozen(first, now *cluster.Snapshot) {
	if first != nil {
		now.Storages = first.Storages
	}
}

func swapped(nodes ...string) func(*World) {
	return func(w *World) {
		for _, n := range nodes {
			w.swap(w.machine(n))
		}
	}
}

// anotherNode writes of every cordon that it is of another machine.
func anotherNode(e *record.Event) bool {
	if e.Kind == record.Intent && e.Action.Verb == decide.Cordon {
		a := *e.Action
		a.Node.UID += "x"
		e.Action = &a
	}
	return true
}

// nameless takes every identity out of what is sent.
func nameless(body map[string]any) {
	for _, k := range []string{"metadata", "preconditions", "deleteOptions"} {
		if m, ok := body[k].(map[string]any); ok {
			delete(m, "uid")
			delete(m, "preconditions")
		}
	}
}
