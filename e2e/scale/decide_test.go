// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"slices"
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/forecast"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn"
)

// ready is a large cluster in which every volume is whole, and the plan to
// replace its first node.
type ready struct {
	j        *assess.Judgement
	plan     decide.Plan
	placers  map[string]forecast.Placer
	replicas float64
}

func readyToRoll(tb testing.TB, volumes int) ready {
	tb.Helper()
	w, r := waits(tb, volumes)
	s, err := w.observer.Observe(tb.Context(), cluster.Cached)
	if err != nil {
		tb.Fatal(err)
	}
	whole := *s
	whole.Storages = slices.Clone(s.Storages)
	st := &whole.Storages[0]
	st.Volumes = slices.DeleteFunc(slices.Clone(st.Volumes), func(v cluster.Volume) bool { return v.Name == r.shape.Phantom() })
	whole.Persistent = slices.DeleteFunc(slices.Clone(s.Persistent), func(v cluster.PersistentVolume) bool { return v.Handle == r.shape.Phantom() })
	out := ready{plan: w.plan, placers: map[string]forecast.Placer{longhorn.Driver: longhorn.New().Placer()}, replicas: float64(len(st.Volumes) * r.shape.Replicas)}
	out.plan.Turns = []decide.PlannedTurn{{Node: s.Nodes[0].Ref, Strategy: "refill"}}
	out.j = assess.Judge(&whole, w.plan.Policy, s.Look.Ended)
	if out.j.Verdict != cluster.Safe {
		tb.Fatalf("%v: %+v", out.j.Verdict, out.j.Findings[0])
	}
	return out
}

// next decides, and wants the turn to be opened: every volume was asked.
func (r ready) next(tb testing.TB) {
	d := decide.Next(r.plan, r.j, decide.Memory{}, r.j.Now)
	if n, ok := d.(decide.Remember); !ok || n.Note.Kind != decide.TurnOpened {
		tb.Fatalf("%+v", d)
	}
}

func (r ready) deletable() { r.j.MayDelete(r.plan.Turns[0].Node, assess.Turn{}) }

func (r ready) forecast() {
	forecast.Begin(r.j.Snapshot, r.placers).Evict(r.plan.Turns[0].Node.Name)
}

// How often deciding and forecasting ask for memory, for each replica there is;
// times vary and are not tested.
func TestDecide_AsksForLittleMemory(t *testing.T) {
	r := readyToRoll(t, 1000)
	for _, c := range []struct {
		what string
		most float64
		do   func()
	}{
		{"next", 0.8, func() { r.next(t) }},
		{"may it be deleted", 1.3, r.deletable},
		{"forecast", 9, r.forecast},
	} {
		each := testing.AllocsPerRun(3, c.do) / r.replicas
		t.Logf("%s: %.3f allocations a replica", c.what, each)
		if each > c.most {
			t.Errorf("%s: %.3f allocations a replica, at most %.3f", c.what, each, c.most)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	r := readyToRoll(b, 10000)
	for _, c := range []struct {
		what string
		do   func()
	}{{"Next", func() { r.next(b) }}, {"MayDelete", r.deletable}, {"Forecast", r.forecast}} {
		b.Run(c.what, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.do()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/r.replicas, "ns/replica")
		})
	}
}
