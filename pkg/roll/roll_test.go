// SPDX-License-Identifier: Apache-2.0

package roll_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// shelf is the simplest Book: a slice. It outlives the processes that write it.
type shelf struct {
	events []record.Event
	seq    int64
	// dead makes writes fail, as when the program died.
	dead func() bool
}

func (b *shelf) Read(context.Context) (record.History, record.Holder, error) {
	return record.History{Events: b.events}, record.Holder{}, nil
}
func (b *shelf) Acquire(context.Context) (record.History, error) {
	return record.History{Events: b.events}, nil
}
func (b *shelf) Renew(context.Context) error { return nil }
func (b *shelf) Append(_ context.Context, es ...record.Event) error {
	if b.dead != nil && b.dead() {
		return errDied
	}
	for _, e := range es {
		if e.Kind == record.Started {
			b.events = nil
		}
		b.seq++
		e.Seq = b.seq
		b.events = append(b.events, e)
	}
	return nil
}
func (b *shelf) Guard(time.Duration) error     { return nil }
func (b *shelf) Release(context.Context) error { return nil }

// placer places anywhere that has no copy yet, or nowhere.
type placer struct{ full bool }

func (p placer) Place(_ *cluster.Snapshot, st *cluster.Storage, leaving string) []forecast.Placement {
	var out []forecast.Placement
	for _, v := range st.Volumes {
		for _, r := range v.Replicas {
			if r.Node != leaving {
				continue
			}
			at := forecast.Placement{Volume: v.Name, Replica: r.Name, Node: "elsewhere"}
			if p.full {
				at.Node, at.Why = "", "no node is left"
			}
			out = append(out, at)
		}
	}
	return out
}

// propose makes the plan of a whole roll of the toy.
func propose(t *testing.T, w *toy, c decide.Commands) decide.Plan {
	t.Helper()
	s, err := w.Observe(context.Background(), cluster.Fresh)
	if err != nil {
		t.Fatal(err)
	}
	p := policy.Default()
	p.NoReplenishWait = w.hasty
	j := assess.Judge(s, p, time.Now())
	req := decide.Request{Run: "r1", Goal: decide.UntilReplaced, Commands: c, Policy: p}
	for _, n := range s.Nodes {
		req.Nodes = append(req.Nodes, n.Ref)
	}
	full := len(w.nodes) == w.volumes[0].want
	plan, refused := decide.Propose(j, req, map[string]forecast.Placer{toyDriver: placer{full}})
	if len(refused) > 0 {
		t.Fatalf("refused: %+v", refused)
	}
	return plan
}

func config(w *toy, b *shelf, p *decide.Plan) roll.Config {
	b.dead = func() bool { return w.dead }
	return roll.Config{World: w, Book: b, Plan: p}
}

// check judges the end by the toy's truth, not by what the tool believes.
func check(t *testing.T, w *toy, res roll.Result) {
	t.Helper()
	if _, ok := res.Decision.(decide.Done); !ok {
		t.Fatalf("ended with %T %+v", res.Decision, res.Decision)
	}
	if lost := w.lost(); len(lost) > 0 {
		t.Errorf("volumes without any data: %v", lost)
	}
	for _, v := range w.volumes {
		good := 0
		for _, c := range v.copies {
			if w.real(c) && !c.failed {
				good++
			}
		}
		if good < v.want {
			t.Errorf("%s has %d of %d copies", v.name, good, v.want)
		}
		if v.held != "" {
			t.Errorf("%s is still held awake", v.name)
		}
	}
	if w.mostOut > 1 {
		t.Errorf("I1: %d nodes were out at once", w.mostOut)
	}
	if w.wait != "600" {
		t.Errorf("the setting is %s and was 600", w.wait)
	}
	if len(res.Left) > 0 {
		t.Errorf("left behind: %+v", res.Left)
	}
}

// worlds are the shapes of rolls that every test goes through.
func worlds() map[string]func() (*toy, decide.Commands) {
	return map[string]func() (*toy, decide.Commands){
		"evict and replace": func() (*toy, decide.Commands) {
			return newToy(3, 6, 2), decide.Commands{Replace: "replace"}
		},
		"refill, retire and create": func() (*toy, decide.Commands) {
			w := newToy(3, 6, 3)
			w.hasty = true
			return w, decide.Commands{Retire: "retire", Create: "create"}
		},
		"refill, delete the node and create": func() (*toy, decide.Commands) {
			return newToy(3, 4, 3), decide.Commands{DeleteNode: true, Create: "create"}
		},
		"heal what another hand left short, then evict": func() (*toy, decide.Commands) {
			w := newToy(3, 6, 2)
			w.nodes = w.nodes[1:]
			w.addNode("worker-1-b").pods = 3
			return w, decide.Commands{Replace: "replace"}
		},
	}
}

func TestRun_ReplacesEveryNodeAndLosesNothing(t *testing.T) {
	for name, build := range worlds() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, c := build()
				before := slices.Clone(w.nodes)
				p := propose(t, w, c)
				res, err := roll.Run(t.Context(), config(w, &shelf{}, &p))
				if err != nil {
					t.Fatal(err)
				}
				check(t, w, res)
				for _, n := range before {
					if now := w.node(n.name); now == nil || now.uid == n.uid {
						t.Errorf("%s was not replaced", n.name)
					}
				}
			})
		})
	}
}

func TestRun_KilledBeforeOrAfterAnyDeedEndsTheSame(t *testing.T) {
	for name, build := range worlds() {
		t.Run(name, func(t *testing.T) {
			points := 0
			for _, after := range []bool{false, true} {
				for at := 1; killAt(t, build, at, after); at++ {
					points++
				}
			}
			if points < 20 {
				t.Errorf("only %d crash points were reached", points)
			}
			t.Logf("%d crash points", points)
		})
	}
}

// killAt kills the program at its nth deed, runs the same command again, and
// reports whether there was an nth deed.
func killAt(t *testing.T, build func() (*toy, decide.Commands), at int, after bool) (reached bool) {
	t.Run(fmt.Sprintf("%d,%v", at, after), func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, c := build()
			p := propose(t, w, c)
			b := &shelf{}
			w.dieAt, w.after = at, after
			res, err := roll.Run(t.Context(), config(w, b, &p))
			if reached = w.dead; reached {
				if !errors.Is(err, errDied) {
					t.Fatalf("died with %v", err)
				}
				w.dead, w.dieAt = false, -1
				res, err = roll.Run(t.Context(), config(w, b, nil))
			}
			if err != nil {
				t.Fatal(err)
			}
			check(t, w, res)
		})
	})
	return reached
}

func TestRun_InterruptedAtAnyMomentLeavesNoVolumeAwakeAndGoesOn(t *testing.T) {
	for name, build := range worlds() {
		for seconds := 1; seconds < 200; seconds += 7 {
			t.Run(fmt.Sprintf("%s/%ds", name, seconds), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w, c := build()
					p := propose(t, w, c)
					b := &shelf{}
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(seconds)*time.Second)
					defer cancel()
					res, err := roll.Run(ctx, config(w, b, &p))
					if err != nil {
						t.Fatal(err)
					}
					if res.Exit == roll.ExitInterrupted {
						if w.wait != "600" {
							t.Errorf("after the interruption the setting is %s", w.wait)
						}
						for _, v := range w.volumes {
							if v.held != "" {
								t.Errorf("%s is awake after the interruption", v.name)
							}
						}
						if res, err = roll.Run(t.Context(), config(w, b, nil)); err != nil {
							t.Fatal(err)
						}
					}
					check(t, w, res)
				})
			})
		}
	}
}
