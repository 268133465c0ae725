// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/observe"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
	"github.com/safe-roll/kubectl-safe-roll/plugins"
)

// waits looks once at a cluster that is replayed, and waits then as a roll does.
func waits(tb testing.TB, volumes int) (*waiter, *Replay) {
	tb.Helper()
	r, err := NewReplay(ShapeFor(volumes))
	if err != nil {
		tb.Fatal(err)
	}
	server := httptest.NewServer(r)
	tb.Cleanup(server.Close)
	w := &waiter{asked: &counter{}, plan: decide.Plan{Run: "bench", Policy: policy.Default(), Turns: []decide.PlannedTurn{{Node: cluster.NodeRef{Name: nodeName(0)}}}}}
	cfg := &rest.Config{Host: server.URL}
	cfg.Wrap(w.asked.wrap)
	if w.observer, err = observe.NewCluster(observe.Config{REST: cfg, Storages: plugins.All()}); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(w.observer.Close)
	if err := w.look(tb.Context(), cluster.Fresh); err != nil {
		tb.Fatal(err)
	}
	return w, r
}

// reacts changes a replica, and returns how long it takes until that is decided by.
func reacts(tb testing.TB, w *waiter, r *Replay, i int) time.Duration {
	tb.Helper()
	before := w.seen
	if err := r.Evict(i/2*10%r.shape.Volumes + 5); err != nil {
		tb.Fatal(err)
	}
	took, err := w.decided(tb.Context(), before)
	if err != nil {
		tb.Fatal(err)
	}
	return took
}

// While it waits it asks for nothing but the leases, and every change is decided
// by, from what the watch tells.
func TestReact_AChangeIsDecidedByWithoutAskingAgain(t *testing.T) {
	w, r := waits(t, 1000)
	reacts(t, w, r, 0)
	lists := w.asked.list.Load()
	var took []time.Duration
	for i := range 20 {
		took = append(took, reacts(t, w, r, i+1))
	}
	slices.Sort(took)
	t.Logf("p50 %s, most %s", took[10], took[19])
	if n := w.asked.list.Load() - lists; n > 1 {
		t.Errorf("%d lists were asked for, at most the leases once", n)
	}
}

// The time from an event to the decision by it, its settling of 100 ms included.
// VOLUMES is how many there are.
func BenchmarkReact(b *testing.B) {
	volumes, err := strconv.Atoi(os.Getenv("VOLUMES"))
	if err != nil {
		volumes = 10000
	}
	w, r := waits(b, volumes)
	reacts(b, w, r, 0)
	var took []time.Duration
	for i := 1; b.Loop(); i++ {
		took = append(took, reacts(b, w, r, i))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Milliseconds()), "p99-ms")
}
