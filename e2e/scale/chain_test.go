// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"context"
	"io"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/observe"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
	"github.com/safe-roll/kubectl-safe-roll/pkg/view"
	"github.com/safe-roll/kubectl-safe-roll/plugins"
)

// asked is what verify does: read, judge volume by volume, and write.
func asked(tb testing.TB, host string) *assess.Judgement {
	tb.Helper()
	c, err := observe.NewCluster(observe.Config{REST: &rest.Config{Host: host}, Storages: plugins.All()})
	if err != nil {
		tb.Fatal(err)
	}
	defer c.Close()
	s, volumes, err := c.Survey(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	j := assess.Sift(s, volumes, policy.Default(), time.Now())
	a := view.Answer{Judgement: j}
	if err := a.Text(io.Discard, view.Style{}); err != nil {
		tb.Fatal(err)
	}
	if err := a.JSON(io.Discard); err != nil {
		tb.Fatal(err)
	}
	return j
}

func replayed(tb testing.TB, volumes int) (*httptest.Server, Shape) {
	tb.Helper()
	s := ShapeFor(volumes)
	r, err := NewReplay(s)
	if err != nil {
		tb.Fatal(err)
	}
	server := httptest.NewServer(r)
	tb.Cleanup(server.Close)
	return server, s
}

func heap() (live, made uint64) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, m.Mallocs
}

// The whole chain, from the wire to the last byte of JSON: what it keeps of each
// replica, everything that belongs to its volume included, and how often it asks
// for memory. Times vary and are not tested; these hardly do.
func TestChain_KeepsFewBytesOfEachReplica(t *testing.T) {
	const volumes, most, mostAllocs = 3000, 390, 200
	server, shape := replayed(t, volumes)
	before, madeBefore := heap()
	j := asked(t, server.URL)
	after, madeAfter := heap()
	if j.Verdict != cluster.Unsafe || len(j.Volumes) != 1 || j.Volumes[0].Volume.Name != shape.Phantom() || j.Rest.Volumes != volumes-1 {
		t.Fatalf("verdict %v, %d volumes in the way, %d not", j.Verdict, len(j.Volumes), j.Rest.Volumes)
	}
	replicas := uint64(volumes * shape.Replicas)
	keeps, allocs := int64(after-before)/int64(replicas), (madeAfter-madeBefore)/replicas
	t.Logf("%d bytes and %d allocations a replica", keeps, allocs)
	if keeps > most {
		t.Errorf("%d bytes a replica are kept, at most %d", keeps, most)
	}
	if allocs > mostAllocs {
		t.Errorf("%d allocations a replica, at most %d", allocs, mostAllocs)
	}
	runtime.KeepAlive(j)
}

func BenchmarkChain(b *testing.B) {
	server, shape := replayed(b, 3000)
	b.ReportAllocs()
	for b.Loop() {
		asked(b, server.URL)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(shape.Volumes*shape.Replicas), "ns/replica")
}
